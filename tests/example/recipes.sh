#!/bin/sh
# SPDX-License-Identifier: MIT
# recipes.sh FOLDER: runs the programs that the manual shows, and compares what
# they print. The exec seal, which only Linux 6.3 and later have, is left out.
set -eu

n=0
failed=0
echo 1..5

# case_is NAME SKIPPED_IF_IT_SAYS: what is expected is read from stdin.
case_is() {
	n=$((n + 1))
	expected=$(cat)
	said=$(LC_ALL=C "$folder/$1" 2>&1 | sed 's/,exec$//') || :
	if [ "$said" = "$expected" ]; then
		echo "ok $n - $1"
	elif [ -n "$2" ] && [ "$said" = "$1: $2" ]; then
		echo "ok $n - $1 # SKIP $2"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$said" | sed 's/^/# /'
		failed=1
	fi
}

folder=$1

case_is buffer '' <<END
first pixel: 0xff8000
END
case_is log 'memfd_seal: Invalid argument' <<END
log: reader: pwrite refused, as it should be: Operation not permitted
log: reader: writable mmap refused, as it should be: Operation not permitted
reader: 1000 lines, 19893 bytes
END
if [ -e /proc/self/exe ]; then
	case_is self 'memfd_new_sealed_copy: Permission denied' <<-END
		running from a sealed copy
	END
else
	n=$((n + 1))
	echo "ok $n - self # SKIP /proc is not mounted"
fi
case_is recipes '' <<END
not sealed yet: seal,shrink,grow,write
sealed already: seal,shrink,grow,write
sealed by the receiver: seal,shrink,grow,write
a seal of Linux 5.1: shrink,future-write
a seal that no kernel knows yet: shrink
memory reserved: shrink
END

# Whether there are huge pages is the machine's affair.
n=$((n + 1))
if [ "$("$folder/huge" 2>/dev/null)" = sealed ]; then
	echo "ok $n - huge"
else
	echo "not ok $n - huge"
	failed=1
fi

exit "$failed"
