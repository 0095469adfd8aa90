/* SPDX-License-Identifier: MIT */

/*
 * Make each call once, between two lines on standard output: its limits and the
 * call before, "end" after. count.py counts what happens in between.
 */

#define _GNU_SOURCE 1

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memfd.h"

/* Seen by callgrind as a function, and by strace as a write. */
void mark(const char *what);

__attribute__((noinline)) void mark(const char *what)
{
	size_t len = strlen(what);

	if (write(STDOUT_FILENO, what, len) != (ssize_t)len)
		exit(2);
}

static int ended(int result)
{
	int err = errno;

	mark("end\n");
	if (result >= 0)
		return result;
	fprintf(stderr, "%s\n", strerror(err));
	exit(1);
}

/*
 * The most instructions of the library itself, for gcc on x86-64 (those of libc
 * do not count); and exactly this many system calls. Which these are, and how
 * they divide what is too large for one, tests/unit holds.
 */
#define COUNT(most, exactly, call)                                             \
	(mark(#most " " #exactly " " #call "\n"), ended(call))
#define COUNT_NEW(most, exactly, call) close(COUNT(most, exactly, call))

int main(void)
{
	static const char data[64] = "64 bytes";
	char text[MEMFD_SEALS_STRLEN];
	unsigned int flags;
	int fd;

	/* Where the flags are not known, all costs are others. */
	if (syscall(SYS_memfd_create, NULL, MEMFD_NOEXEC_SEAL) < 0 &&
	    errno == EINVAL)
		return 77;

	COUNT_NEW(50, 2, memfd_new("", 0));
	COUNT_NEW(50, 1, memfd_new("", MEMFD_ALLOW_SEALING));
	COUNT_NEW(50, 1, memfd_new("", MEMFD_EXEC));
	COUNT_NEW(50, 1, memfd_new("", MEMFD_NOEXEC_SEAL));
	COUNT_NEW(400, 1, memfd_new_str("", "exec"));
	COUNT_NEW(120, 3, memfd_new_sized("", 0, 64, MEMFD_SEAL_SHRINK));
	COUNT_NEW(120, 3, memfd_new_sized("", 0, 64, 0));
	COUNT_NEW(120, 2, memfd_new_sized("", MEMFD_ALLOW_SEALING, 64, 0));
	COUNT_NEW(900, 3, memfd_new_sized_str("", "exec", 64, "grow"));
	COUNT_NEW(160, 2, memfd_new_sealed("", 0, data, 0));
	COUNT_NEW(160, 3, memfd_new_sealed("", 0, data, 64));
	COUNT_NEW(550, 3, memfd_new_sealed_str("", "exec", data, 64));
	fd = memfd_new_sealed("", 0, data, 64);
	COUNT_NEW(170, 5, memfd_new_sealed_copy("", 0, fd, 64));
	COUNT_NEW(550, 5, memfd_new_sealed_copy_str("", "exec", fd, 64));
	close(fd);

	fd = memfd_new("", MEMFD_ALLOW_SEALING);
	COUNT(15, 1, memfd_seal(fd, MEMFD_SEAL_IMMUTABLE));
	COUNT(500, 1, memfd_seal_str(fd, "immutable"));
	COUNT(25, 1, memfd_get_seals(fd));
	COUNT(40, 1, memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE));
	COUNT(500, 1, memfd_get_seals_str(fd, text, sizeof(text)));
	COUNT(500, 1, memfd_check_seals_str(fd, "immutable"));
	close(fd);

	COUNT(400, 0, memfd_parse_flags("allow-sealing", &flags, NULL));
	COUNT(450, 0, memfd_parse_seals("immutable", &flags, NULL));
	COUNT(300, 0, memfd_format_seals(0x0e, text, sizeof(text)));
	return 0;
}
