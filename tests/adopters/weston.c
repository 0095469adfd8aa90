// SPDX-License-Identifier: MIT
/*
 * Weston's files: buffers that a client shares with the compositor, and keymaps
 * that the compositor sends to many clients.
 */
#include <errno.h>
#include <memfd.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include "os-compatibility.h"

struct ro_anonymous_file {
	int fd;
	size_t size;
};

int os_create_anonymous_file_without_memfd(off_t size);

int os_create_anonymous_file(off_t size)
{
	int fd = memfd_new_sized("weston-shared", 0, (size_t)size,
				 MEMFD_SEAL_SHRINK);

	if (fd < 0 && errno == ENOSYS)
		return os_create_anonymous_file_without_memfd(size);
	if (fd >= 0) {
		int error = posix_fallocate(fd, 0, size);

		if (error) {
			close(fd);
			errno = error;
			fd = -1;
		}
	}
	return fd;
}

/* A file that the receiver may change without anybody else seeing it. */
static int copy(const void *data, size_t size)
{
	int fd = os_create_anonymous_file((off_t)size);

	if (fd >= 0 && pwrite(fd, data, size, 0) != (ssize_t)size) {
		close(fd);
		errno = EIO;
		fd = -1;
	}
	return fd;
}

struct ro_anonymous_file *os_ro_anonymous_file_create(size_t size,
						      const char *data)
{
	struct ro_anonymous_file *file = malloc(sizeof(*file));

	if (!file)
		return NULL;
	file->size = size;
	file->fd = memfd_new_sealed("weston-shared", 0, data, size);
	if (file->fd < 0 && errno == ENOSYS)
		file->fd = copy(data, size);
	if (file->fd < 0) {
		free(file);
		return NULL;
	}
	return file;
}

void os_ro_anonymous_file_destroy(struct ro_anonymous_file *file)
{
	close(file->fd);
	free(file);
}

size_t os_ro_anonymous_file_size(struct ro_anonymous_file *file)
{
	return file->size;
}

int os_ro_anonymous_file_get_fd(struct ro_anonymous_file *file,
				enum ro_anonymous_file_mapmode mapmode)
{
	void *data;
	int fd;

	if (mapmode == RO_ANONYMOUS_FILE_MAPMODE_PRIVATE &&
	    memfd_check_seals(file->fd, MEMFD_SEAL_IMMUTABLE) == 0)
		return file->fd;
	/* Kernels before 6.7 refuse a shared mapping of the sealed one. */
	data = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, file->fd, 0);
	if (data == MAP_FAILED)
		return -1;
	fd = copy(data, file->size);
	munmap(data, file->size);
	return fd;
}

int os_ro_anonymous_file_put_fd(int fd)
{
	if (memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE) == 0)
		return 0;
	if (errno != EPERM && errno != EINVAL)
		return -1;
	close(fd);
	return 0;
}
