/* SPDX-License-Identifier: MIT */

/*
 * Make each call once, between two lines on standard output: its name before,
 * "end" after. count.py counts what happens in between.
 *
 * With an argument, make only the calls that move that many bytes.
 */

#define _GNU_SOURCE 1

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memfd.h"

/* Seen by callgrind as a function, and by strace as a write. */
void mark(const char *what);

__attribute__((noinline)) void mark(const char *what)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%s\n", what);

	if (write(STDOUT_FILENO, line, (size_t)len) != len)
		exit(2);
}

/* Evaluates call between the marks, which must not fail. */
#define COUNT(name, call)                                                      \
	do {                                                                   \
		int result;                                                    \
                                                                               \
		mark(name);                                                    \
		result = (call);                                               \
		mark("end");                                                   \
		if (result < 0) {                                              \
			perror(name);                                          \
			return 1;                                              \
		}                                                              \
		last = result;                                                 \
	} while (0)

#define COUNT_NEW(name, call)                                                  \
	do {                                                                   \
		COUNT(name, call);                                             \
		close(last);                                                   \
	} while (0)

static int large(const char *bytes)
{
	size_t size = strtoul(bytes, NULL, 0);
	/* Pages of zeroes that are never read: they take no memory. */
	void *data = mmap(NULL, size, PROT_READ,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	char name[64];
	int last, source;

	if (data == MAP_FAILED)
		return 1;
	snprintf(name, sizeof(name), "memfd_new_sealed, %s bytes", bytes);
	COUNT_NEW(name, memfd_new_sealed("large", 0, data, size));
	/* Empty: strace pretends that there was something in it. */
	source = memfd_new("source", 0);
	snprintf(name, sizeof(name), "memfd_new_sealed_copy, %s bytes", bytes);
	COUNT_NEW(name, memfd_new_sealed_copy("large", 0, source, size));
	return 0;
}

int main(int argc, char **argv)
{
	static const char data[64] = "64 bytes";
	char text[MEMFD_SEALS_STRLEN];
	unsigned int number;
	int fd, last;

	/* Where the flags are not known, all costs are others. */
	if (syscall(SYS_memfd_create, NULL, MEMFD_NOEXEC_SEAL) < 0 &&
	    errno == EINVAL)
		return 77;
	if (argc > 1)
		return large(argv[1]);

	COUNT_NEW("memfd_new", memfd_new("buf", 0));
	COUNT_NEW("memfd_new, inherit", memfd_new("buf", MEMFD_INHERIT));
	COUNT_NEW("memfd_new, allow-sealing",
		  memfd_new("buf", MEMFD_ALLOW_SEALING));
	COUNT_NEW("memfd_new, exec", memfd_new("buf", MEMFD_EXEC));
	COUNT_NEW("memfd_new, noexec-seal",
		  memfd_new("buf", MEMFD_NOEXEC_SEAL));
	COUNT_NEW("memfd_new_sealed, 0 bytes",
		  memfd_new_sealed("buf", 0, NULL, 0));
	COUNT_NEW("memfd_new_sealed, 64 bytes",
		  memfd_new_sealed("buf", 0, data, sizeof(data)));
	fd = memfd_new_sealed("source", 0, data, sizeof(data));
	COUNT_NEW("memfd_new_sealed_copy, 64 bytes",
		  memfd_new_sealed_copy("buf", 0, fd, sizeof(data)));
	close(fd);
	COUNT_NEW("memfd_new_sized, shrink",
		  memfd_new_sized("buf", 0, 4096, MEMFD_SEAL_SHRINK));
	COUNT_NEW("memfd_new_sized", memfd_new_sized("buf", 0, 4096, 0));
	COUNT_NEW("memfd_new_sized, allow-sealing",
		  memfd_new_sized("buf", MEMFD_ALLOW_SEALING, 4096, 0));
	COUNT_NEW("memfd_new_str, allow-sealing",
		  memfd_new_str("buf", "allow-sealing"));

	fd = memfd_new("buf", MEMFD_ALLOW_SEALING);
	COUNT("memfd_seal", memfd_seal(fd, MEMFD_SEAL_IMMUTABLE));
	COUNT("memfd_get_seals", memfd_get_seals(fd));
	COUNT("memfd_check_seals", memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE));
	close(fd);

	COUNT("memfd_parse_flags, allow-sealing",
	      memfd_parse_flags("allow-sealing", &number, NULL));
	COUNT("memfd_parse_flags, three C constants",
	      memfd_parse_flags("MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_HUGE_2MB",
				&number, NULL));
	COUNT("memfd_parse_seals, shrink,grow,write",
	      memfd_parse_seals("shrink,grow,write", &number, NULL));
	COUNT("memfd_format_seals, 0x0e",
	      memfd_format_seals(0x0e, text, sizeof(text)));
	COUNT("memfd_format_seals, 0xffffffff",
	      memfd_format_seals(0xffffffff, text, sizeof(text)));
	return 0;
}
