#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh SHARE HELLO: runs the example on files of known content, and the
# README's program, and compares what they say. The exec seal is there from
# Linux 6.3 on, and left out of account.
set -eu

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

case_is() {
	n=$((n + 1))
	if diff -u "$dir/expected" "$dir/said" >"$dir/diff"; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		sed 's/^/# /' "$dir/diff"
		failed=1
	fi
}

say() {
	LC_ALL=C "$@" 2>&1 | sed 's/,exec$//; s/"exec"$/""/' >"$dir/said"
}

share=$1
hello=$2
n=0
failed=0
echo 1..4

printf 'one line\nand another\n' >"$dir/file"
cat >"$dir/expected" <<END
parent: a copy of $dir/file, sealed: seal,shrink,grow,write
child:    immutable, 21 bytes
child:    its first line: one line
child:    writing to it: Operation not permitted
child:    making it longer: Operation not permitted
child:    mapping it writable: Operation not permitted
parent: the same kind of file, nothing promised
child:    refused: seals are missing, it has ""
parent: a pipe
child:    refused: this file cannot have seals
END
say "$share" "$dir/file"
case_is a_file

: >"$dir/empty"
sed "s,$dir/file,$dir/empty,; s/21 bytes/0 bytes/; /first line/d" \
	"$dir/expected" >"$dir/e" && mv "$dir/e" "$dir/expected"
say "$share" "$dir/empty"
case_is an_empty_file

say "$share"
sed -n '/first line/p' "$dir/said" >"$dir/line" && mv "$dir/line" "$dir/said"
echo 'child:    its first line: /* SPDX-License-Identifier: MIT */' \
	>"$dir/expected"
case_is its_own_source_when_no_file_is_given

say "$hello"
sort -o "$dir/said" "$dir/said"
printf 'sealed: seal,shrink,grow,write\nwrite: Operation not permitted\n' \
	>"$dir/expected"
case_is the_program_of_the_readme

exit "$failed"
