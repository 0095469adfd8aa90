/* SPDX-License-Identifier: MIT */

/*
 * Pass a descriptor to another process over a Unix socket. Copy the file, or
 * one of the two functions together with what is above them.
 */

#ifndef PASS_FD_H
#define PASS_FD_H

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* Room for one descriptor, aligned. */
union pass_fd {
	struct cmsghdr align;
	char buf[CMSG_SPACE(sizeof(int))];
};

/*
 * Send fd along with size bytes of data, at least one. The caller keeps fd, and
 * may close it at once. Returns the number of bytes that were sent (on a stream
 * that can be fewer than size; the descriptor goes with the first), or -1 with
 * errno set: EPIPE if the peer has closed its end, which raises no SIGPIPE;
 * EAGAIN if the socket does not block, and the peer does not read; ETOOMANYREFS
 * if too many descriptors are under way.
 */
static inline ssize_t send_fd(int sock, const void *data, size_t size, int fd)
{
	union pass_fd control = { .buf = { 0 } };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	ssize_t n;

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n;
}

/*
 * Receive at most size bytes of data, at least one, and the descriptor that
 * came along. Returns the number of bytes; then *fd is the descriptor, closed
 * on exec, or -1 if none came. Returns 0 if the peer has closed its end (or, on
 * a SOCK_SEQPACKET socket, has sent an empty message). Returns -1 with errno
 * set on error: EMSGSIZE if the message had more than one descriptor, or more
 * bytes than size, or if this process may not have another descriptor. Unless
 * data is returned, *fd is -1, and whatever came has been closed.
 *
 * Not for a socket with SO_PASSCRED or the like: it has room for one
 * descriptor.
 */
static inline ssize_t receive_fd(int sock, void *data, size_t size, int *fd)
{
	union pass_fd control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	/*
	 * CMSG_LEN, since CMSG_SPACE may leave room for a second descriptor.
	 * The kernel closes those that do not fit, and sets MSG_CTRUNC.
	 */
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *cmsg;
	ssize_t n;

	*fd = -1;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	cmsg = CMSG_FIRSTHDR(&msg);
	if (cmsg && cmsg->cmsg_level == SOL_SOCKET &&
	    cmsg->cmsg_type == SCM_RIGHTS &&
	    cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(cmsg), sizeof(int));
	if (n > 0 && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return n;
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = EMSGSIZE;
	return n > 0 ? -1 : 0;
}

#endif
