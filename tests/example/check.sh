#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The example and the first program of README.md print what README.md shows,
# and README.md lists every function and refers to files that exist.
#
# usage: check.sh SHARE HELLO
#
# The programs run by MESON_EXE_WRAPPER, if that is set. Instead of a program
# that cannot run here, "" is given.

# The backquotes in its patterns are Markdown's.
# shellcheck disable=SC2016
set -eu
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

share=$1
hello=$2
readme=$source/README.md
header=$source/include/memfd.h
export LC_ALL=C

# The seal exec, and the line about it, are there from Linux 6.3 on.
without_exec() {
	sed 's/,exec$//; /^ *(exec: /d'
}

# shown N: what README.md shows in its nth block of text.
shown() {
	awk -v language=text -v n="$1" -f "$here/block.awk" "$readme" |
		without_exec
}

# prints PROGRAM [ARGUMENT]: as standard input says.
prints() {
	[ -n "$1" ] || cannot 'the cross file has no exe_wrapper'
	# shellcheck disable=SC2086
	{ ${MESON_EXE_WRAPPER-} "$@" 2>&1 || echo "exit status $?"; } |
		without_exec >"$tmp/actual"
	diff -u - "$tmp/actual"
}

example_prints_what_the_readme_shows() {
	shown 1 | prints "$share"
}

example_with_a_file() {
	printf 'one line\nand another\n' >"$tmp/file"
	shown 1 | sed 's/message\.txt/file/; s/".*"/"one line"/' |
		prints "$share" "$tmp/file"
}

example_with_an_empty_file() {
	: >"$tmp/empty"
	shown 1 | sed 's/message\.txt/empty/; /reads/d' |
		prints "$share" "$tmp/empty"
}

first_program_prints_what_the_readme_shows() {
	shown 2 | prints "$hello"
}

# A call shows the names of the parameters, as the header has them.
readme_lists_every_function() {
	tr '\n\t' '  ' <"$header" | grep -o 'int memfd_[a-z_]*([^)]*)' |
		sed 's/^int //; s/\([(,]\) *[a-z_ ]*[ *]\([a-z]*\)/\1\2/g
			s/,/, /g' | sort >"$tmp/expected"
	sed -n 's/^| `\(memfd_[^`]*\)` |.*/\1/p' "$readme" | sort |
		diff -u "$tmp/expected" -
}

readme_lists_every_seal() {
	sed -n 's/^[[:space:]]*\(MEMFD_SEAL_[A-Z_]*\) = .*/\1/p' "$header" |
		sort >"$tmp/expected"
	sed -n 's/^| `\(MEMFD_SEAL_[A-Z_]*\)` |.*/\1/p' "$readme" | sort |
		diff -u "$tmp/expected" -
}

readme_refers_to_files_that_exist() {
	tr '\n' ' ' <"$readme" | grep -o '\](\([^)]*\))' |
		sed 's/^](\([^#]*\).*)$/\1/; /^$/d' | while read -r link; do
		[ -e "$source/$link" ] || {
			echo "README.md: no file $link"
			exit 1
		}
	done
}

cell example_prints_what_the_readme_shows
cell example_with_a_file
cell example_with_an_empty_file
cell first_program_prints_what_the_readme_shows
cell readme_lists_every_function
cell readme_lists_every_seal
cell readme_refers_to_files_that_exist
done_testing
