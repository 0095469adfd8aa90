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
#include <stdio.h>
#include <sys/wait.h>

#include "pass_fd.h"
#include "recipes.h"

#define WIDTH ((size_t)640)
#define HEIGHT ((size_t)480)
/* The largest buffer that the compositor accepts, in bytes. */
#define LARGEST ((size_t)64 << 20)

static void expect_refusal(const char *what, int refused)
{
	if (!refused)
		errx(1, "%s: it worked, and should not have", what);
	warn("%s: refused, as it should be", what);
}

static void compositor(int sock)
{
	const unsigned int *pixels;
	size_t size;
	int fd;

	/* In Wayland, too, the size comes along with the descriptor. */
	if (receive_fd(sock, &size, sizeof(size), &fd) != sizeof(size))
		errx(1, "no buffer has come");
	if (size > LARGEST)
		errx(1, "too large a buffer");
	pixels = map_buffer(fd, size);
	if (pixels == MAP_FAILED)
		err(1, "map_buffer");
	printf("first pixel: %#x\n", pixels[0]);

	expect_refusal("to seal the client's buffer",
		       memfd_seal(fd, MEMFD_SEAL_GROW) < 0);
}

int main(void)
{
	/* Whole pages, as a GPU needs them (udmabuf). */
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (WIDTH * HEIGHT * 4 + page - 1) / page * page;
	unsigned int *pixels;
	int socks[2], fd, status;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		err(1, "socketpair");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		close(socks[0]);
		compositor(socks[1]);
		return 0;
	}
	close(socks[1]);
	pixels = new_buffer(size, &fd);
	if (pixels == MAP_FAILED)
		err(1, "new_buffer");
	pixels[0] = 0xff8000;
	if (send_fd(socks[0], &size, sizeof(size), fd) < 0)
		err(1, "send_fd");
	if (wait(&status) < 0 || status != 0)
		return 1;
	expect_refusal("to shrink the buffer", ftruncate(fd, 0) < 0);
	if (ftruncate(fd, (off_t)(2 * size)) < 0)
		err(1, "to enlarge the buffer");
	return 0;
}
