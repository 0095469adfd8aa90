#!/bin/sh
# SPDX-License-Identifier: MIT
# coverage.sh: line and branch coverage of src/ by the unit tests, in the library
# and in those tests that contain it, with memfd_create(2) from libc and by its
# number. Less than all of either fails.
set -eu

source=$(cd "$(dirname "$0")/../.." && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo 1..4
if ! command -v gcovr >/dev/null || ! command -v gcc >/dev/null; then
	if [ "${CI-}" ]; then
		echo "Bail out! gcovr and gcc are needed"
		exit 1
	fi
	for n in 1 2 3 4; do
		echo "ok $n - coverage # SKIP no gcovr or no gcc"
	done
	exit 0
fi

n=0
failed=0
for syscall in libc raw; do
	build=$dir/$syscall
	{
		CC=gcc meson setup "$build" "$source" -Dsyscall=$syscall \
			-Db_coverage=true -Doptimization=0
		meson test -C "$build" --suite unit
	} >"$dir/log" 2>&1 || {
		sed 's/^/# /' "$dir/log"
		echo "Bail out! the tests fail in a build for coverage"
		exit 1
	}
	for what in line branch; do
		branches=
		[ $what = line ] || branches=--branches
		n=$((n + 1))
		if gcovr --root "$source" --filter "$source/src/" $branches \
			--fail-under-$what 100 "$build/src" "$build/tests/unit" \
			>"$dir/report" 2>&1; then
			not=
		else
			not='not '
			failed=1
		fi
		sed 's/^/# /' "$dir/report"
		echo "${not}ok $n - $what coverage, syscall=$syscall:" \
			"$(awk '/^TOTAL/ { print $3 " of " $2 }' "$dir/report")"
	done
done
exit $failed
