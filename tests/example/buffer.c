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

/* The client. Returns the pixels or, on error, MAP_FAILED; then *fd is -1. */
static void *new_buffer(size_t size, int *fd)
{
	void *map;

	*fd = memfd_new_sized("buffer", 0, size,
			      MEMFD_SEAL_SHRINK | MEMFD_SEAL_SEAL);
	if (*fd < 0)
		return MAP_FAILED;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (map == MAP_FAILED) {
		close(*fd);
		*fd = -1;
	}
	return map;
}

/*
 * The compositor. Returns MAP_FAILED on error: EPERM if the file can get
 * shorter, EINVAL if it is too short, or a file that cannot have seals.
 */
static const void *map_buffer(int fd, size_t size)
{
	struct stat st;

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

static void expect_refusal(const char *what, int refused)
{
	if (!refused)
		errx(1, "%s: it worked, and should not have", what);
	warn("%s: refused, as it should be", what);
}

static void compositor(int fd)
{
	const unsigned int *pixels = map_buffer(fd, SIZE);
	int other;

	if (pixels == MAP_FAILED)
		err(1, "map_buffer");
	printf("first pixel: %#x\n", pixels[0]);

	expect_refusal("to map more than there is",
		       map_buffer(fd, 2 * SIZE) == MAP_FAILED);
	expect_refusal("to seal the client's buffer",
		       memfd_seal(fd, MEMFD_SEAL_GROW) < 0);
	other = memfd_new_sized("buffer", MEMFD_ALLOW_SEALING, SIZE, 0);
	expect_refusal("to map a buffer that can shrink",
		       map_buffer(other, SIZE) == MAP_FAILED);
}

int main(void)
{
	unsigned int *pixels;
	int fd, status;

	pixels = new_buffer(SIZE, &fd);
	if (pixels == MAP_FAILED)
		err(1, "new_buffer");
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
	expect_refusal("to shrink the buffer", ftruncate(fd, 0) < 0);
	if (ftruncate(fd, 2 * SIZE) < 0)
		err(1, "to enlarge the buffer");
	return 0;
}
