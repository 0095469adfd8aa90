/* SPDX-License-Identifier: MIT */

/*
 * src/memfd.c over a kernel of the test's making, for what the running one
 * cannot be made to answer. Its descriptors are real, so that a leak shows.
 */

#ifndef FAKE_H
#define FAKE_H

/* As syscalls.h has it, which comes too late here. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#define _GNU_SOURCE 1
#define _LARGEFILE64_SOURCE 1

#include "unit.h"

#include <pthread.h>
#include <sys/epoll.h>

#define BEFORE_EXEC_FLAGS ((unsigned int)(MEMFD_NOEXEC_SEAL | MEMFD_EXEC))

static struct fake {
	/* How it differs from Linux 6.18: flags it does not know, */
	unsigned int unknown_flags;
	/* whether MFD_NOEXEC_SEAL alone leaves F_SEAL_SEAL set, */
	int keeps_seal;
	/* whether vm.memfd_noexec is 1, and it adds the flag where none is, */
	int adds_noexec_seal;
	/* and the errno with which it refuses. */
	int create_errno, chmod_errno, add_seals_errno, close_errno;
	/* What it does for pwrite(2), if not to take everything at once. */
	ssize_t (*write)(const char *data, size_t size, off64_t offset);

	/* The calls that it has had, */
	int creates, chmods, seal_calls, writes, closes;
	unsigned int asked[2];
	/* and the last memfd. */
	unsigned int seals, mode;
	char content[256];
} fake;

static int fake_memfd_create(const char *name, unsigned int flags)
{
	if (fake.creates < 2)
		fake.asked[fake.creates] = flags;
	fake.creates++;
	if (fake.create_errno) {
		errno = fake.create_errno;
		return -1;
	}
	if (flags & fake.unknown_flags || strlen(name) > 249) {
		errno = EINVAL;
		return -1;
	}
	if (fake.adds_noexec_seal && !(flags & BEFORE_EXEC_FLAGS))
		flags |= MEMFD_NOEXEC_SEAL;
	fake.mode = 0777;
	fake.seals = flags & MEMFD_ALLOW_SEALING ? 0 : MEMFD_SEAL_SEAL;
	if (flags & MEMFD_NOEXEC_SEAL) {
		fake.mode = 0666;
		if (!fake.keeps_seal)
			fake.seals = 0;
		fake.seals |= MEMFD_SEAL_EXEC;
	}
	return epoll_create1(EPOLL_CLOEXEC);
}

static int fake_fchmod(int fd, mode_t mode)
{
	assert_true(fcntl(fd, F_GETFD) >= 0);
	fake.chmods++;
	if (fake.chmod_errno) {
		errno = fake.chmod_errno;
		return -1;
	}
	fake.mode = mode;
	return 0;
}

static int fake_fcntl(int fd, int cmd, unsigned long seals)
{
	assert_true(fcntl(fd, F_GETFD) >= 0);
	fake.seal_calls++;
	if (cmd == F_GET_SEALS)
		return (int)fake.seals;
	assert_int_equal(cmd, F_ADD_SEALS);
	if (fake.add_seals_errno || fake.seals & MEMFD_SEAL_SEAL) {
		errno = fake.add_seals_errno ? fake.add_seals_errno : EPERM;
		return -1;
	}
	fake.seals |= (unsigned int)seals;
	return 0;
}

static ssize_t fake_pwrite(int fd, const void *data, size_t size,
			   off64_t offset)
{
	pthread_testcancel();
	assert_true(fcntl(fd, F_GETFD) >= 0);
	/* Nothing is filled after it was sealed. */
	assert_int_equal(fake.seals & MEMFD_SEAL_WRITE, 0);
	fake.writes++;
	if (fake.write)
		return fake.write(data, size, offset);
	assert_true((size_t)offset + size <= sizeof(fake.content));
	memcpy(fake.content + offset, data, size);
	return (ssize_t)size;
}

static int fake_close(int fd)
{
	pthread_testcancel();
	fake.closes++;
	close_it(fd);
	errno = fake.close_errno;
	return fake.close_errno ? -1 : 0;
}

#define FIRST(one, ...) one
#define SECOND(one, two, ...) two

/* A macro of musl's. */
#undef pwrite64
#define memfd_create(name, flags) fake_memfd_create(name, flags)
#define syscall(number, name, flags)                                           \
	(assert_int_equal(number, SYS_memfd_create),                           \
	 fake_memfd_create(name, flags))
#define fchmod(fd, mode) fake_fchmod(fd, mode)
#define fcntl(fd, ...)                                                         \
	fake_fcntl(fd, FIRST(__VA_ARGS__, 0),                                  \
		   _Generic(SECOND(__VA_ARGS__, 0UL, 0), unsigned long         \
			    : SECOND(__VA_ARGS__, 0UL, 0)))
#define pwrite64(fd, data, size, offset) fake_pwrite(fd, data, size, offset)
#define close(fd) fake_close(fd)

#include "../../src/memfd.c"

#undef memfd_create
#undef syscall
#undef fchmod
#undef fcntl
#undef pwrite64
#undef close

/* The descriptor was closed, and nothing but this errno is left of it. */
#define fails_closed(call, err)                                                \
	do {                                                                   \
		int closes = fake.closes;                                      \
                                                                               \
		fails(call, err);                                              \
		assert_int_equal(fake.closes, closes + 1);                     \
	} while (0)

#endif
