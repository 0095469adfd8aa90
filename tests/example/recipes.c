/* SPDX-License-Identifier: MIT */

/*
 * The short recipes of libmemfd_recipes(7), each in a function of its own.
 *
 * cc recipes.c $(pkg-config --cflags --libs libmemfd)
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memfd.h>

/* Make sure that seals are set, whoever sets them. */
static int ensure_sealed(int fd, unsigned int seals)
{
	if (memfd_check_seals(fd, seals) == 0 || memfd_seal(fd, seals) == 0)
		return 0;
	return -1;
}

/* Create an immutable memfd, with content that is written in place. */
static int new_in_place(const char *text)
{
	size_t size = strlen(text);
	void *map;
	int fd;

	fd = memfd_new_sized("text", MEMFD_ALLOW_SEALING, size, 0);
	if (fd < 0)
		err(1, "memfd_new_sized");
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		err(1, "mmap");
	memcpy(map, text, size);
	munmap(map, size);
	if (memfd_seal(fd, MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE) < 0)
		err(1, "memfd_seal");
	return fd;
}

/* Create an immutable memfd for a receiver that adds seals itself. */
static int new_open_to_seals(const char *text)
{
	size_t size = strlen(text);
	int fd;

	fd = memfd_new("text", MEMFD_ALLOW_SEALING);
	if (fd < 0)
		err(1, "memfd_new");
	/* pwrite(2), unlike write(2), leaves the file offset at 0. */
	if (pwrite(fd, text, size, 0) != (ssize_t)size)
		err(1, "pwrite");
	if (memfd_seal(fd, MEMFD_SEAL_IMMUTABLE) < 0)
		err(1, "memfd_seal");
	return fd;
}

/* Set a newer seal where the kernel knows it. A refused call sets none. */
static int seal_with_newer(int fd, unsigned int seals, unsigned int newer)
{
	if (memfd_seal(fd, seals | newer) == 0)
		return 0;
	return errno == EINVAL ? memfd_seal(fd, seals) : -1;
}

/* Create a memfd whose memory is there: using it cannot raise SIGBUS. */
static int new_reserved(size_t size)
{
	int error, fd;

	fd = memfd_new_sized("buffer", 0, size, MEMFD_SEAL_SHRINK);
	if (fd < 0)
		return -1;
	do
		error = posix_fallocate(fd, 0, (off_t)size);
	while (error == EINTR);
	if (error) {
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void show(const char *what, int failed, int fd)
{
	char seals[MEMFD_SEALS_STRLEN];

	if (failed || memfd_get_seals_str(fd, seals, sizeof(seals)) < 0)
		err(1, "%s", what);
	printf("%s: %s\n", what, seals);
	close(fd);
}

int main(void)
{
	const unsigned int wanted = MEMFD_SEAL_IMMUTABLE | MEMFD_SEAL_SEAL;
	int fd;

	fd = new_in_place("hello");
	show("written in place", 0, fd);

	fd = memfd_new("text", MEMFD_ALLOW_SEALING);
	show("not sealed yet", ensure_sealed(fd, wanted), fd);
	fd = memfd_new_sealed("text", 0, "hello", 5);
	show("sealed already", ensure_sealed(fd, wanted), fd);

	fd = new_open_to_seals("hello");
	show("sealed by the receiver", memfd_seal(fd, wanted), fd);

	fd = memfd_new("ring", MEMFD_ALLOW_SEALING);
	show("a seal of Linux 5.1",
	     seal_with_newer(fd, MEMFD_SEAL_SHRINK, MEMFD_SEAL_FUTURE_WRITE),
	     fd);
	fd = memfd_new("ring", MEMFD_ALLOW_SEALING);
	show("a seal that no kernel knows yet",
	     seal_with_newer(fd, MEMFD_SEAL_SHRINK, 0x40000000), fd);

	fd = new_reserved(1 << 20);
	show("memory reserved", fd < 0, fd);
	return 0;
}
