/* SPDX-License-Identifier: MIT */

/*
 * The functions of libmemfd_recipes(7), to copy: each stands for itself. They
 * print nothing and never exit; on error they set errno, and leave nothing open
 * or mapped.
 */

#ifndef RECIPES_H
#define RECIPES_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <memfd.h>

/* A message that cannot change, for its sender. Returns a descriptor, or -1. */
static inline int new_message(const void *data, size_t size)
{
	return memfd_new_sealed("message", 0, data, size);
}

/*
 * The same message, for its receiver. Returns MAP_FAILED on error:
 * EPERM if the message can still change, EFBIG if it has more than max bytes,
 * EINVAL if it is empty, on huge pages, or no file that can have seals.
 */
static inline const void *map_message(int fd, size_t max, size_t *size)
{
	struct statfs fs;
	struct stat st;

	if (memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE) < 0)
		return MAP_FAILED;
	/* The size is final only now. */
	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return MAP_FAILED;
	/* Not tmpfs: huge pages, and SIGBUS if none is free. */
	if (fs.f_type != 0x01021994) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	if ((uintmax_t)st.st_size > max) {
		errno = EFBIG;
		return MAP_FAILED;
	}
	*size = (size_t)st.st_size;
	return mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
}

/*
 * A buffer that both sides keep mapped, for its owner. Returns MAP_FAILED on
 * error; then *fd is -1.
 */
static inline void *new_buffer(size_t size, int *fd)
{
	void *p;

	*fd = memfd_new_sized("buffer", 0, size,
			      MEMFD_SEAL_SHRINK | MEMFD_SEAL_SEAL);
	if (*fd < 0)
		return MAP_FAILED;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (p == MAP_FAILED) {
		close(*fd);
		*fd = -1;
	}
	return p;
}

/*
 * The same buffer, for the other side. Returns MAP_FAILED on error: EPERM if
 * the file can get shorter, EINVAL if it is too short, on huge pages, or no
 * file that can have seals.
 */
static inline const void *map_buffer(int fd, size_t size)
{
	struct statfs fs;
	struct stat st;

	if (memfd_check_seals(fd, MEMFD_SEAL_SHRINK) < 0)
		return MAP_FAILED;
	if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
		return MAP_FAILED;
	/* Part of a huge page can be mapped, and not unmapped again. */
	if (fs.f_type != 0x01021994 || (uintmax_t)st.st_size < size) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	return mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
}

/*
 * A file that one process writes and others read, and that ftruncate(2) can
 * make longer, up to max bytes. Returns the mapping of the writer, max bytes
 * long, or MAP_FAILED; then *fd is -1.
 */
static inline void *new_log(size_t size, size_t max, int *fd)
{
	unsigned int seals = MEMFD_SEAL_FUTURE_WRITE | MEMFD_SEAL_SEAL;
	void *p;

	*fd = memfd_new_sized("log", 0, size, MEMFD_SEAL_SHRINK);
	if (*fd < 0)
		return MAP_FAILED;
	p = mmap(NULL, max, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (p != MAP_FAILED && memfd_seal(*fd, seals) == 0)
		return p;
	if (p != MAP_FAILED)
		munmap(p, max);
	close(*fd);
	*fd = -1;
	return MAP_FAILED;
}

/* An immutable memfd of size bytes, filled in place. Returns a descriptor. */
static inline int new_filled(size_t size)
{
	unsigned char *p;
	size_t i;
	int fd;

	fd = memfd_new_sized("filled", MEMFD_ALLOW_SEALING, size, 0);
	if (fd < 0)
		return -1;
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		goto failed;
	for (i = 0; i < size; i++)
		p[i] = (unsigned char)i;
	/* As long as it is mapped, the seal fails: EBUSY. */
	munmap(p, size);
	if (memfd_seal(fd, MEMFD_SEAL_IMMUTABLE | MEMFD_SEAL_SEAL) < 0)
		goto failed;
	return fd;
failed:
	close(fd);
	return -1;
}

/*
 * An immutable memfd with all that can be read from a pipe, a socket or a
 * terminal. Returns a descriptor, or -1: EFBIG if there are more than max
 * bytes.
 */
static inline int new_from_pipe(int from, size_t max)
{
	char buf[16384];
	size_t size = 0;
	ssize_t n, done, put;
	int fd;

	fd = memfd_new("pipe", MEMFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	while ((n = read(from, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && (size_t)n > max - size) {
			errno = EFBIG;
			goto failed;
		}
		if (n < 0)
			goto failed;
		/* Unlike write(2), this leaves the file offset at 0. */
		for (done = 0; done < n; done += put) {
			put = pwrite(fd, buf + done, (size_t)(n - done),
				     (off_t)size + done);
			if (put < 0)
				goto failed;
		}
		size += (size_t)n;
	}
	if (memfd_seal(fd, MEMFD_SEAL_IMMUTABLE | MEMFD_SEAL_SEAL) < 0)
		goto failed;
	return fd;
failed:
	close(fd);
	return -1;
}

/*
 * Execute a program, after fork(2), with fd as its descriptor 3. Returns only
 * on error.
 */
static inline int exec_fd_3(const char *path, char *const argv[], int fd)
{
	/* dup2(2) clears close-on-exec, unless both are the same. */
	if (fd == 3 ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, 3) < 0)
		return -1;
	return execv(path, argv);
}

/*
 * Make sure that seals are set, whoever sets them, and when. Returns 0, or -1:
 * EPERM if they are not set and cannot be, else what memfd_seal(3) says.
 */
static inline int ensure_sealed(int fd, unsigned int seals)
{
	if (memfd_seal(fd, seals) == 0 ||
	    (errno == EPERM && memfd_check_seals(fd, seals) == 0))
		return 0;
	return -1;
}

/*
 * Set a newer seal where the kernel knows it; a refused call sets none. Returns
 * 0, or -1.
 */
static inline int seal_with_newer(int fd, unsigned int seals,
				  unsigned int newer)
{
	if (memfd_seal(fd, seals | newer) == 0)
		return 0;
	return errno == EINVAL ? memfd_seal(fd, seals) : -1;
}

/*
 * Allocate the memory of a file beforehand. Blocks signals meanwhile (on Linux,
 * for the calling thread alone). Returns 0, or -1: ENOSPC or ENOMEM
 * if there is not enough.
 */
static inline int reserve(int fd, size_t size)
{
	sigset_t all, old;
	int error;

	/* A signal would make older kernels start again. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	do
		error = posix_fallocate(fd, 0, (off_t)size);
	while (error == EINTR);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

/*
 * Memory to share: huge pages, or ordinary ones if there are none to be had.
 * size is a multiple of 2 MiB. Returns MAP_FAILED on error; then *fd is -1.
 */
static inline void *map_huge(size_t size, int *fd)
{
	static const unsigned int kinds[] = { MEMFD_HUGE_2MB, 0 };
	const unsigned int seals = MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW;
	void *map = MAP_FAILED;
	size_t i;

	for (i = 0; i < 2 && map == MAP_FAILED; i++) {
		*fd = memfd_new_sized("huge", kinds[i], size, seals);
		if (*fd < 0)
			continue;
		/* Without, mmap(2) may work, and SIGBUS follow. */
		if (reserve(*fd, size) == 0)
			map = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_SHARED, *fd, 0);
		if (map == MAP_FAILED) {
			close(*fd);
			*fd = -1;
		}
	}
	return map;
}

#endif
