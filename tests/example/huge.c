/* SPDX-License-Identifier: MIT */

/*
 * Huge pages where the machine has some to spare, and ordinary pages elsewhere.
 *
 * cc huge.c $(pkg-config --cflags --libs libmemfd)
 */

#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memfd.h>

/* A multiple of the huge page size. */
#define SIZE ((size_t)2 << 20)

/* Returns a mapping of SIZE bytes, and its memfd in *fd; or MAP_FAILED. */
static void *map_new(unsigned int flags, int *fd)
{
	void *data;

	*fd = memfd_new_sized("table", flags, SIZE,
			      MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW);
	if (*fd < 0)
		return MAP_FAILED;
	/* This is where a lack of huge pages shows: ENOMEM. */
	data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (data == MAP_FAILED)
		close(*fd);
	return data;
}

int main(void)
{
	void *data;
	int fd;

	data = map_new(MEMFD_HUGE_2MB, &fd);
	if (data == MAP_FAILED) {
		warn("no huge pages, using ordinary ones");
		data = map_new(0, &fd);
	}
	if (data == MAP_FAILED)
		err(1, "memfd");
	memset(data, 1, SIZE);

	/* The content is complete: seal it as well. */
	munmap(data, SIZE);
	if (memfd_seal(fd, MEMFD_SEAL_WRITE | MEMFD_SEAL_SEAL) < 0)
		err(1, "memfd_seal");
	printf("sealed\n");
	return 0;
}
