/* SPDX-License-Identifier: MIT */

/*
 * Every function where a seccomp filter refuses what older kernels do not know
 * and containers forbid. A filter is for life: each has a process of its own.
 */

#include "../unit/unit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define EXEC_FLAGS (MEMFD_EXEC | MEMFD_NOEXEC_SEAL)

/* The lower half of a system call's argument. */
#define ARGUMENT(n)                                                            \
	((unsigned int)offsetof(struct seccomp_data, args[n]) +                \
	 (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))

#ifdef SYS_fcntl64
#define FCNTL SYS_fcntl64
#else
#define FCNTL SYS_fcntl
#endif

/* A system call that fails with err: always, or when arguments are so. */
struct rule {
	long number;
	int err;
	struct {
		enum { ANY, EQUALS, HAS } is;
		unsigned int argument, value;
	} when[2];
};

/* clang-format off */
#define NO_MEMFD(err) { SYS_memfd_create, err, { { ANY, 0, 0 } } }
#define NO_FLAGS(flags) { SYS_memfd_create, EINVAL, { { HAS, 1, flags } } }
#define NO_SEALS(seals, err) \
	{ FCNTL, err, { { EQUALS, 1, F_ADD_SEALS }, { HAS, 2, seals } } }
#define NO_GET_SEALS { FCNTL, EINVAL, { { EQUALS, 1, F_GET_SEALS } } }
#define NO_FCHMOD { SYS_fchmod, EPERM, { { ANY, 0, 0 } } }
/* clang-format on */

/* What memfds are made and sealed with here, by number and by name. */
static const struct word {
	unsigned int number;
	const char *name;
} flags[] = { { 0, "" },
	      { MEMFD_ALLOW_SEALING, "allow-sealing" },
	      { MEMFD_EXEC, "exec" },
	      { MEMFD_NOEXEC_SEAL, "noexec-seal" },
	      { MEMFD_HUGETLB, "hugetlb" } },
  seals[] = { { MEMFD_SEAL_SHRINK, "shrink" },
	      { MEMFD_SEAL_FUTURE_WRITE, "future-write" },
	      { MEMFD_SEAL_EXEC, "exec" } };

/* What becomes of each: 0 or an errno, and what the file is like. */
struct outcome {
	struct {
		int err;
		unsigned int mode, seals;
	} new[COUNT(flags)];
	int new_sealed, seal[COUNT(seals)], get;
};

static void install(const struct rule *rules)
{
	struct sock_filter filter[32];
	struct sock_fprog program = { 0, filter };
	size_t i;

	for (; rules->err; rules++) {
		struct sock_filter *rule = filter + program.len;
		unsigned short at = 0;

		rule[at++] = (struct sock_filter)BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr));
		rule[at++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)rules->number,
			0, 0);
		for (i = 0; i < 2 && rules->when[i].is; i++) {
			rule[at++] = (struct sock_filter)BPF_STMT(
				BPF_LD | BPF_W | BPF_ABS,
				ARGUMENT(rules->when[i].argument));
			rule[at++] = (struct sock_filter)BPF_JUMP(
				BPF_JMP | BPF_K |
					(rules->when[i].is == HAS ? BPF_JSET
								  : BPF_JEQ),
				rules->when[i].value, 0, 0);
		}
		rule[at++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K,
			SECCOMP_RET_ERRNO | (unsigned int)rules->err);
		/* Where it does not apply, on with the next rule. */
		for (i = 1; i < at; i += 2)
			rule[i].jf = (unsigned char)(at - 1 - i);
		program.len = (unsigned short)(program.len + at);
	}
	filter[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
							     SECCOMP_RET_ALLOW);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		_exit(77);
}

static int wrong;

static void expect(const char *what, long got, long wanted)
{
	if (got != wanted) {
		print_message("%s: %ld, wanted %ld\n", what, got, wanted);
		wrong++;
	}
}

/* 0 or the errno of a call, which gives a descriptor or a number. */
#define result_of(call) (errno = UNTOUCHED, (call) < 0 ? errno : 0)

static void expect_file(const char *what, int fd, int err, unsigned int mode,
			unsigned int has)
{
	struct stat st;

	expect(what, fd < 0 ? errno : 0, err);
	if (fd < 0)
		return;
	expect(what, errno, UNTOUCHED);
	fstat(fd, &st);
	expect("mode", st.st_mode & 0777, mode);
	expect("seals", fcntl(fd, F_GET_SEALS), has);
	close(fd);
}

static void expect_names_as_ever(void)
{
	unsigned int number = 0;
	char text[MEMFD_SEALS_STRLEN];

	expect("parse_flags", memfd_parse_flags("exec", &number, NULL), 0);
	expect("flags", number, MEMFD_EXEC);
	expect("parse_seals", memfd_parse_seals("exec", &number, NULL), 0);
	expect("seals", number, MEMFD_SEAL_EXEC);
	expect("format_seals", memfd_format_seals(1, text, sizeof(text)), 4);
	expect("text", strcmp(text, "seal"), 0);
}

/* In a process of its own. */
static void live_under(const struct rule *rules, const struct outcome *wanted,
		       int fd)
{
	char text[MEMFD_SEALS_STRLEN];
	size_t i;
	int open;

	install(rules);
	open = open_descriptors();
	for (i = 0; i < COUNT(flags); i++) {
		errno = UNTOUCHED;
		expect_file(flags[i].name, memfd_new("test", flags[i].number),
			    wanted->new[i].err, wanted->new[i].mode,
			    wanted->new[i].seals);
		errno = UNTOUCHED;
		expect_file(flags[i].name, memfd_new_str("test", flags[i].name),
			    wanted->new[i].err, wanted->new[i].mode,
			    wanted->new[i].seals);
	}
	errno = UNTOUCHED;
	expect_file("new_sealed", memfd_new_sealed("test", 0, "x", 1),
		    wanted->new_sealed, wanted->new[1].mode,
		    wanted->new[1].seals | MEMFD_SEAL_SEAL |
			    MEMFD_SEAL_IMMUTABLE);
	errno = UNTOUCHED;
	expect_file("new_sealed_str", memfd_new_sealed_str("test", "", "x", 1),
		    wanted->new_sealed, wanted->new[1].mode,
		    wanted->new[1].seals | MEMFD_SEAL_SEAL |
			    MEMFD_SEAL_IMMUTABLE);
	for (i = 0; i < COUNT(seals); i++) {
		expect(seals[i].name,
		       result_of(memfd_seal(fd, seals[i].number)),
		       wanted->seal[i]);
		expect(seals[i].name,
		       result_of(memfd_seal_str(fd, seals[i].name)),
		       wanted->seal[i]);
	}
	expect("get_seals", result_of(memfd_get_seals(fd)), wanted->get);
	expect("get_seals_str",
	       result_of(memfd_get_seals_str(fd, text, sizeof(text))),
	       wanted->get);
	expect("check_seals", result_of(memfd_check_seals(fd, MEMFD_SEAL_GROW)),
	       wanted->get);
	expect("check_seals_str", result_of(memfd_check_seals_str(fd, "grow")),
	       wanted->get);
	expect_names_as_ever();
	expect("descriptors open", open_descriptors(), open);
	_exit(wrong ? 1 : 0);
}

static void hold_under(const struct rule *rules, const struct outcome *wanted)
{
	int fd = succeeds(memfd_new("test", MEMFD_ALLOW_SEALING));
	int status;
	pid_t pid;

	succeeds(memfd_seal(fd, MEMFD_SEAL_GROW));
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		live_under(rules, wanted, fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close_it(fd);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip_because("no seccomp filters here");
	assert_int_equal(WEXITSTATUS(status), 0);
}

/*
 * Before Linux 6.3. Where vm.memfd_noexec is set, the kernel is younger, seals
 * what comes without the flags, and a sandbox has refused them: what was asked
 * for cannot be given then, but for a file that may be sealed.
 */
static struct outcome before_exec_flags(void)
{
	int fd = raw_memfd_create(0);
	int sealed = fcntl(fd, F_GET_SEALS) & MEMFD_SEAL_EXEC;
	int err = sealed ? EINVAL : 0;
	int huge_err = kernel_refuses(MEMFD_HUGETLB);

	close_it(fd);
	return (struct outcome){
		.new = { { err, 0666, MEMFD_SEAL_SEAL },
			 { 0, 0666, sealed ? MEMFD_SEAL_EXEC : 0 },
			 { err, 0777, MEMFD_SEAL_SEAL },
			 { EINVAL, 0, 0 },
			 { huge_err ? huge_err : err, 0666, MEMFD_SEAL_SEAL } },
		.seal = { 0, 0, EINVAL },
	};
}

static struct outcome after_exec_flags(void)
{
	if (!knows_exec_flags())
		skip_because("the kernel does not know the exec flags");
	return (struct outcome){
		.new = { { 0, 0666, MEMFD_SEAL_SEAL | MEMFD_SEAL_EXEC },
			 { 0, 0666, MEMFD_SEAL_EXEC },
			 { denies_exec() ? EACCES : 0, 0777, MEMFD_SEAL_SEAL },
			 { 0, 0666, MEMFD_SEAL_EXEC },
			 { kernel_refuses(MEMFD_HUGETLB | MEMFD_NOEXEC_SEAL),
			   0666, MEMFD_SEAL_SEAL | MEMFD_SEAL_EXEC } },
	};
}

/* Nothing can be made: each attempt fails with err. */
static struct outcome nothing_made(struct outcome outcome, int err)
{
	size_t i;

	for (i = 0; i < COUNT(flags); i++)
		outcome.new[i].err = err;
	outcome.new_sealed = err;
	return outcome;
}

static void no_filter(void **state)
{
	static const struct rule rules[] = { { 0 } };
	struct outcome outcome;

	(void)state;
	outcome = knows_exec_flags() ? after_exec_flags() : before_exec_flags();
	hold_under(rules, &outcome);
}

/* And in sandboxes that have their own kernel, without memfds. */
static void before_3_17(void **state)
{
	static const struct rule rules[] = {
		NO_MEMFD(ENOSYS), NO_SEALS(~0U, EINVAL), NO_GET_SEALS, { 0 }
	};
	struct outcome outcome = { .seal = { EINVAL, EINVAL, EINVAL },
				   .get = EINVAL };

	(void)state;
	outcome = nothing_made(outcome, ENOSYS);
	hold_under(rules, &outcome);
}

static void before_4_14(void **state)
{
	static const struct rule rules[] = { NO_FLAGS(~3U),
					     NO_SEALS(~0xfU, EINVAL),
					     { 0 } };
	struct outcome outcome = before_exec_flags();

	(void)state;
	outcome.new[4].err = EINVAL;
	outcome.seal[1] = EINVAL;
	hold_under(rules, &outcome);
}

static void before_5_1(void **state)
{
	static const struct rule rules[] = { NO_FLAGS(EXEC_FLAGS),
					     NO_SEALS(~0xfU, EINVAL),
					     { 0 } };
	struct outcome outcome = before_exec_flags();

	(void)state;
	outcome.seal[1] = EINVAL;
	hold_under(rules, &outcome);
}

static void before_6_3(void **state)
{
	static const struct rule rules[] = { NO_FLAGS(EXEC_FLAGS),
					     NO_SEALS(~0x1fU, EINVAL),
					     { 0 } };
	struct outcome outcome = before_exec_flags();

	(void)state;
	hold_under(rules, &outcome);
}

static void memfd_create_is_forbidden(void **state)
{
	static const struct rule rules[] = { NO_MEMFD(EPERM), { 0 } };
	struct outcome outcome = { .seal = { 0, 0, 0 } };

	(void)state;
	if (!knows_seal(MEMFD_SEAL_EXEC))
		outcome.seal[2] = EINVAL;
	outcome = nothing_made(outcome, EPERM);
	hold_under(rules, &outcome);
}

/* What the default needs a seal for is not given by halves. */
static void sealing_is_forbidden(void **state)
{
	static const struct rule rules[] = { NO_SEALS(~0U, EPERM), { 0 } };
	struct outcome outcome = after_exec_flags();

	(void)state;
	outcome.new[0].err = EPERM;
	if (!outcome.new[4].err)
		outcome.new[4].err = EPERM;
	outcome.new_sealed = EPERM;
	outcome.seal[0] = outcome.seal[1] = outcome.seal[2] = EPERM;
	hold_under(rules, &outcome);
}

static void sealing_is_forbidden_before_6_3(void **state)
{
	static const struct rule rules[] = { NO_FLAGS(EXEC_FLAGS),
					     NO_SEALS(~0U, EPERM),
					     { 0 } };
	struct outcome outcome = before_exec_flags();

	(void)state;
	outcome.new_sealed = EPERM;
	outcome.seal[0] = outcome.seal[1] = outcome.seal[2] = EPERM;
	hold_under(rules, &outcome);
}

static void fchmod_is_forbidden(void **state)
{
	static const struct rule rules[] = { NO_FCHMOD, { 0 } };
	struct outcome outcome = after_exec_flags();

	(void)state;
	hold_under(rules, &outcome);
}

/* Only what is meant to be executable is given there. */
static void fchmod_is_forbidden_before_6_3(void **state)
{
	static const struct rule rules[] = {
		NO_FLAGS(EXEC_FLAGS), NO_SEALS(~0x1fU, EINVAL), NO_FCHMOD, { 0 }
	};
	struct outcome outcome = before_exec_flags();

	(void)state;
	outcome.new[1].err = EPERM;
	if (!outcome.new[0].err)
		outcome.new[0].err = EPERM;
	if (!outcome.new[4].err)
		outcome.new[4].err = EPERM;
	outcome.new_sealed = EPERM;
	hold_under(rules, &outcome);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(no_filter),
		promise(before_3_17),
		promise(before_4_14),
		promise(before_5_1),
		promise(before_6_3),
		promise(memfd_create_is_forbidden),
		promise(sealing_is_forbidden),
		promise(sealing_is_forbidden_before_6_3),
		promise(fchmod_is_forbidden),
		promise(fchmod_is_forbidden_before_6_3),
	};

	return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
