/* SPDX-License-Identifier: MIT */

/*
 * The library as it is installed, under real seccomp filters. In tests/unit
 * every answer of a kernel is made up; here are those of sandboxes on a real
 * one, and the list of system calls in the manual. A filter is for life, so
 * each has a process of its own.
 */

#include "../unit/unit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* The lower half of a system call's second argument. */
#define SECOND                                                                 \
	((unsigned int)offsetof(struct seccomp_data, args[1]) +                \
	 (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))

#ifdef SYS_fcntl64
#define FCNTL SYS_fcntl64
#else
#define FCNTL SYS_fcntl
#endif

/*
 * The system calls of this number, if flags is not 0 those whose second
 * argument has one of them, fail with err, or pass if that is 0.
 */
struct rule {
	long number;
	unsigned int err, flags;
};

/* clang-format off */
#define NO_EXEC_FLAGS                                                          \
	{ SYS_memfd_create, EINVAL, MEMFD_EXEC | MEMFD_NOEXEC_SEAL }
#define END { -1, 0, 0 }
/* clang-format on */

#define PUT(...) (filter[n++] = (struct sock_filter)__VA_ARGS__)

static void install(const struct rule *rules, unsigned int otherwise)
{
	const unsigned short load = BPF_LD | BPF_W | BPF_ABS;
	struct sock_filter filter[80];
	struct sock_fprog program = { 0, filter };
	unsigned short n = 0;

	for (; rules->number >= 0; rules++) {
		PUT(BPF_STMT(load, offsetof(struct seccomp_data, nr)));
		PUT(BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ,
			     (unsigned int)rules->number, 0,
			     rules->flags ? 3 : 1));
		if (rules->flags) {
			PUT(BPF_STMT(load, SECOND));
			PUT(BPF_JUMP(BPF_JMP | BPF_K | BPF_JSET, rules->flags,
				     0, 1));
		}
		PUT(BPF_STMT(BPF_RET | BPF_K,
			     rules->err ? SECCOMP_RET_ERRNO | rules->err
					: SECCOMP_RET_ALLOW));
	}
	PUT(BPF_STMT(BPF_RET | BPF_K, otherwise));
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(77);
}

/* How a process ends that calls this under the filter. */
static int under(const struct rule *rules, unsigned int otherwise,
		 void (*calls)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		install(rules, otherwise);
		calls();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip_because("no seccomp filters here");
	return status;
}

/* The error, or a file with this mode and these seals; or the process ends. */
static void gives(int fd, int err, unsigned int mode, unsigned int seals)
{
	int got = fd < 0 ? errno : 0;
	struct stat st = { 0 };

	if (!got && fstat(fd, &st) == 0 && (st.st_mode & 07777) == mode &&
	    memfd_get_seals(fd) == (int)seals && !err) {
		close(fd);
		return;
	}
	if (got && got == err)
		return;
	fprintf(stderr, "errno %d, mode %o, seals %#x; wanted %d, %o, %#x\n",
		got, (unsigned int)st.st_mode,
		(unsigned int)memfd_get_seals(fd), err, mode, seals);
	_exit(1);
}

/* vm.memfd_noexec is 1 or 2: this kernel seals against execution by itself. */
static int seals_exec(void)
{
	int fd = raw_memfd_create(0);
	int seals = fcntl(fd, F_GET_SEALS);

	close(fd);
	return seals & MEMFD_SEAL_EXEC;
}

/*
 * As on a kernel that does not know the flags, unless it seals: then it cannot
 * give a file that is executable, or one that cannot be sealed.
 */
static void fallback(void)
{
	unsigned int exec = seals_exec() ? MEMFD_SEAL_EXEC : 0;
	int err = exec ? EINVAL : 0;

	gives(memfd_new("sandbox", 0), err, 0666, MEMFD_SEAL_SEAL);
	gives(memfd_new("sandbox", MEMFD_EXEC), err, 0777, MEMFD_SEAL_SEAL);
	gives(memfd_new("sandbox", MEMFD_ALLOW_SEALING), 0, 0666, exec);
	gives(memfd_new("sandbox", MEMFD_NOEXEC_SEAL), EINVAL, 0, 0);
	gives(memfd_new_sealed("sandbox", 0, "x", 1), 0, 0666,
	      ALL_SEALS | exec);
}

static void exec_flags_are_refused(void **state)
{
	static const struct rule rules[] = { NO_EXEC_FLAGS, END };

	(void)state;
	assert_int_equal(under(rules, SECCOMP_RET_ALLOW, fallback), 0);
}

/* How the question is refused. */
static unsigned int refusal;

/* Whether the file is right cannot be told; but one that is right anyhow is. */
static void cannot_tell(void)
{
	int huge = kernel_refuses(MEMFD_HUGETLB);

	gives(memfd_new("sandbox", 0), (int)refusal, 0, 0);
	gives(memfd_new("sandbox", MEMFD_EXEC), (int)refusal, 0, 0);
	gives(memfd_new("sandbox", MEMFD_EXEC | MEMFD_ALLOW_SEALING),
	      (int)refusal, 0, 0);
	gives(memfd_new_sized("sandbox", 0, 1, 0), (int)refusal, 0, 0);
	gives(memfd_new("sandbox", MEMFD_NOEXEC_SEAL), EINVAL, 0, 0);
	if (memfd_new("sandbox", MEMFD_ALLOW_SEALING) < 0 ||
	    memfd_new_sealed("sandbox", 0, "x", 1) < 0)
		_exit(1);
	/* Before Linux 4.16, files on huge pages have no seals, and say so. */
	if (!huge && refusal == EINVAL) {
		if (memfd_new("sandbox", MEMFD_HUGETLB) < 0)
			_exit(1);
	} else {
		gives(memfd_new("sandbox", MEMFD_HUGETLB),
		      huge ? huge : (int)refusal, 0, 0);
	}
}

static void seals_are_not_told_either(void **state)
{
	static const unsigned int refusals[] = { EPERM, ENOSYS, EINVAL };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(refusals); i++) {
		/* By a bit that F_ADD_SEALS does not have. */
		const struct rule rules[] = { NO_EXEC_FLAGS,
					      { FCNTL, refusals[i],
						F_GET_SEALS & ~F_ADD_SEALS },
					      END };

		refusal = refusals[i];
		assert_int_equal(under(rules, SECCOMP_RET_ALLOW, cannot_tell),
				 0);
	}
}

/* gVisor lets a peer set any bit, the sign of the answer among them. */
static void negative_seals_are_an_error(void **state)
{
	int fd = succeeds(memfd_new("sandbox", MEMFD_ALLOW_SEALING));

	(void)state;
	if (fcntl(fd, F_ADD_SEALS, 1UL << 31) == 0) {
		fails(memfd_get_seals(fd), EINVAL);
		fails(memfd_check_seals(fd, MEMFD_SEAL_WRITE), EINVAL);
	} else {
		assert_int_equal(errno, EINVAL);
	}
	close_it(fd);
}

static void nothing(void)
{
}

static void everything(void)
{
	int fd = memfd_new_sealed("sandbox", 0, "x", 1);

	if (fd < 0 || memfd_check_seals(fd, MEMFD_SEAL_WRITE) < 0 ||
	    memfd_new("sandbox", 0) < 0 ||
	    memfd_new_sized("sandbox", 0, 1, ALL_SEALS) < 0 ||
	    memfd_new_sealed_copy("sandbox", 0, fd, 1) < 0 ||
	    /* This closes it again. */
	    memfd_new_sealed("sandbox", 0, NULL, 1) != -1)
		_exit(1);
}

/* What else the library did would end the process. */
static void all_is_refused_that_the_manual_does_not_list(void **state)
{
	static const struct rule rules[] = {
		{ SYS_memfd_create, 0, 0 }, { FCNTL, 0, 0 },
		{ SYS_fchmod, 0, 0 },	    { SYS_ftruncate, 0, 0 },
		{ SYS_pwrite64, 0, 0 },	    { SYS_sendfile, 0, 0 },
		{ SYS_pread64, 0, 0 },	    { SYS_lseek, 0, 0 },
		{ SYS_close, 0, 0 },
#ifdef SYS_ftruncate64
		{ SYS_ftruncate64, 0, 0 },  { SYS_sendfile64, 0, 0 },
#endif
/* On ppc64le, too, this is what glibc calls. */
#ifdef SYS__llseek
		{ SYS__llseek, 0, 0 },
#endif
		{ SYS_exit_group, 0, 0 },   END
	};

	(void)state;
	if (WIFSIGNALED(under(rules, SECCOMP_RET_KILL_PROCESS, nothing)))
		skip_because("what runs the test makes system calls, too");
	assert_int_equal(under(rules, SECCOMP_RET_KILL_PROCESS, everything), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(exec_flags_are_refused),
		promise(seals_are_not_told_either),
		promise(negative_seals_are_an_error),
		promise(all_is_refused_that_the_manual_does_not_list),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
