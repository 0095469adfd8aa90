#!/bin/sh
# SPDX-License-Identifier: MIT
# check.sh FOLDER: run the programs that are installed as examples, and compare
# what they print. They run by MESON_EXE_WRAPPER, if that is set.
set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

folder=$1

# prints PROGRAM [ERROR]: as standard input says, on any machine: only Linux 6.3
# and later have the seal exec, and huge pages may be there or not. With the
# error, it is skipped: something that this machine does not have, or does not
# allow.
prints() {
	# shellcheck disable=SC2086
	LC_ALL=C ${MESON_EXE_WRAPPER-} "$folder/$1" >"$tmp/said" 2>&1 ||
		echo "exit status $?" >>"$tmp/said"
	if [ -n "${2-}" ] && grep -qx "$1: $2" "$tmp/said"; then
		cannot "$2"
	fi
	sed 's/,exec$//; s/ordinary\|huge/some/' "$tmp/said" >"$tmp/compared"
	diff -u "$tmp/compared" -
}

share() {
	prints share <<END
sender:   has sealed a message: seal,shrink,grow,write

sender:   sends it
receiver: the seals are there: content and size are final
receiver: reads "This text is shared, and nobody can change it any more."
sender:   writes to it: refused, as it should be (Operation not permitted)
sender:   makes it longer: refused, as it should be (Operation not permitted)
sender:   maps it for writing: refused, as it should be (Operation not permitted)

sender:   sends a message that it can still change
receiver: refused, as it should be (Operation not permitted)

sender:   sends a message that is too long
receiver: refused, as it should be (File too large)

sender:   sends a pipe, which is no memfd at all
receiver: refused, as it should be (Invalid argument)

The receiver has used the file that nobody can change any more, not even the
sender, and has refused the other three.
END
}

buffer() {
	prints buffer <<END
buffer: to seal the client's buffer: refused, as it should be: Operation not permitted
first pixel: 0xff8000
buffer: to shrink the buffer: refused, as it should be: Operation not permitted
END
}

log() {
	prints log 'new_log: Invalid argument' <<END
log: reader: pwrite refused, as it should be: Operation not permitted
log: reader: writable mmap refused, as it should be: Operation not permitted
reader: 1000 lines, 19893 bytes
END
}

self() {
	[ -e /proc/self/exe ] || cannot '/proc is not mounted'
	# It would execute what the kernel does not know.
	[ -z "${MESON_EXE_WRAPPER-}" ] || cannot 'it executes itself'
	prints self 'not running from a sealed copy: Permission denied' <<END
running from a sealed copy
END
}

huge() {
	prints huge <<END
sealed, on some pages
END
}

blobs() {
	# shellcheck disable=SC2086
	set -- ${MESON_EXE_WRAPPER-} "$folder/blobs" "$tmp/socket"
	"$@" &
	server=$!
	trap 'kill "$server"' EXIT
	until [ -S "$tmp/socket" ]; do
		kill -0 "$server"
		sleep 0.1
	done
	"$@" put script <"$here/check.sh"
	"$@" get script | cmp - "$here/check.sh"
	"$@" put empty </dev/null
	"$@" get empty | cmp - /dev/null
	if head -c 1048577 /dev/zero | "$@" put large || "$@" get large; then
		return 1
	fi
}

for program in share buffer log self huge blobs; do
	cell "$program"
done
done_testing
