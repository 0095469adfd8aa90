#!/bin/busybox sh
# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# init.sh PROGRAM...: run test programs once for each value of vm.memfd_noexec,
# or each in $levels, in a PID namespace each, because the sysctl belongs to
# that. As the init of a virtual machine, it mounts the file systems that are in
# /images (each at /mnt and its name), and ends by switching that off; elsewhere
# it needs root or a user namespace. Lines that start with "@" are for
# kernels.py.

sysctl=/proc/sys/vm/memfd_noexec
if [ $$ = 1 ]; then
	# End the line that the firmware of a POWER machine leaves unfinished.
	echo
	/bin/busybox --install /bin
	export PATH=/bin
	mkdir -p /proc /sys /dev /tmp
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	# Terminals, and a directory of tmpfs.
	mkdir /dev/pts /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t tmpfs tmpfs /tmp
	# Without one of these, tests would be skipped: rather run none.
	for module in /modules/*; do
		insmod "$module" || poweroff -f
	done
	for image in /images/*; do
		type=${image##*/}
		mkdir -p "/mnt/$type"
		mount -o loop -t "$type" "$image" "/mnt/$type" || poweroff -f
	done
fi

# shellcheck disable=SC2016 # expanded by the shell that runs them
run='
	for program; do
		echo "@begin $level ${program##*/}"
		"$program"
		echo "@end $?"
	done'
as_root=
[ "$(id -u)" = 0 ] || as_root=--map-root-user
export level=-
if [ -e "$sysctl" ]; then
	for level in ${levels:-0 1 2}; do
		unshare $as_root --pid --fork --mount-proc \
			sh -c "echo $level >$sysctl || exit; $run" init "$@"
	done
else
	eval "$run"
fi
[ $$ != 1 ] || poweroff -f
