/* SPDX-License-Identifier: MIT */

/* Create and seal. */

#include "syscalls.h"

#include <errno.h>

#include "memfd.h"

/* The most that one write moves on any kernel: see write(2), NOTES. */
#define WRITE_MAX 0x7ffff000

#define EXEC_FLAGS ((unsigned int)(MEMFD_EXEC | MEMFD_NOEXEC_SEAL))

/* Not inline: calls that succeed should not make room for what these keep. */
#define COLD __attribute__((cold, noinline))

COLD static int refuse(int err)
{
	errno = err;
	return -1;
}

/*
 * Close a descriptor that the caller never saw, and fail with err. close(2) is
 * a cancellation point: a thread that ended in it would leak the descriptor.
 */
COLD static int discard(int fd, int err)
{
	int cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	close(fd);
	pthread_setcancelstate(cancel, NULL);
	return refuse(err);
}

/*
 * A kernel without the exec flags (before Linux 6.3) refuses them with EINVAL,
 * and is asked without them, and without no other. All that it makes is
 * executable, with mode 0777.
 */
COLD static int new_without_exec_flags(const char *name, unsigned int flags,
				       int saved)
{
	int fd;

	if (errno != EINVAL || flags & MEMFD_NOEXEC_SEAL)
		return -1;
	fd = sys_memfd_create(name, flags & ~EXEC_FLAGS);
	if (fd < 0)
		return -1;
	/*
	 * Sealed by vm.memfd_noexec: the kernel knows the flags, a sandbox does
	 * not. The file is not executable, and open for sealing.
	 */
	if ((flags & (MEMFD_EXEC | MEMFD_ALLOW_SEALING)) !=
		    MEMFD_ALLOW_SEALING &&
	    memfd_check_seals(fd, MEMFD_SEAL_EXEC) == 0)
		return discard(fd, EINVAL);
	if (!(flags & MEMFD_EXEC) && fchmod(fd, 0666) < 0)
		return discard(fd, errno);
	errno = saved;
	return fd;
}

/*
 * A seal that is refused because it is there already is no error: kernels that
 * leave sealing closed with MFD_NOEXEC_SEAL were proposed in 2024.
 */
COLD static int keep_if_closed(int fd, int saved)
{
	int err = errno;

	if (memfd_check_seals(fd, MEMFD_SEAL_SEAL) < 0)
		return discard(fd, err);
	errno = saved;
	return fd;
}

int memfd_new(const char *name, unsigned int flags)
{
	int saved = errno;
	int fd;

	if (!(flags & MEMFD_INHERIT))
		flags |= MEMFD_CLOEXEC;
	else if (flags & MEMFD_CLOEXEC)
		return refuse(EINVAL);
	else
		flags ^= MEMFD_INHERIT;

	/* Always one of the two: then vm.memfd_noexec has nothing to decide. */
	fd = sys_memfd_create(
		name, flags & EXEC_FLAGS ? flags : flags | MEMFD_NOEXEC_SEAL);
	if (fd < 0)
		return new_without_exec_flags(name, flags, saved);

	/*
	 * MFD_NOEXEC_SEAL switches sealing on. Who asked for neither gets a
	 * file that no peer can seal.
	 */
	if (!(flags & (EXEC_FLAGS | MEMFD_ALLOW_SEALING)) &&
	    memfd_seal(fd, MEMFD_SEAL_SEAL) < 0)
		return keep_if_closed(fd, saved);
	return fd;
}

int memfd_seal(int fd, unsigned int seals)
{
	return fcntl(fd, F_ADD_SEALS, (unsigned long)seals);
}

int memfd_get_seals(int fd)
{
	return fcntl(fd, F_GET_SEALS);
}

int memfd_check_seals(int fd, unsigned int seals)
{
	int have = seals ? memfd_get_seals(fd) : refuse(EINVAL);

	/* Without this a refusal would pass: -1 has every bit. */
	if (have < 0)
		return -1;
	return seals & ~(unsigned int)have ? refuse(EPERM) : 0;
}

/* Returns 0, or the error that stopped it. */
static int fill(int fd, const char *data, size_t size)
{
	off64_t at = 0;

	while (size) {
		ssize_t n = pwrite64(fd, data,
				     size < WRITE_MAX ? size : WRITE_MAX, at);

		if (n > 0) {
			data += n;
			size -= (size_t)n;
			at += n;
		} else if (n == 0) {
			return EIO;
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

int memfd_new_sealed(const char *name, unsigned int flags, const void *data,
		     size_t size)
{
	int saved = errno;
	int cancel, err, fd;

	/* hugetlbfs has no write(2). */
	if (flags & MEMFD_HUGETLB)
		return refuse(EINVAL);
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
