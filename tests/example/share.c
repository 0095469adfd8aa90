/* SPDX-License-Identifier: MIT */

/*
 * Share memory with a process that does not trust this one.
 *
 * The sender, a parent process, sends four descriptors to the receiver, its
 * child, over a Unix socket: a message that cannot change, one that still can,
 * one that is too long, and a pipe. The receiver maps the first and refuses the
 * others.
 *
 * cc share.c $(pkg-config --cflags --libs libmemfd)
 */

#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <sys/wait.h>

#include "pass_fd.h"
#include "recipes.h"

#define TEXT "This text is shared, and nobody can change it any more."
/* The longest message that the receiver accepts, in bytes. */
#define MAX 4096

static void receiver(int sock)
{
	const char *text;
	size_t size;
	ssize_t n;
	char byte;
	int fd;

	while ((n = receive_fd(sock, &byte, 1, &fd)) > 0) {
		text = map_message(fd, MAX, &size);
		if (text == MAP_FAILED) {
			printf("receiver: refused, as it should be (%s)\n",
			       strerror(errno));
		} else {
			printf("receiver: the seals are there: content and "
			       "size are final\n");
			printf("receiver: reads \"%.*s\"\n", (int)size, text);
			munmap((void *)text, size);
		}
		close(fd);
		/* The sender waits for this byte. */
		if (write(sock, "", 1) != 1)
			err(1, "write");
	}
	if (n < 0)
		err(1, "receive_fd");
}

/* Send a descriptor, and wait until the receiver has dealt with it. */
static void hand_over(int sock, const char *what, int fd)
{
	char byte;

	if (fd < 0)
		err(1, "%s", what);
	printf("\nsender:   sends %s\n", what);
	if (send_fd(sock, "", 1, fd) != 1)
		err(1, "send_fd");
	if (read(sock, &byte, 1) != 1)
		errx(1, "the receiver has ended");
}

static void expect_refusal(const char *what, int refused)
{
	if (!refused)
		errx(1, "%s: it worked, and should not have", what);
	printf("sender:   %s: refused, as it should be (%s)\n", what,
	       strerror(errno));
}

static void sender(int sock)
{
	char seals[MEMFD_SEALS_STRLEN];
	int ends[2];
	int fd = new_message(TEXT, strlen(TEXT));

	if (fd < 0 || memfd_get_seals_str(fd, seals, sizeof(seals)) < 0)
		err(1, "new_message");
	printf("sender:   has sealed a message: %s\n", seals);
	hand_over(sock, "it", fd);
	expect_refusal("writes to it", pwrite(fd, "!", 1, 0) < 0);
	expect_refusal("makes it longer", ftruncate(fd, 1 << 20) < 0);
	expect_refusal("maps it for writing",
		       mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    0) == MAP_FAILED);
	close(fd);

	fd = memfd_new_sized("message", 0, MAX,
			     MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW);
	hand_over(sock, "a message that it can still change", fd);
	close(fd);

	fd = memfd_new_sized("message", 0, MAX + 1, MEMFD_SEAL_IMMUTABLE);
	hand_over(sock, "a message that is too long", fd);
	close(fd);

	if (pipe2(ends, O_CLOEXEC) < 0)
		err(1, "pipe2");
	hand_over(sock, "a pipe, which is no memfd at all", ends[0]);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	int socks[2], status;

	/* Two processes take turns to print. */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks) < 0)
		err(1, "socketpair");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		close(socks[0]);
		receiver(socks[1]);
		return 0;
	}
	close(socks[1]);
	sender(socks[0]);
	close(socks[0]);
	if (wait(&status) < 0 || status != 0)
		return 1;
	printf("\nThe receiver has used the file that nobody can change any "
	       "more, not even the\nsender, and has refused the other "
	       "three.\n");
	return 0;
}
