/* SPDX-License-Identifier: MIT */

/*
 * Huge pages where there are some to be had, and ordinary pages elsewhere: on a
 * machine without, where others have taken them, and in a container that may
 * have none.
 *
 * cc huge.c $(pkg-config --cflags --libs libmemfd)
 */

#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "recipes.h"

#define SIZE ((size_t)2 << 20)

int main(void)
{
	struct statfs fs;
	void *map;
	int fd;

	map = map_huge(SIZE, &fd);
	if (map == MAP_FAILED || fstatfs(fd, &fs) < 0)
		err(1, "map_huge");
	memset(map, 1, SIZE);

	/* The content is complete: seal it as well. */
	munmap(map, SIZE);
	if (memfd_seal(fd, MEMFD_SEAL_WRITE | MEMFD_SEAL_SEAL) < 0)
		err(1, "memfd_seal");
	printf("sealed, on %s pages\n",
	       fs.f_type == 0x01021994 ? "ordinary" : "huge");
	return 0;
}
