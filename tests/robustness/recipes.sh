#!/bin/sh
# SPDX-License-Identifier: MIT
# recipes.sh BUILD: the examples where it takes root to show what they are for.
# Huge pages and controllers of the machine are put back.
set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

# Where other users may read them.
chmod 755 "$tmp"
cp "$1/tests/example/self" "$1/tests/example/huge" "$1/tests/unit/test-recipes" \
	"$tmp/"
cp "$1"/src/libmemfd.so.1 "$tmp/" 2>"$tmp/log" || :
export LC_ALL=C LD_LIBRARY_PATH="$tmp"
pages=/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
noexec=/proc/sys/vm/memfd_noexec

need_root() {
	[ "$(id -u)" = 0 ] || {
		echo 'not root'
		exit 77
	}
}

# self ANSWER COMMAND...: a program that runs from a copy, or says why not.
self() {
	answer=$1
	shift
	same "$answer" "$("$@" 2>&1)"
}

copied='running from a sealed copy'
denied='self: not running from a sealed copy: Permission denied'

self_through_ld_so() {
	loader=$(ldd "$tmp/self" | sed -n 's,^[^/]*\(/[^ ]*/ld[^ ]*\).*,\1,p')
	self 'self: not running from a sealed copy: Operation not supported' \
		"$loader" "$tmp/self"
}

self_as_another_user() {
	need_root
	need setpriv
	set -- setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/self"
	self "$copied" "$@"
	chmod 711 "$tmp/self"
	self "$denied" "$@"
	chmod 755 "$tmp/self"
}

self_under_memfd_noexec() {
	need_root
	[ -e $noexec ] || cannot 'no vm.memfd_noexec'
	unshare --pid --fork --mount-proc true || cannot 'no right to namespaces'
	answer=$copied
	[ "$1" -lt 2 ] || answer=$denied
	self "$answer" unshare --pid --fork --mount-proc \
		sh -c "echo $1 >$noexec && '$tmp/self'"
}

# with_pages NUMBER: until the cell ends.
with_pages() {
	need_root
	[ -e $pages ] || cannot 'no huge pages of 2 MiB'
	before=$(cat $pages)
	trap 'undo' EXIT
	{ echo "$1" >$pages; } 2>/dev/null || cannot 'no right to huge pages'
	[ "$(cat $pages)" = "$1" ] || cannot 'no memory for huge pages'
}

undo() {
	{ echo "$before" >$pages; } 2>/dev/null || :
	[ -z "${group-}" ] || rmdir "$group"
	[ -z "${controlled-}" ] || echo -hugetlb >"$controlled"
}

huge_with_none() {
	with_pages 0
	same 'sealed, on ordinary pages' "$("$tmp/huge")"
}

huge_with_some() {
	with_pages 4
	same 'sealed, on huge pages' "$("$tmp/huge")"
	# A hostile peer has some, too.
	"$tmp/test-recipes"
}

# As a container has it that may use none.
huge_in_a_cgroup() {
	root=/sys/fs/cgroup/hugetlb
	limit=limit_in_bytes
	for version2 in /sys/fs/cgroup /sys/fs/cgroup/unified; do
		grep -qs hugetlb $version2/cgroup.controllers || continue
		root=$version2
		limit=max
	done
	[ -w $root ] || cannot 'no hugetlb controller'
	with_pages 4
	if [ $limit = max ] && ! grep -q hugetlb $root/cgroup.subtree_control; then
		echo +hugetlb >$root/cgroup.subtree_control
		controlled=$root/cgroup.subtree_control
	fi
	group=$root/libmemfd-$$
	mkdir "$group"
	echo 0 >"$group/hugetlb.2MB.$limit"
	same 'sealed, on ordinary pages' \
		"$(sh -c "echo \$\$ >$group/cgroup.procs && exec $tmp/huge")"
	# It has tried.
	cat "$group"/hugetlb.2MB.events "$group"/hugetlb.2MB.failcnt \
		2>/dev/null | grep '[1-9]'
}

cell self_through_ld_so
cell self_as_another_user
for level in 0 1 2; do
	cell self_under_memfd_noexec $level
done
cell huge_with_none
cell huge_with_some
cell huge_in_a_cgroup
done_testing
