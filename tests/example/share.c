/* SPDX-License-Identifier: MIT */

/*
 * Memory shared between processes that do not trust each other. A parent puts a
 * file's content into a sealed memfd and hands it to a child over a Unix
 * socket. The child believes nothing that it has not checked: what the seals
 * promise, it uses; what they don't, it refuses.
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

#ifndef SOURCE
#define SOURCE __FILE__
#endif

static void die(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* A descriptor travels beside a byte; see unix(7). */
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
	close(fd);
	/* The child has said what it thinks before the parent goes on. */
	if (read(sock, &byte, 1) != 1)
		exit(EXIT_FAILURE);
}

/* The next descriptor, or -1 when the parent has closed its end. */
static int receive_fd(int sock)
{
	char byte;
	union control control;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	/* With CMSG_SPACE there may be room for a second, which would leak. */
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

static void show_attempt(const char *what, int failed)
{
	printf("child:    %s: %s\n", what,
	       failed ? strerror(errno) : "it worked, which it should not");
}

/* Safe to use: neither its bytes nor its size can change any more. */
static void use(int fd)
{
	struct stat st;
	char *text;

	/* The size counts only from here on, after the seals were checked. */
	if (fstat(fd, &st) < 0)
		die("fstat");
	printf("child:    immutable, %lld bytes\n", (long long)st.st_size);
	if ((uintmax_t)st.st_size > SIZE_MAX)
		exit(EXIT_FAILURE);
	if (st.st_size > 0) {
		size_t size = (size_t)st.st_size;
		const char *newline;

		text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (text == MAP_FAILED)
			die("mmap");
		newline = memchr(text, '\n', size);
		printf("child:    its first line: ");
		fwrite(text, 1, newline ? (size_t)(newline - text) : size,
		       stdout);
		putchar('\n');
		munmap(text, size);
	}
	show_attempt("writing to it", pwrite(fd, "!", 1, 0) < 0);
	show_attempt("making it longer", ftruncate(fd, st.st_size + 1) < 0);
	show_attempt("mapping it writable",
		     mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
			     MAP_FAILED);
}

static void refuse(int fd)
{
	char seals[MEMFD_SEALS_STRLEN];

	if (errno == EINVAL)
		printf("child:    refused: this file cannot have seals\n");
	else if (memfd_get_seals_str(fd, seals, sizeof(seals)) < 0)
		die("memfd_get_seals_str");
	else
		printf("child:    refused: seals are missing, it has \"%s\"\n",
		       seals);
}

static void child(int sock)
{
	int fd;

	while ((fd = receive_fd(sock)) >= 0) {
		if (memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE) == 0)
			use(fd);
		else
			refuse(fd);
		close(fd);
		if (write(sock, "", 1) != 1)
			die("write");
	}
}

/* A sealed memfd with the content of a file. */
static int copy_sealed(const char *path)
{
	char seals[MEMFD_SEALS_STRLEN];
	struct stat st;
	void *data = NULL;
	int fd, file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0 || fstat(file, &st) < 0)
		die(path);
	if ((uintmax_t)st.st_size > SIZE_MAX) {
		errno = EFBIG;
		die(path);
	}
	if (st.st_size > 0)
		data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
			    file, 0);
	if (data == MAP_FAILED)
		die(path);
	close(file);
	fd = memfd_new_sealed("share", 0, data, (size_t)st.st_size);
	if (fd < 0)
		die("memfd_new_sealed");
	if (data)
		munmap(data, (size_t)st.st_size);
	if (memfd_get_seals_str(fd, seals, sizeof(seals)) < 0)
		die("memfd_get_seals_str");
	printf("parent: a copy of %s, sealed: %s\n", path, seals);
	return fd;
}

static int unsealed(void)
{
	int fd = memfd_new_str("share", "allow-sealing");

	if (fd < 0 || write(fd, "changeable", 10) != 10)
		die("memfd_new_str");
	printf("parent: the same kind of file, nothing promised\n");
	return fd;
}

static int pipe_end(void)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe2");
	close(ends[1]);
	printf("parent: a pipe\n");
	return ends[0];
}

int main(int argc, char **argv)
{
	int socks[2], status;
	pid_t pid;

	if (argc > 2) {
		fprintf(stderr, "usage: share [FILE]\n");
		return 2;
	}
	/* Two processes print here, in turns. */
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socks) < 0)
		die("socketpair");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		close(socks[0]);
		child(socks[1]);
		return 0;
	}
	close(socks[1]);
	send_fd(socks[0], copy_sealed(argc > 1 ? argv[1] : SOURCE));
	send_fd(socks[0], unsealed());
	send_fd(socks[0], pipe_end());
	close(socks[0]);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return EXIT_FAILURE;
	return 0;
}
