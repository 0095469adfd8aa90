// SPDX-License-Identifier: MIT
/* The file of a cursor theme, which grows when more cursors are loaded. */
#include <errno.h>
#include <memfd.h>
#include <unistd.h>
#include "os-compatibility.h"

int os_create_anonymous_file_without_memfd(off_t size);

int os_create_anonymous_file(off_t size)
{
	int fd = memfd_new_sized("wayland-cursor", 0, (size_t)size,
				 MEMFD_SEAL_SHRINK | MEMFD_SEAL_SEAL);

	if (fd < 0 && errno == ENOSYS)
		return os_create_anonymous_file_without_memfd(size);
	/* This one reserves the memory. */
	if (fd >= 0 && os_resize_anonymous_file(fd, size) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}
