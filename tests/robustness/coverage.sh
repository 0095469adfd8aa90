#!/bin/sh
# SPDX-License-Identifier: MIT
# coverage.sh: line and branch coverage of src/ by the unit tests, in the library
# and in those tests that contain it, with memfd_create(2) from libc and by its
# number. Less than all of either fails.
set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

# tests_pass SYSCALL
tests_pass() {
	need gcc gcovr
	CC=gcc meson setup "$tmp/$1" "$source" -Dsyscall="$1" \
		-Db_coverage=true -Doptimization=0
	meson test -C "$tmp/$1" --suite unit
}

# covered SYSCALL line|branch [OPTION]
covered() {
	need gcc gcovr
	build=$tmp/$1
	least=--fail-under-$2
	shift 2
	gcovr --root "$source" --filter "$source/src/" "$least" 100 \
		--output "$tmp/report" "$@" "$build/src" "$build/tests/unit"
	sed 's/^/# /' "$tmp/report"
}

for syscall in libc raw; do
	cell tests_pass $syscall
	cell covered $syscall line
	cell covered $syscall branch --branches
done
done_testing
