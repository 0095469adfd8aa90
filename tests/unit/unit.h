/* SPDX-License-Identifier: MIT */

/*
 * What the unit tests share: cmocka, and questions to the running kernel.
 * Comes before any other include.
 */

#ifndef UNIT_H
#define UNIT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

#include "memfd.h"

#include "../shared/traces.h"

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif

#define TMPFS 0x01021994

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The call succeeds and leaves errno alone. Its value is the call's. */
#define succeeds(call)                                                         \
	gave((errno = UNTOUCHED, (call)), 0, #call, __FILE__, __LINE__)

/* The call fails, with this errno. */
#define fails(call, err)                                                       \
	gave((errno = UNTOUCHED, (call)), err, #call, __FILE__, __LINE__)

/* A test that leaves as many descriptors open as it found. */
#define promise(test)                                                          \
	cmocka_unit_test_setup_teardown(test, count_open, compare_open)

/* Ends the test without a verdict. */
#define skip_because(...)                                                      \
	do {                                                                   \
		print_message("# " __VA_ARGS__);                               \
		print_message("\n");                                           \
		skip();                                                        \
	} while (0)

/* The function that is behind a call which does not name it. */
static char behind[32];

/*
 * For tests/manual/seen.py, which sets SAW: what a function was seen to give, 0
 * for success or an errno.
 */
static inline void saw(const char *call, int err)
{
	const char *name = strstr(call, "memfd_");

	if (!name)
		name = behind;
	if (*name && getenv("SAW"))
		printf("saw %.*s %d\n",
		       (int)strspn(name, "abcdefghijklmnopqrstuvwxyz_"), name,
		       err);
}

static inline int gave(int result, int want, const char *call, const char *file,
		       int line)
{
	int err = errno;

	if (want ? result != -1 : result < 0)
		fail_msg("%s:%d: %s: returns %d, %s, wanted %s", file, line,
			 call, result, strerror(err),
			 want ? strerror(want) : "success");
	if (err != (want ? want : UNTOUCHED))
		fail_msg("%s:%d: %s: errno is now %s, wanted %s", file, line,
			 call, strerror(err),
			 want ? strerror(want) : "it left alone");
	saw(call, want);
	return result;
}

static int open_before;

static inline int count_open(void **state)
{
	(void)state;
	open_before = open_descriptors();
	return 0;
}

static inline int compare_open(void **state)
{
	int now = open_descriptors();

	(void)state;
	if (now == open_before)
		return 0;
	print_error("%d descriptors open before, %d after\n", open_before, now);
	return -1;
}

static inline void close_it(int fd)
{
	assert_int_equal(close(fd), 0);
}

/* A copy that finds no end dies of SIGXFSZ, and does not fill the memory. */
static inline void bound_files(void)
{
	const struct rlimit bound = { 64 << 20, 64 << 20 };

	setrlimit(RLIMIT_FSIZE, &bound);
}

/* The kernel's own answer, past the library. */
static inline int raw_memfd_create(unsigned int flags)
{
	return (int)syscall(SYS_memfd_create, "unit", flags);
}

/* 0, or the errno with which the kernel refuses to create with these flags. */
static inline int kernel_refuses(unsigned int flags)
{
	int fd = raw_memfd_create(flags);

	if (fd < 0)
		return errno;
	close_it(fd);
	return 0;
}

/* Linux 6.3, or a kernel that has this from there. */
static inline int knows_exec_flags(void)
{
	int err = kernel_refuses(MEMFD_NOEXEC_SEAL);

	assert_true(err == 0 || err == EINVAL);
	return !err;
}

/* vm.memfd_noexec is 2. */
static inline int denies_exec(void)
{
	return kernel_refuses(MEMFD_EXEC) == EACCES;
}

/* Each seal that the kernel takes. */
static inline unsigned int known_seals(void)
{
	unsigned int seal, known = 0;

	for (seal = 1; seal; seal <<= 1) {
		int fd = raw_memfd_create(knows_exec_flags()
						  ? MEMFD_NOEXEC_SEAL
						  : MEMFD_ALLOW_SEALING);

		assert_true(fd >= 0);
		if (fcntl(fd, F_ADD_SEALS, (unsigned long)seal) == 0)
			known |= seal;
		close_it(fd);
	}
	return known;
}

/* The seals that a sealable memfd starts with. */
static inline unsigned int first_seals(void)
{
	return knows_exec_flags() ? MEMFD_SEAL_EXEC : 0;
}

/* The seals of memfd_new_sealed and memfd_new_sealed_copy. */
#define ALL_SEALS ((unsigned int)(MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE))

static inline long page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Two pages, mode 0666, sealable, without MEMFD_SEAL_EXEC where that can be. */
static inline int two_pages(void)
{
	unsigned int exec = denies_exec() ? 0 : MEMFD_EXEC;
	int fd = succeeds(memfd_new("unit", MEMFD_ALLOW_SEALING | exec));

	if (exec)
		assert_int_equal(fchmod(fd, 0666), 0);
	assert_int_equal(ftruncate(fd, 2 * page_size()), 0);
	return fd;
}

#define LARGEST 100000

/* Content of which no two blocks are alike, and no byte is 0. */
static inline void make_pattern(char *content, size_t size)
{
	size_t i;

	for (i = 0; i < size; i++)
		content[i] = (char)(1 + (i * 7 + i / 256) % 255);
}

/* Of files: on either side of a page, and of many. */
#define SIZES                                                                  \
	{                                                                      \
		0, 1, (size_t)page_size() - 1, (size_t)page_size(),            \
			(size_t)page_size() + 1, LARGEST                       \
	}

/* This content and these seals, and the offset is 0. Closes it. */
static inline void is_file(int fd, const void *data, size_t size,
			   unsigned int seals)
{
	char *content = malloc(size + 1);
	struct stat st;

	assert_int_equal(memfd_get_seals(fd), seals | first_seals());
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_non_null(content);
	assert_int_equal(read(fd, content, size + 1), size);
	if (size)
		assert_memory_equal(content, data, size);
	free(content);
	close_it(fd);
}

/* The same, sealed for good. */
static inline void holds(int fd, const void *data, size_t size)
{
	is_file(fd, data, size, ALL_SEALS);
}

/* A file without a name, on tmpfs or elsewhere; -1 where none can be made. */
static inline int temporary_file(int on_tmpfs)
{
	static const char *const places[] = { ".",    "/var/tmp", "/tmp",
					      "/run", "/dev/shm", "/mnt/ext4",
					      "/" };
	struct statfs fs;
	char path[64];
	size_t i;

	for (i = 0; i < COUNT(places); i++) {
		int fd;

		if (statfs(places[i], &fs) < 0 ||
		    (fs.f_type == TMPFS) != on_tmpfs)
			continue;
		snprintf(path, sizeof(path), "%s/memfd-XXXXXX", places[i]);
		fd = mkostemp(path, O_CLOEXEC);
		if (fd >= 0) {
			unlink(path);
			return fd;
		}
	}
	return -1;
}

/* Opens the same file once more. */
static inline int open_again(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

/* The same where that must succeed. Skips the test where /proc is not. */
static inline int reopen(int fd, int flags)
{
	int other = open_again(fd, flags);

	if (other < 0 && errno == ENOENT && access("/proc/self", F_OK) < 0) {
		close_it(fd);
		skip_because("/proc is not mounted");
	}
	assert_true(other >= 0);
	return other;
}

/* This descriptor instead. */
static inline int reopened(int fd, int flags)
{
	int other = reopen(fd, flags);

	close_it(fd);
	return other;
}

/* One end of a pipe whose other end is closed. */
static inline int pipe_end(int which)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close_it(ends[!which]);
	return ends[which];
}

#endif
