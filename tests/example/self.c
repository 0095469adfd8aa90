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
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <memfd.h>

/* Return in a process that runs from a sealed copy. */
static void run_from_sealed_copy(char **argv)
{
	int exe, fd;

	exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (exe < 0)
		err(1, "/proc/self/exe");
	if (memfd_check_seals(exe, MEMFD_SEAL_IMMUTABLE) == 0) {
		close(exe);
		return;
	}
	fd = memfd_new_sealed_copy("self", MEMFD_EXEC, exe, SIZE_MAX);
	if (fd < 0)
		err(1, "memfd_new_sealed_copy");
	fexecve(fd, argv, environ);
	err(1, "fexecve");
}

int main(int argc, char **argv)
{
	(void)argc;
	run_from_sealed_copy(argv);
	printf("running from a sealed copy\n");
	return 0;
}
