/* SPDX-License-Identifier: MIT */

/* A peer that sends what no honest one sends. */

#ifndef PEER_H
#define PEER_H

#include <string.h>
#include <sys/socket.h>

/* Send bytes, with the socket itself as often as that, 200 times at most. */
static inline ssize_t send_itself(int sock, const void *data, size_t bytes,
				  size_t count)
{
	char buf[CMSG_SPACE(200 * sizeof(int))] = { 0 };
	struct iovec iov = { (void *)data, bytes };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = buf,
			      .msg_controllen =
				      CMSG_SPACE(count * sizeof(int)) };
	const struct cmsghdr head = { .cmsg_len = CMSG_LEN(count * sizeof(int)),
				      .cmsg_level = SOL_SOCKET,
				      .cmsg_type = SCM_RIGHTS };

	memcpy(buf, &head, sizeof(head));
	while (count--)
		memcpy(buf + CMSG_LEN(count * sizeof(int)), &sock, sizeof(int));
	return sendmsg(sock, &msg, MSG_NOSIGNAL);
}

#endif
