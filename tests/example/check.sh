#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The example and the first program of README.md print what README.md shows,
# and README.md lists every function and refers to files that exist.
#
# usage: check.sh SHARE HELLO SOURCE

# The backquotes in its patterns are Markdown's.
# shellcheck disable=SC2016
set -eu

share=$1
hello=$2
source=$3
readme=$source/README.md
export LC_ALL=C

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

n=0
failed=0
result() {
	n=$((n + 1))
	if diff -u "$dir/expected" "$dir/actual" >"$dir/diff"; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$dir/diff"
		failed=1
	fi
}

# The seal exec, and the line about it, are there from Linux 6.3 on.
without_exec() {
	sed 's/,exec$//; /^ *(exec: /d'
}

# prints BLOCK: what README.md shows in its nth block of text.
prints() {
	awk -v language=text -v n="$1" -f "$source/tests/example/block.awk" \
		"$readme" | without_exec
}

# run PROGRAM [ARGUMENT]
run() {
	{ "$@" 2>&1 || echo "exit status $?"; } | without_exec >"$dir/actual"
}

prints 1 >"$dir/expected"
run "$share"
result example_prints_what_the_readme_shows

printf 'one line\nand another\n' >"$dir/file"
prints 1 | sed 's/message\.txt/file/; s/".*"/"one line"/' >"$dir/expected"
run "$share" "$dir/file"
result example_with_a_file

: >"$dir/empty"
prints 1 | sed 's/message\.txt/empty/; /reads/d' >"$dir/expected"
run "$share" "$dir/empty"
result example_with_an_empty_file

prints 2 >"$dir/expected"
run "$hello"
result first_program_prints_what_the_readme_shows

# A call shows the names of the parameters, as the header has them.
tr '\n\t' '  ' <"$source/include/memfd.h" | grep -o 'int memfd_[a-z_]*([^)]*)' |
	sed 's/^int //; s/\([(,]\) *[a-z_ ]*[ *]\([a-z]*\)/\1\2/g; s/,/, /g' |
	sort >"$dir/expected"
sed -n 's/^| `\(memfd_[^`]*\)` |.*/\1/p' "$readme" | sort >"$dir/actual"
result readme_lists_every_function

sed -n 's/^[[:space:]]*\(MEMFD_SEAL_[A-Z_]*\) = .*/\1/p' \
	"$source/include/memfd.h" | sort >"$dir/expected"
sed -n 's/^| `\(MEMFD_SEAL_[A-Z_]*\)` |.*/\1/p' "$readme" |
	sort >"$dir/actual"
result readme_lists_every_seal

: >"$dir/expected"
tr '\n' ' ' <"$readme" | grep -o '\](\([^)]*\))' |
	sed 's/^](\(.*\))$/\1/; /^#/d' | while read -r link; do
	[ -e "$source/$link" ] || echo "README.md: no file $link"
done >"$dir/actual"
result readme_refers_to_files_that_exist

echo "1..$n"
exit "$failed"
