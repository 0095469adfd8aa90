/* SPDX-License-Identifier: MIT */

/* Compares a copy with what a loop over pread(2) gives of the same file. */

#ifndef READING_H
#define READING_H

#include "../unit/unit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

/* What O_DIRECT wants: whole blocks, and aligned ones. */
#define BLOCK ((size_t)1 << 16)

/* The tests read so much of a file, and a block more. */
#define READ_AT_MOST ((size_t)4 << 20)

struct reading {
	char data[READ_AT_MOST + 2 * BLOCK];
	size_t size;
	int err;
};

/* What the files hold. */
static char pattern[READ_AT_MOST];

/* All bytes, or at most READ_AT_MOST, and the error that ended it, or EFBIG. */
static inline void read_all(int fd, size_t max, struct reading *got)
{
	static char block[BLOCK] __attribute__((aligned(BLOCK)));
	ssize_t n;

	got->size = 0;
	got->err = 0;
	if (max > READ_AT_MOST)
		max = READ_AT_MOST;
	do {
		n = pread(fd, block, BLOCK, (off_t)got->size);
		if (n > 0) {
			memcpy(got->data + got->size, block, (size_t)n);
			got->size += (size_t)n;
		} else if (n < 0 && errno != EINTR) {
			got->err = errno;
		}
	} while ((n > 0 && got->size <= max) || (n < 0 && !got->err));
	if (got->size > max)
		got->err = EFBIG;
}

/* NULL, or how a copy of source differs from what was read. */
static inline const char *differs(int source, size_t max,
				  const struct reading *read)
{
	static struct reading copied;
	static char how[160];
	int fd, err;

	errno = UNTOUCHED;
	fd = memfd_new_sealed_copy("copy", 0, source, max);
	err = errno;
	copied.size = 0;
	if (fd >= 0) {
		if (memfd_check_seals(fd, ALL_SEALS) < 0 ||
		    lseek(fd, 0, SEEK_CUR) != 0 || err != UNTOUCHED)
			return "not sealed, not at its start, or errno is set";
		err = 0;
		read_all(fd, SIZE_MAX, &copied);
		close_it(fd);
		if (!read->err && copied.size == read->size &&
		    !memcmp(copied.data, read->data, read->size))
			return NULL;
	} else if (err == read->err) {
		return NULL;
	}
	snprintf(how, sizeof(how),
		 "limit %zd: copied %zu bytes, %s; read %zu, %s", (ssize_t)max,
		 copied.size, strerror(err), read->size, strerror(read->err));
	return how;
}

/* What this process mounts from now on, no other sees. Returns whether it can.
 */
static inline int mounts_alone(void)
{
	return unshare(CLONE_NEWNS) == 0 &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* For good: then pread(2) alone is what copies. */
static inline int refuse_sendfile(void **state)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, SYS_sendfile, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { COUNT(filter), filter };

	(void)state;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
			       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER,
				     &program) < 0
		       ? -1
		       : 0;
}

/*
 * With sendfile(2), and then without all but the last, which takes longest. The
 * suite `kernels` says which level of vm.memfd_noexec this is: one is enough.
 */
static inline int run_both_ways(const char *name,
				const struct CMUnitTest *tests, size_t count,
				CMFixtureFunction setup)
{
	const char *level = getenv("level");

	make_pattern(pattern, sizeof(pattern));
	bound_files();
	if (level && (*level == '1' || *level == '2'))
		return _cmocka_run_group_tests(name, tests, 1, setup, NULL);
	return _cmocka_run_group_tests(name, tests, count, setup, NULL) +
	       _cmocka_run_group_tests("without sendfile", tests, count - 1,
				       refuse_sendfile, NULL);
}

#endif
