/* SPDX-License-Identifier: MIT */

/*
 * Make each call once, between two lines on standard output: the call before,
 * "end" after. count.py counts what happens in between.
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

#define COUNT(call) (mark(#call "\n"), ended(call))
#define COUNT_NEW(call) close(COUNT(call))

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

	COUNT_NEW(memfd_new("", 0));
	COUNT_NEW(memfd_new("", MEMFD_ALLOW_SEALING));
	COUNT_NEW(memfd_new("", MEMFD_EXEC));
	COUNT_NEW(memfd_new("", MEMFD_NOEXEC_SEAL));
	COUNT_NEW(memfd_new_str("", "exec"));
	COUNT_NEW(memfd_new_sized("", 0, 64, MEMFD_SEAL_SHRINK));
	COUNT_NEW(memfd_new_sized("", 0, 64, 0));
	COUNT_NEW(memfd_new_sized("", MEMFD_ALLOW_SEALING, 64, 0));
	COUNT_NEW(memfd_new_sealed("", 0, data, 0));
	COUNT_NEW(memfd_new_sealed("", 0, data, 64));
	fd = memfd_new_sealed("", 0, data, 64);
	COUNT_NEW(memfd_new_sealed_copy("", 0, fd, 64));
	close(fd);

	fd = memfd_new("", MEMFD_ALLOW_SEALING);
	COUNT(memfd_seal(fd, MEMFD_SEAL_IMMUTABLE));
	COUNT(memfd_get_seals(fd));
	COUNT(memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE));
	COUNT(memfd_get_seals_str(fd, text, sizeof(text)));
	COUNT(memfd_check_seals_str(fd, "immutable"));
	close(fd);

	COUNT(memfd_parse_flags("allow-sealing", &flags, NULL));
	COUNT(memfd_format_seals(0x0e, text, sizeof(text)));
	return 0;
}
