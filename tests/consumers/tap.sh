# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
#
# Cells for the scripts here, which source this file. A cell is a function, run
# in a subshell that ends at its first failing command; its output is shown
# where it fails.

source=$(cd "$1" && pwd)
here=$source/tests/consumers
n=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# What the caller of the tests has set is for another build.
unset DESTDIR PKG_CONFIG_PATH PKG_CONFIG_LIBDIR LD_LIBRARY_PATH
unset CFLAGS CXXFLAGS CPPFLAGS LDFLAGS

# cell COMMAND [ARGUMENT]...: named after what it runs.
cell() {
	n=$((n + 1))
	# Not in a condition: there the shell forgets -e.
	set +e
	(
		set -eu
		"$@"
	) >"$tmp/log" 2>&1
	status=$?
	set -e
	if [ "$status" -eq 0 ]; then
		echo "ok $n - $*"
	elif [ "$status" -eq 77 ] && [ "${CI-}" != true ]; then
		echo "ok $n - $* # SKIP $(tail -n 1 "$tmp/log")"
	else
		tail -n 40 "$tmp/log" | sed 's/^/# /'
		echo "not ok $n - $*"
	fi
}

# need TOOL...: the cell is skipped without, which in CI is a failure.
need() {
	for tool; do
		command -v "$tool" >/dev/null || {
			echo "$tool is missing"
			exit 77
		}
	done
}

# same EXPECTED ACTUAL: two texts.
same() {
	[ "$1" = "$2" ] && return
	printf 'expected:\n%s\nis:\n%s\n' "$1" "$2"
	return 1
}

# The files of an installation, manual pages aside.
files() {
	(cd "$1" && find . ! -type d ! -path '*/man/*' | sort)
}

# copy FOLDER: what it takes to build without tests.
copy() {
	mkdir -p "$1/tests"
	cp -r "$source/include" "$source/src" "$source/meson.build" \
		"$source/meson_options.txt" "$1/"
	cp -r "$source/tests/example" "$1/tests/"
}
