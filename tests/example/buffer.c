/* SPDX-License-Identifier: MIT */

/*
 * A buffer that one process draws and another shows, as Wayland clients and
 * compositors share them. The client can change the content at any time, but it
 * cannot cut the file off below the compositor's mapping, which would raise
 * SIGBUS there.
 *
 * cc buffer.c $(pkg-config --cflags --libs libmemfd)
 */

#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memfd.h>

#define SIZE ((size_t)640 * 480 * 4)

/* The client: create a buffer. It may grow later, but never shrink. */
static int buffer_new(size_t size)
{
	return memfd_new_sized("buffer", 0, size,
			       MEMFD_SEAL_SHRINK | MEMFD_SEAL_SEAL);
}

/* The compositor: map a buffer that is said to have size bytes. */
static const void *buffer_map(int fd, size_t size)
{
	struct stat st;

	/* First the seal: without it, the size may change at any time. */
	if (memfd_check_seals(fd, MEMFD_SEAL_SHRINK) < 0)
		return MAP_FAILED;
	if (fstat(fd, &st) < 0)
		return MAP_FAILED;
	if ((uintmax_t)st.st_size < size) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	return mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
}

static void compositor(int fd)
{
	const unsigned int *pixels;

	if (buffer_map(fd, SIZE + 1) != MAP_FAILED)
		errx(1, "a buffer larger than its file was mapped");
	pixels = buffer_map(fd, SIZE);
	if (pixels == MAP_FAILED)
		err(1, "buffer refused");
	printf("first pixel: %#x\n", pixels[0]);
}

int main(void)
{
	unsigned int *pixels;
	int fd, status;

	fd = buffer_new(SIZE);
	if (fd < 0)
		err(1, "memfd_new_sized");
	pixels = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (pixels == MAP_FAILED)
		err(1, "mmap");
	pixels[0] = 0xff8000;

	/* Here the descriptor is inherited; share.c passes it by a socket. */
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		compositor(fd);
		return 0;
	}
	if (wait(&status) < 0 || status != 0)
		return 1;
	return 0;
}
