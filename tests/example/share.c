/* SPDX-License-Identifier: MIT */

/*
 * Share memory between two processes that do not trust each other.
 *
 * The sender, a parent process, sends three descriptors to the receiver, its
 * child, over a Unix socket: a sealed memfd, a memfd without seals, and a pipe.
 * The receiver checks the seals of each, uses the first and refuses the others.
 *
 * Usage: share [FILE]
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memfd.h>

/* The file to share if none is given. */
#ifndef MESSAGE
#define MESSAGE "message.txt"
#endif

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* unix(7) sends a descriptor as ancillary data, next to at least one byte. */
union control {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

static void send_fd(int sock, int fd)
{
	char byte = 0;
	union control control = { 0 };
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	if (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		die("sendmsg");
}

/* Returns -1 when the sender has closed its end of the socket. */
static int receive_fd(int sock)
{
	char byte;
	union control control;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	/*
	 * CMSG_LEN, because CMSG_SPACE may leave room for a second descriptor,
	 * which a hostile sender could make us leak.
	 */
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *cmsg;
	int fd;

	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) <= 0)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (!cmsg || cmsg->cmsg_level != SOL_SOCKET ||
	    cmsg->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	return fd;
}

/* Read a file whose content and size are final. */
static void use(int fd)
{
	struct stat st;
	size_t size, line;
	char *text, *newline;

	/* Only after the check of the seals can the size be relied upon. */
	if (fstat(fd, &st) < 0)
		die("fstat");
	printf("receiver: checks the seals: "
	       "content and size are final, it is safe to map\n");
	if (st.st_size == 0 || (uintmax_t)st.st_size > SIZE_MAX)
		return;
	size = (size_t)st.st_size;
	text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		die("mmap");
	newline = memchr(text, '\n', size);
	line = newline ? (size_t)(newline - text) : size;
	printf("receiver: reads \"%.*s\"\n", line < 60 ? (int)line : 60, text);
	munmap(text, size);
}

static void refuse(int fd)
{
	char missing[MEMFD_SEALS_STRLEN];
	int seals = memfd_get_seals(fd);

	if (seals < 0) {
		printf("receiver: refused, as it should be: "
		       "this file cannot have seals\n");
		return;
	}
	memfd_format_seals(MEMFD_SEAL_IMMUTABLE & ~(unsigned int)seals, missing,
			   sizeof(missing));
	printf("receiver: refused, as it should be: "
	       "the seals %s are missing\n",
	       missing);
}

static void receiver(int sock)
{
	int fd;

	while ((fd = receive_fd(sock)) >= 0) {
		if (memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE) == 0)
			use(fd);
		else
			refuse(fd);
		close(fd);
		/* The sender waits for this byte. */
		if (write(sock, "", 1) != 1)
			die("write");
	}
}

/* Send a descriptor, and wait until the receiver has dealt with it. */
static void hand_over(int sock, int fd)
{
	char byte;

	send_fd(sock, fd);
	if (read(sock, &byte, 1) != 1)
		exit(EXIT_FAILURE);
}

static void expect_refusal(const char *what, int refused)
{
	if (!refused) {
		printf("sender:   %s: it worked, and should not have\n", what);
		exit(EXIT_FAILURE);
	}
	printf("sender:   %s: refused, as it should be (%s)\n", what,
	       strerror(errno));
}

static void send_sealed(int sock, const char *path)
{
	const char *slash = strrchr(path, '/');
	char seals[MEMFD_SEALS_STRLEN];
	int fd, file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		die(path);
	fd = memfd_new_sealed_copy("share", 0, file, SIZE_MAX);
	if (fd < 0)
		die("memfd_new_sealed_copy");
	close(file);
	if (memfd_get_seals_str(fd, seals, sizeof(seals)) < 0)
		die("memfd_get_seals_str");
	printf("sender:   sends a copy of %s, sealed: %s\n",
	       slash ? slash + 1 : path, seals);
	if (memfd_check_seals(fd, MEMFD_SEAL_EXEC) == 0)
		printf("          (exec: never executable, "
		       "which is the default since Linux 6.3)\n");
	hand_over(sock, fd);

	expect_refusal("writes to it", pwrite(fd, "!", 1, 0) < 0);
	expect_refusal("makes it longer", ftruncate(fd, 1 << 20) < 0);
	expect_refusal("maps it for writing",
		       mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			    0) == MAP_FAILED);
	close(fd);
}

static void send_unsealed(int sock)
{
	int fd = memfd_new("share", MEMFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, "changeable", 10) != 10)
		die("memfd_new");
	printf("\nsender:   sends a memfd that is not sealed\n");
	hand_over(sock, fd);
	close(fd);
}

static void send_pipe(int sock)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe2");
	printf("\nsender:   sends a pipe, which is no memfd at all\n");
	hand_over(sock, ends[0]);
	close(ends[0]);
	close(ends[1]);
}

int main(int argc, char **argv)
{
	int socks[2], status;
	pid_t pid;

	if (argc > 2) {
		fprintf(stderr, "usage: share [FILE]\n");
		return 2;
	}
	/* Two processes take turns to print. */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks) < 0)
		die("socketpair");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(socks[0]);
		receiver(socks[1]);
		return 0;
	}
	close(socks[1]);
	send_sealed(socks[0], argc > 1 ? argv[1] : MESSAGE);
	send_unsealed(socks[0]);
	send_pipe(socks[0]);
	close(socks[0]);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return EXIT_FAILURE;
	printf("\nThe receiver has used the file that nobody can change any "
	       "more, not even the\nsender, and has refused the other two.\n");
	return 0;
}
