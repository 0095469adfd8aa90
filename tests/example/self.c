/* SPDX-License-Identifier: MIT */

/*
 * A program that runs from a sealed copy of its own executable, as container
 * runtimes do: a process inside the container that gets at /proc/PID/exe of the
 * runtime finds a file that cannot be changed.
 *
 * cc self.c $(pkg-config --cflags --libs libmemfd)
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <memfd.h>

/*
 * Returns 0 in a process that runs from a sealed copy, and does not return if
 * it could start one. Returns -1 on error: EACCES if vm.memfd_noexec is 2, or
 * if the user may not read the program, ENOTSUP if it was started by way of
 * ld.so, which is then what /proc/self/exe refers to.
 */
static int run_from_sealed_copy(char **argv)
{
	/* The first bytes of this program, as the linker calls them. */
	extern const ElfW(Ehdr) __ehdr_start;
	ElfW(Ehdr) start;
	int copy, exe;

	exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (exe < 0)
		return -1;
	if (memfd_check_seals(exe, MEMFD_SEAL_IMMUTABLE) == 0) {
		close(exe);
		return 0;
	}
	copy = memfd_new_sealed_copy("self", MEMFD_EXEC, exe, SIZE_MAX);
	close(exe);
	if (copy < 0)
		return -1;
	if (pread(copy, &start, sizeof(start), 0) != sizeof(start) ||
	    memcmp(&start, &__ehdr_start, sizeof(start)) != 0)
		errno = ENOTSUP;
	else
		fexecve(copy, argv, environ);
	close(copy);
	return -1;
}

int main(int argc, char **argv)
{
	(void)argc;
	if (run_from_sealed_copy(argv) < 0)
		err(1, "not running from a sealed copy");
	printf("running from a sealed copy\n");
	return 0;
}
