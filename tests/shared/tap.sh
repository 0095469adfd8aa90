# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: MIT
#
# What the shell scripts here share; they source this file. A cell is a function,
# run in a subshell that ends at the first command that fails. If the cell fails,
# its output is shown; of one that passes, only the lines that begin with "# ".

here=$(cd "$(dirname "$0")" && pwd)
source=${here%/tests/*}
n=0
failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# The caller of the tests has set these for another build.
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
		sed -n '/^# /p' "$tmp/log"
		echo "ok $n - $*"
	elif [ "$status" -eq 78 ] ||
		{ [ "$status" -eq 77 ] && [ "${CI-}" != true ]; }; then
		echo "ok $n - $* # SKIP $(tail -n 1 "$tmp/log")"
	else
		tail -n 60 "$tmp/log" | sed 's/^/# /'
		echo "not ok $n - $*"
		failed=1
	fi
}

# The plan; comes last, for the status with which the script ends.
done_testing() {
	echo "1..$n"
	return "$failed"
}

# need TOOL...: without these the cell is skipped, which in CI is a failure.
need() {
	for tool; do
		command -v "$tool" >/dev/null || {
			echo "$tool is missing"
			exit 77
		}
	done
}

# cannot REASON: the cell is skipped, in CI too, since nothing can be installed.
cannot() {
	echo "$*"
	exit 78
}

# same EXPECTED ACTUAL: two texts.
same() {
	[ "$1" = "$2" ] && return
	printf 'expected:\n%s\nis:\n%s\n' "$1" "$2"
	return 1
}

# The files of an installation.
files() {
	(cd "$1" && find . ! -type d | sort)
}

# copy FOLDER: what it takes to build without tests.
copy() {
	mkdir -p "$1/tests"
	cp -r "$source/include" "$source/src" "$source/meson.build" \
		"$source/meson_options.txt" "$1/"
	cp -r "$source/tests/example" "$1/tests/"
}
