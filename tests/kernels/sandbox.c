/* SPDX-License-Identifier: MIT */

/*
 * The library as it is installed, under real seccomp filters: each refuses some
 * system calls, or all but those that the manual lists. Every other answer of a
 * kernel comes from the fake one in tests/unit. A filter is for life, so each
 * has a process of its own.
 */

#include "../unit/unit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define EXEC_FLAGS (MEMFD_EXEC | MEMFD_NOEXEC_SEAL)
#define FILLED (MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE)

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
 * System calls, all of a number or those whose second argument is so, and the
 * errno that they fail with. With 0 they pass.
 */
struct rule {
	long number;
	unsigned int err;
	enum { ANY, EQUALS, HAS } is;
	unsigned int value;
};

/* What is created under a filter: 0 or the errno, and what the file is like. */
enum { NEW, SEALABLE, EXEC, NOEXEC_SEAL, SIZED, SEALED, COPY, KINDS };

struct result {
	int err;
	unsigned int mode, seals;
};

static const char *const kinds[KINDS] = { "flags 0",	    "allow-sealing",
					  "exec",	    "noexec-seal",
					  "new_sized",	    "new_sealed",
					  "new_sealed_copy" };

static int create(int kind, int source)
{
	switch (kind) {
	case NEW:
		return memfd_new("sandbox", 0);
	case SEALABLE:
		return memfd_new("sandbox", MEMFD_ALLOW_SEALING);
	case EXEC:
		return memfd_new("sandbox", MEMFD_EXEC);
	case NOEXEC_SEAL:
		return memfd_new("sandbox", MEMFD_NOEXEC_SEAL);
	case SIZED:
		return memfd_new_sized("sandbox", 0, 1, FILLED);
	case SEALED:
		return memfd_new_sealed("sandbox", 0, "x", 1);
	default:
		return memfd_new_sealed_copy("sandbox", 0, source, 1);
	}
}

static void install(const struct rule *rules, unsigned int otherwise)
{
	struct sock_filter filter[80];
	struct sock_fprog program = { 0, filter };
	unsigned short n = 0;

	for (; rules->number >= 0; rules++) {
		unsigned char rest = rules->is == ANY ? 1 : 3;

		filter[n++] = (struct sock_filter)BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr));
		filter[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)rules->number,
			0, rest);
		if (rules->is != ANY) {
			filter[n++] = (struct sock_filter)BPF_STMT(
				BPF_LD | BPF_W | BPF_ABS, SECOND);
			filter[n++] = (struct sock_filter)BPF_JUMP(
				BPF_JMP | BPF_K |
					(rules->is == HAS ? BPF_JSET : BPF_JEQ),
				rules->value, 0, 1);
		}
		filter[n++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K,
			rules->err ? SECCOMP_RET_ERRNO | rules->err
				   : SECCOMP_RET_ALLOW);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, otherwise);
	program.len = n;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(77);
}

/* Whether a process that calls nothing at all lives through it. */
static int survives(const struct rule *rules, unsigned int otherwise)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		install(rules, otherwise);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !WIFSIGNALED(status);
}

static void holds_under(const struct rule *rules, unsigned int otherwise,
			const struct result wanted[KINDS])
{
	size_t size = KINDS * sizeof(struct result);
	struct result *got = mmap(NULL, size, PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int source = succeeds(memfd_new_sealed("sandbox", 0, "x", 1));
	int kind, status;
	pid_t pid;

	assert_true(got != MAP_FAILED);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		int fds[KINDS];
		struct stat st;

		install(rules, otherwise);
		for (kind = 0; kind < KINDS; kind++) {
			errno = UNTOUCHED;
			fds[kind] = create(kind, source);
			got[kind].err = errno;
			if (fds[kind] >= 0)
				got[kind].seals = (unsigned int)memfd_get_seals(
					fds[kind]);
			/* More than the library needs. */
			if (fds[kind] >= 0 && otherwise == SECCOMP_RET_ALLOW &&
			    fstat(fds[kind], &st) == 0)
				got[kind].mode = st.st_mode & 07777;
		}
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close_it(source);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip_because("no seccomp filters here");
	assert_int_equal(status, 0);
	for (kind = 0; kind < KINDS; kind++) {
		struct result want = wanted[kind];

		if (!want.err)
			want.err = UNTOUCHED;
		if (otherwise != SECCOMP_RET_ALLOW)
			want.mode = 0;
		if (memcmp(&got[kind], &want, sizeof(want)) != 0)
			fail_msg("%s: errno %d, mode %o, seals %#x; wanted "
				 "%d, %o, %#x",
				 kinds[kind], got[kind].err, got[kind].mode,
				 got[kind].seals, want.err, want.mode,
				 want.seals);
	}
	munmap(got, size);
}

/* What this kernel gives where nothing is refused, or the exec flags are. */
static void given(struct result results[KINDS], int exec_flags_refused)
{
	int known = knows_exec_flags() && !exec_flags_refused;
	unsigned int seals = knows_exec_flags() ? MEMFD_SEAL_EXEC : 0;
	int kind, sealed, fd = raw_memfd_create(0);

	/*
	 * A kernel that seals against execution on its own, as vm.memfd_noexec
	 * tells it to, knows the flags. Without them it cannot give a file that
	 * is executable or not to be sealed.
	 */
	sealed = fcntl(fd, F_GET_SEALS) & MEMFD_SEAL_EXEC;
	close_it(fd);
	if (exec_flags_refused && !sealed)
		seals = 0;
	for (kind = 0; kind < KINDS; kind++)
		results[kind] =
			(struct result){ 0, 0666,
					 seals | (kind < SIZED ? 0 : FILLED) };
	results[NEW].seals |= MEMFD_SEAL_SEAL;
	results[EXEC] = (struct result){ 0, 0777, MEMFD_SEAL_SEAL };
	if (known && denies_exec())
		results[EXEC] = (struct result){ EACCES, 0, 0 };
	if (!known)
		results[NOEXEC_SEAL] = (struct result){ EINVAL, 0, 0 };
	if (!known && sealed)
		results[NEW] = results[EXEC] = results[NOEXEC_SEAL];
}

#define NO_EXEC_FLAGS                                                          \
	{                                                                      \
		SYS_memfd_create, EINVAL, HAS, EXEC_FLAGS                      \
	}
#define END                                                                    \
	{                                                                      \
		-1, 0, ANY, 0                                                  \
	}

static void exec_flags_are_refused(void **state)
{
	static const struct rule rules[] = { NO_EXEC_FLAGS, END };
	struct result wanted[KINDS];

	(void)state;
	given(wanted, 1);
	holds_under(rules, SECCOMP_RET_ALLOW, wanted);
}

/* A default that cannot be given is not given by halves. */
static void fchmod_is_refused_too(void **state)
{
	static const struct rule rules[] = { NO_EXEC_FLAGS,
					     { SYS_fchmod, EPERM, ANY, 0 },
					     END };
	struct result wanted[KINDS];
	int kind;

	(void)state;
	given(wanted, 1);
	for (kind = 0; kind < KINDS; kind++)
		if (wanted[kind].mode == 0666)
			wanted[kind] = (struct result){ EPERM, 0, 0 };
	holds_under(rules, SECCOMP_RET_ALLOW, wanted);
}

static void sealing_is_refused(void **state)
{
	static const struct rule rules[] = {
		{ FCNTL, EACCES, EQUALS, F_ADD_SEALS }, END
	};
	struct result wanted[KINDS];

	(void)state;
	given(wanted, 0);
	/* Before Linux 6.3 it is closed from the beginning. */
	if (knows_exec_flags())
		wanted[NEW] = (struct result){ EACCES, 0, 0 };
	wanted[SIZED] = wanted[SEALED] = wanted[COPY] =
		(struct result){ EACCES, 0, 0 };
	holds_under(rules, SECCOMP_RET_ALLOW, wanted);
}

/* Also by sandboxes that have a kernel of their own. */
static void memfd_create_is_unknown(void **state)
{
	static const struct rule rules[] = {
		{ SYS_memfd_create, ENOSYS, ANY, 0 }, END
	};
	struct result wanted[KINDS];
	int kind;

	(void)state;
	for (kind = 0; kind < KINDS; kind++)
		wanted[kind] = (struct result){ ENOSYS, 0, 0 };
	holds_under(rules, SECCOMP_RET_ALLOW, wanted);
}

static void sendfile_is_refused(void **state)
{
	static const struct rule rules[] = { { SYS_sendfile, EINVAL, ANY, 0 },
#ifdef SYS_sendfile64
					     { SYS_sendfile64, EINVAL, ANY, 0 },
#endif
					     END };
	struct result wanted[KINDS];

	(void)state;
	given(wanted, 0);
	holds_under(rules, SECCOMP_RET_ALLOW, wanted);
}

/* What else the library did would end the process. */
static void all_is_refused_that_the_manual_does_not_list(void **state)
{
	static const struct rule rules[] = { { SYS_memfd_create, 0, ANY, 0 },
					     { FCNTL, 0, EQUALS, F_ADD_SEALS },
					     { FCNTL, 0, EQUALS, F_GET_SEALS },
					     { SYS_fchmod, 0, ANY, 0 },
					     { SYS_ftruncate, 0, ANY, 0 },
					     { SYS_pwrite64, 0, ANY, 0 },
					     { SYS_sendfile, 0, ANY, 0 },
					     { SYS_pread64, 0, ANY, 0 },
					     { SYS_lseek, 0, ANY, 0 },
					     { SYS_close, 0, ANY, 0 },
#ifdef SYS_ftruncate64
					     { SYS_ftruncate64, 0, ANY, 0 },
					     { SYS_sendfile64, 0, ANY, 0 },
					     { SYS__llseek, 0, ANY, 0 },
#endif
					     { SYS_exit_group, 0, ANY, 0 },
					     END };
	struct result wanted[KINDS];

	(void)state;
	if (!survives(rules, SECCOMP_RET_KILL_PROCESS))
		skip_because("what runs the test makes system calls, too");
	given(wanted, 0);
	holds_under(rules, SECCOMP_RET_KILL_PROCESS, wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(exec_flags_are_refused),
		promise(fchmod_is_refused_too),
		promise(sealing_is_refused),
		promise(memfd_create_is_unknown),
		promise(sendfile_is_refused),
		promise(all_is_refused_that_the_manual_does_not_list),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
