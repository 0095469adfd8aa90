#!/bin/sh
# SPDX-License-Identifier: MIT
# recipes.sh PROGRAM...: run the programs that the manual shows, which are all in
# one folder, and compare what they print. The exec seal, which only Linux 6.3
# and later have, is left out. They run by MESON_EXE_WRAPPER, if that is set.
set -eu
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

folder=$(cd "$(dirname "$1")" && pwd)

# prints PROGRAM [ERROR]: as standard input says. With the error, it is skipped:
# something that this machine does not have, or does not allow.
prints() {
	# shellcheck disable=SC2086
	LC_ALL=C ${MESON_EXE_WRAPPER-} "$folder/$1" >"$tmp/said" 2>&1 || :
	if [ -n "${2-}" ] && [ "$(cat "$tmp/said")" = "$1: $2" ]; then
		cannot "$2"
	fi
	sed 's/,exec$//' "$tmp/said" | diff -u - "$tmp/wanted"
}

buffer() {
	echo 'first pixel: 0xff8000' >"$tmp/wanted"
	prints buffer
}

log() {
	cat >"$tmp/wanted" <<END
log: reader: pwrite refused, as it should be: Operation not permitted
log: reader: writable mmap refused, as it should be: Operation not permitted
reader: 1000 lines, 19893 bytes
END
	prints log 'memfd_seal: Invalid argument'
}

self() {
	[ -e /proc/self/exe ] || cannot '/proc is not mounted'
	# It would execute what the kernel does not know.
	[ -z "${MESON_EXE_WRAPPER-}" ] || cannot 'it executes itself'
	echo 'running from a sealed copy' >"$tmp/wanted"
	prints self 'memfd_new_sealed_copy: Permission denied'
}

recipes() {
	cat >"$tmp/wanted" <<END
written in place: seal,shrink,grow,write
not sealed yet: seal,shrink,grow,write
sealed already: seal,shrink,grow,write
sealed by the receiver: seal,shrink,grow,write
a seal of Linux 5.1: shrink,future-write
a seal that no kernel knows yet: shrink
memory reserved: shrink
END
	prints recipes
}

# Whether there are huge pages depends on the machine.
huge() {
	# shellcheck disable=SC2086
	same sealed "$(${MESON_EXE_WRAPPER-} "$folder/huge" 2>/dev/null)"
}

cell buffer
cell log
cell self
cell recipes
cell huge
done_testing
