/* SPDX-License-Identifier: MIT */

/*
 * The short recipes of libmemfd_recipes(7), used. The functions themselves are
 * in recipes.h.
 *
 * cc recipes.c $(pkg-config --cflags --libs libmemfd)
 */

#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <sys/wait.h>

#include "recipes.h"

static void show(const char *what, int failed, int fd)
{
	char seals[MEMFD_SEALS_STRLEN];

	if (failed || memfd_get_seals_str(fd, seals, sizeof(seals)) < 0)
		err(1, "%s", what);
	printf("%s: %s\n", what, seals);
	fflush(stdout);
	close(fd);
}

/* What a program prints that gets text from us as its descriptor 3. */
static void show_program(void)
{
	char *cat[] = { (char *)"sh", (char *)"-c", (char *)"cat <&3", NULL };
	int fd = memfd_new_sealed("text", 0, "descriptor 3\n", 13);

	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		exec_fd_3("/bin/sh", cat, fd);
		err(1, "exec_fd_3");
	}
	wait(NULL);
	close(fd);
}

int main(void)
{
	const unsigned int wanted = MEMFD_SEAL_IMMUTABLE | MEMFD_SEAL_SEAL;
	int ends[2], fd;

	fd = new_filled(5);
	show("written in place", fd < 0, fd);

	if (pipe2(ends, O_CLOEXEC) < 0 || write(ends[1], "hello", 5) != 5)
		err(1, "pipe");
	close(ends[1]);
	fd = new_from_pipe(ends[0], 5);
	show("from a pipe", fd < 0, fd);

	fd = memfd_new("text", MEMFD_ALLOW_SEALING);
	show("not sealed yet", ensure_sealed(fd, wanted), fd);
	fd = memfd_new_sealed("text", 0, "hello", 5);
	show("sealed already", ensure_sealed(fd, wanted), fd);

	fd = memfd_new("ring", MEMFD_ALLOW_SEALING);
	show("a seal of Linux 5.1",
	     seal_with_newer(fd, MEMFD_SEAL_SHRINK, MEMFD_SEAL_FUTURE_WRITE),
	     fd);
	fd = memfd_new("ring", MEMFD_ALLOW_SEALING);
	show("a seal that no kernel knows yet",
	     seal_with_newer(fd, MEMFD_SEAL_SHRINK, 0x40000000), fd);

	fd = memfd_new_sized("buffer", 0, 1 << 20, MEMFD_SEAL_SHRINK);
	show("memory reserved", reserve(fd, 1 << 20), fd);

	show_program();
	return 0;
}
