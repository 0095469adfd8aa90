/* SPDX-License-Identifier: MIT */

/* Create and seal. */

#include "syscalls.h"

#include <errno.h>

#include "memfd.h"

/* The most that one write moves on any kernel: see write(2), NOTES. */
#define WRITE_MAX 0x7ffff000

#define EXEC_FLAGS ((unsigned int)(MEMFD_EXEC | MEMFD_NOEXEC_SEAL))

/*
 * Close a descriptor that the caller never saw, and fail with err. close(2) is
 * a cancellation point: a thread that ended in it would leak the descriptor.
 */
static int discard(int fd, int err)
{
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	close(fd);
	pthread_setcancelstate(cancel, NULL);
	errno = err;
	return -1;
}

/*
 * A kernel without the exec flags (before Linux 6.3) is asked without them,
 * and without no other. All that it makes is executable, with mode 0777.
 */
static int new_before_exec_flags(const char *name, unsigned int flags)
{
	int fd = sys_memfd_create(name, flags & ~EXEC_FLAGS);

	if (fd >= 0 && !(flags & MEMFD_EXEC) && fchmod(fd, 0666) < 0)
		return discard(fd, errno);
	return fd;
}

/*
 * MFD_NOEXEC_SEAL switches sealing on. Who did not ask for that gets a file
 * that no peer can seal. A kernel that leaves it closed, as was proposed in
 * 2024, refuses the seal that it has.
 */
static int close_sealing(int fd)
{
	if (memfd_seal(fd, MEMFD_SEAL_SEAL) < 0) {
		int err = errno;

		if (memfd_check_seals(fd, MEMFD_SEAL_SEAL) < 0)
			return discard(fd, err);
	}
	return fd;
}

int memfd_new(const char *name, unsigned int flags)
{
	unsigned int ask = flags & ~(unsigned int)MEMFD_INHERIT;
	int saved = errno;
	int fd;

	if (!(flags & MEMFD_INHERIT)) {
		ask |= MEMFD_CLOEXEC;
	} else if (flags & MEMFD_CLOEXEC) {
		errno = EINVAL;
		return -1;
	}
	/* Always one of the two: then vm.memfd_noexec has nothing to decide. */
	if (!(flags & EXEC_FLAGS))
		ask |= MEMFD_NOEXEC_SEAL;

	fd = sys_memfd_create(name, ask);
	if (fd < 0 && errno == EINVAL && !(flags & MEMFD_NOEXEC_SEAL))
		fd = new_before_exec_flags(name, ask);
	else if (fd >= 0 && !(flags & (EXEC_FLAGS | MEMFD_ALLOW_SEALING)))
		fd = close_sealing(fd);
	if (fd >= 0)
		errno = saved;
	return fd;
}

int memfd_seal(int fd, unsigned int seals)
{
	return fcntl(fd, F_ADD_SEALS, (unsigned long)seals);
}

int memfd_get_seals(int fd)
{
	return fcntl(fd, F_GET_SEALS, 0UL);
}

int memfd_check_seals(int fd, unsigned int seals)
{
	int have;

	if (!seals) {
		errno = EINVAL;
		return -1;
	}
	/* A refusal is -1, and -1 has every bit. */
	have = memfd_get_seals(fd);
	if (have < 0)
		return -1;
	if (seals & ~(unsigned int)have) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

/* Returns 0, or the error that stopped it. */
static int fill(int fd, const char *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t left = size - done;
		ssize_t n = pwrite64(fd, data + done,
				     left < WRITE_MAX ? left : WRITE_MAX,
				     (off64_t)done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0)
			return EIO;
		else if (errno != EINTR)
			return errno;
	}
	return 0;
}

int memfd_new_sealed(const char *name, unsigned int flags, const void *data,
		     size_t size)
{
	int saved = errno;
	int cancel, err, fd;

	/* hugetlbfs has no write(2). */
	if (flags & MEMFD_HUGETLB) {
		errno = EINVAL;
		return -1;
	}
	fd = memfd_new(name, flags | MEMFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;

	/* pwrite(2) is a cancellation point, as close(2) is. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	err = fill(fd, data, size);
	pthread_setcancelstate(cancel, NULL);
	if (err)
		return discard(fd, err);
	if (memfd_seal(fd, MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE) < 0)
		return discard(fd, errno);
	errno = saved;
	return fd;
}
