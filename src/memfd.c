/* SPDX-License-Identifier: MIT */

/* Create memfds, seal them, and check their seals. */

#include "syscalls.h"

#include <errno.h>
#include <stdint.h>

#include "memfd.h"

/*
 * No write(2) or sendfile(2) transfers more bytes; where pages are larger than
 * 4 KiB, the most is up to 64 KiB less.
 */
#define TRANSFER_MAX 0x7ffff000

/*
 * Direct I/O (O_DIRECT) transfers whole sectors of a disk. Those of most disks
 * have up to BLOCK bytes. From others, with up to SECTOR_MAX, one sendfile(2)
 * can copy.
 */
#define BLOCK 4096
#define SECTOR_MAX 0x10000

#define EXEC_FLAGS ((unsigned int)(MEMFD_EXEC | MEMFD_NOEXEC_SEAL))

#define NOT_EXECUTABLE                                                         \
	(S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)

/* Kept out of line, so that a successful call saves no registers for these. */
#define COLD __attribute__((cold, noinline))

COLD static int refuse(int err)
{
	errno = err;
	return -1;
}

/*
 * Close a descriptor that has not been returned yet, and fail with err.
 * close(2) is a cancellation point, and a thread cancelled there would leak the
 * descriptor, so disable cancellation.
 *
 * cancel is initialised because pthread_setcancelstate does not set it with
 * glibc before 2.34 in a program without libpthread.
 */
COLD static int discard(int fd, int err)
{
	int cancel = PTHREAD_CANCEL_ENABLE;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	close(fd);
	pthread_setcancelstate(cancel, NULL);
	return refuse(err);
}

int memfd_new(const char *name, unsigned int flags)
{
	int saved = errno;
	int err, fd;

	if (flags & MEMFD_CLOEXEC && flags & MEMFD_INHERIT)
		return refuse(EINVAL);
	if (flags & MEMFD_INHERIT)
		flags &= ~(unsigned int)MEMFD_INHERIT;
	else
		flags |= MEMFD_CLOEXEC;

	/* With one of the exec flags, vm.memfd_noexec makes no difference. */
	fd = sys_memfd_create(
		name, flags & EXEC_FLAGS ? flags : flags | MEMFD_NOEXEC_SEAL);
	if (fd >= 0) {
		/*
		 * MFD_NOEXEC_SEAL, if it was added above, allows sealing. The
		 * caller did not ask for that, so close sealing again, or a
		 * peer could seal the file.
		 */
		if (flags & (EXEC_FLAGS | MEMFD_ALLOW_SEALING) ||
		    memfd_seal(fd, MEMFD_SEAL_SEAL) == 0)
			return fd;
		/*
		 * It does not matter if sealing is closed already, as by a
		 * kernel that was proposed in 2024.
		 */
		err = errno;
		if (memfd_check_seals(fd, MEMFD_SEAL_SEAL) < 0)
			return discard(fd, err);
		errno = saved;
		return fd;
	}

	/*
	 * Before Linux 6.3 the kernel refuses both exec flags with EINVAL. Try
	 * again without these two, but with all other flags. The new file is
	 * then executable.
	 */
	if (errno != EINVAL || flags & MEMFD_NOEXEC_SEAL)
		return -1;
	fd = sys_memfd_create(name, flags & ~EXEC_FLAGS);
	if (fd < 0)
		return -1;
	/*
	 * If the file has the exec seal now, this kernel knows the flags: a
	 * sandbox refused them, and vm.memfd_noexec added MFD_NOEXEC_SEAL. The
	 * file can be sealed and cannot be executed, which is right only for a
	 * caller that asked for both. If the sandbox does not tell the seals
	 * either, fail: the file may be wrong. (Files on huge pages have no
	 * seals before Linux 4.16.)
	 */
	if ((flags & (MEMFD_EXEC | MEMFD_ALLOW_SEALING)) !=
	    MEMFD_ALLOW_SEALING) {
		int seals = memfd_get_seals(fd);

		if (seals < 0) {
			if (!(flags & MEMFD_HUGETLB && errno == EINVAL))
				return discard(fd, errno);
		} else if (seals & MEMFD_SEAL_EXEC) {
			return discard(fd, EINVAL);
		}
	}
	if (!(flags & MEMFD_EXEC) && fchmod(fd, NOT_EXECUTABLE) < 0)
		return discard(fd, errno);
	errno = saved;
	return fd;
}

int memfd_seal(int fd, unsigned int seals)
{
	return fcntl(fd, F_ADD_SEALS, (unsigned long)seals);
}

int memfd_get_seals(int fd)
{
	int saved = errno;
	int seals;

	/* gVisor lets a peer set all bits, and -1 is no failure there. */
	errno = EINVAL;
	/* fcntl of musl reads an argument, whatever the command. */
	seals = fcntl(fd, F_GET_SEALS, 0UL);
	if (seals < 0)
		return -1;
	errno = saved;
	return seals;
}

int memfd_check_seals(int fd, unsigned int seals)
{
	int have = seals ? memfd_get_seals(fd) : refuse(EINVAL);

	/* -1 has every bit set, and would pass the test below. */
	if (have < 0)
		return -1;
	return seals & ~(unsigned int)have ? refuse(EPERM) : 0;
}

/*
 * The last step of functions that create a sealed memfd: add the seals. If that
 * fails, or if an earlier step failed with err, close the memfd.
 */
static int seal_or_discard(int fd, unsigned int seals, int err, int saved)
{
	if (!err && seals && memfd_seal(fd, seals) < 0)
		err = errno;
	if (err)
		return discard(fd, err);
	errno = saved;
	return fd;
}

int memfd_new_sized(const char *name, unsigned int flags, size_t size,
		    unsigned int seals)
{
	off64_t length = (off64_t)size;
	int saved = errno;
	int fd;

	fd = memfd_new(name, seals ? flags | MEMFD_ALLOW_SEALING : flags);
	if (fd < 0)
		return -1;
	/* A size that does not fit in off64_t has become negative. */
	if (length < 0)
		return discard(fd, EFBIG);
	while (ftruncate64(fd, length) < 0)
		if (errno != EINTR)
			return discard(fd, errno);
	return seal_or_discard(fd, seals, 0, saved);
}

/* Write size bytes to an empty file. Returns 0 or an error number. */
static int fill(int fd, const char *data, size_t size)
{
	off64_t at = 0;

	while (size) {
		size_t most = size < TRANSFER_MAX ? size : TRANSFER_MAX;
		ssize_t n = pwrite64(fd, data, most, at);

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
	int cancel = PTHREAD_CANCEL_ENABLE;
	int saved = errno;
	int err, fd;

	/* hugetlbfs has no write(2). */
	if (flags & MEMFD_HUGETLB)
		return refuse(EINVAL);
	fd = memfd_new(name, flags | MEMFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;

	/* pwrite(2) is a cancellation point, like close(2). */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	err = fill(fd, data, size);
	pthread_setcancelstate(cancel, NULL);
	return seal_or_discard(fd, MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE, err,
			       saved);
}

/*
 * Copy the whole of source to an empty file. Returns 0 or an error number.
 *
 * sendfile(2) is fast, but not the last word: it may stop before the end of the
 * file (FUSE with direct I/O), and its errors may only mean that it is not
 * supported (/proc) or not permitted (a sandbox). What pread(2) says is true.
 */
static int copy(int fd, int source, uint64_t max)
{
	/* Less stack than an aligned array takes. */
	char room[2 * BLOCK - 1];
	char *buf = room + (-(uintptr_t)room & (BLOCK - 1));
	off64_t at = 0;

	for (;;) {
		off64_t from = at;
		/* More than max, to notice a larger file, in whole sectors. */
		uint64_t most = max < TRANSFER_MAX - SECTOR_MAX
					? (max | (SECTOR_MAX - 1)) + 1
					: TRANSFER_MAX;
		ssize_t n = sendfile64(fd, source, &from, (size_t)most);

		if (n > 0) {
			if ((size_t)n > max)
				return EFBIG;
			max -= (size_t)n;
			at += n;
		}
		n = pread64(source, buf, BLOCK, at);
		if (n == 0)
			break;
		if (n > 0) {
			if ((size_t)n > max)
				return EFBIG;
			/* Moves the file offset on, as sendfile(2) does. */
			n = write(fd, buf, (size_t)n);
			if (n == 0)
				return EIO;
		}
		if (n > 0) {
			max -= (size_t)n;
			at += n;
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? errno : 0;
}

int memfd_new_sealed_copy(const char *name, unsigned int flags, int fd,
			  size_t max)
{
	int cancel = PTHREAD_CANCEL_ENABLE;
	int saved = errno;
	int err, memfd;

	if (flags & MEMFD_HUGETLB)
		return refuse(EINVAL);
	memfd = memfd_new(name, flags | MEMFD_ALLOW_SEALING);
	if (memfd < 0)
		return -1;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	/* If fd was not open, the memfd may have been given its number. */
	if (memfd == fd)
		err = EBADF;
	else
		/* On 32-bit, a file may have more than SIZE_MAX bytes. */
		err = copy(memfd, fd, max == SIZE_MAX ? UINT64_MAX : max);
	pthread_setcancelstate(cancel, NULL);
	return seal_or_discard(memfd, MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE,
			       err, saved);
}
