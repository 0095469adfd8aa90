/* SPDX-License-Identifier: MIT */

/*
 * Every system call that a function makes fails in turn, with every errno. A
 * seccomp filter hands the calls of one thread to another, which lets them pass
 * or answers in the kernel's place (seccomp_unotify(2), Linux 5.5). Both share
 * memory and descriptors, so a short write is really made, and a close that
 * fails has really closed, as on Linux it always has.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memfd.h"

#include "tap.h"

#define ERRNOS 133
/* No kernel's: what errno is before a call, and after one that succeeded. */
#define UNTOUCHED 4242
#define CALLS 64

#ifdef SYS_fcntl64
#define FCNTL SYS_fcntl64
#else
#define FCNTL SYS_fcntl
#endif

struct call {
	int nr;
	__u64 args[4];
};

/* What the supervisor answers to the calls of an armed thread, in order. */
static struct {
	int armed;
	/* 0 lets it pass; an errno is the answer. */
	int answer[CALLS];
	/* The call is carried out before it is said to have failed. */
	int pretend;
	/* What has no seal for it when it is asked gets MEMFD_SEAL_EXEC. */
	int seals_exec;
	/* The most that a write moves; every other one is interrupted first. */
	size_t most;
	int interrupt;
	/* What every write is said to have moved is `most`, and nothing is. */
	int fake;
	struct call trace[CALLS];
	int length;
} plan;

static int listener;
static int finished;
static sem_t ready;

static void answer(struct seccomp_notif *req, struct seccomp_notif_resp *resp)
{
	const __u64 *a = req->data.args;
	int i = plan.length++, err;

	if (i < CALLS) {
		plan.trace[i].nr = req->data.nr;
		memcpy(plan.trace[i].args, a, sizeof(plan.trace[i].args));
	}
	err = i < CALLS ? plan.answer[i] : 0;
	resp->error = -err;
	if (err && req->data.nr == SYS_close)
		close((int)a[0]);
	else if (err && req->data.nr == FCNTL && plan.pretend)
		fcntl((int)a[0], (int)a[1], (unsigned long)a[2]);
	else if (req->data.nr == FCNTL && a[1] == F_GET_SEALS &&
		 plan.seals_exec)
		fcntl((int)a[0], F_ADD_SEALS, MEMFD_SEAL_EXEC);
	if (err || req->data.nr != SYS_pwrite64)
		return;
	if (plan.fake) {
		resp->flags = 0;
		resp->val = (long long)(a[2] < plan.most ? a[2] : plan.most);
	} else if (plan.interrupt && i % 2) {
		resp->flags = 0;
		resp->error = -EINTR;
	} else if (plan.most && a[2] > plan.most) {
		resp->flags = 0;
		resp->val = pwrite((int)a[0], (const void *)(uintptr_t)a[1],
				   plan.most, (off_t)a[3]);
	}
}

static void supervise(void)
{
	for (;;) {
		struct seccomp_notif req = { 0 };
		struct seccomp_notif_resp resp = { 0 };
		int last;

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0) {
			if (errno == EINTR)
				continue;
			need(0, "SECCOMP_IOCTL_NOTIF_RECV");
		}
		/* Asked before the thread goes on, or its last call hangs. */
		last = finished;
		resp.id = req.id;
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		if (plan.armed) {
			answer(&req, &resp);
			if (resp.error)
				resp.flags = 0;
		}
		need(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0,
		     "SECCOMP_IOCTL_NOTIF_SEND");
		if (last)
			return;
	}
}

static int install(void)
{
#define HAND_OVER(nr)                                                          \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                       \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		HAND_OVER(SYS_memfd_create),
		HAND_OVER(FCNTL),
		HAND_OVER(SYS_fchmod),
		HAND_OVER(SYS_pwrite64),
		HAND_OVER(SYS_close),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(filter) / sizeof(filter[0]), filter };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			    SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

/* The calls under test. */

static char data[] = "what is written";
static int target;

#define NEW(label, flags)                                                      \
	static int label(void)                                                 \
	{                                                                      \
		return memfd_new("faults", (flags));                           \
	}
#define NEW_SEALED(label, flags, size)                                         \
	static int label(void)                                                 \
	{                                                                      \
		return memfd_new_sealed("faults", (flags), data, (size));      \
	}

NEW(new_0, 0)
NEW(new_inherit, MEMFD_INHERIT)
NEW(new_allow_sealing, MEMFD_ALLOW_SEALING)
NEW(new_exec, MEMFD_EXEC)
NEW(new_exec_allow_sealing, MEMFD_EXEC | MEMFD_ALLOW_SEALING)
NEW(new_noexec_seal, MEMFD_NOEXEC_SEAL)
NEW_SEALED(new_sealed_0, 0, sizeof(data))
NEW_SEALED(new_sealed_empty, 0, 0)
NEW_SEALED(new_sealed_exec, MEMFD_EXEC, sizeof(data))
NEW_SEALED(new_sealed_noexec_seal, MEMFD_NOEXEC_SEAL, sizeof(data))

static int new_str(void)
{
	return memfd_new_str("faults", "inherit");
}

static int new_sealed_str(void)
{
	return memfd_new_sealed_str("faults", "cloexec", data, sizeof(data));
}

static int do_seal(void)
{
	return memfd_seal(target, MEMFD_SEAL_GROW);
}

static int seal_str(void)
{
	return memfd_seal_str(target, "grow,shrink");
}

static int get_seals(void)
{
	return memfd_get_seals(target);
}

static int get_seals_str(void)
{
	char buf[MEMFD_SEALS_STRLEN];

	return memfd_get_seals_str(target, buf, sizeof(buf));
}

static int check_seals(void)
{
	return memfd_check_seals(target, MEMFD_SEAL_SHRINK);
}

static int check_seals_str(void)
{
	return memfd_check_seals_str(target, "shrink");
}

static int parse_and_format(void)
{
	unsigned int number;
	char buf[MEMFD_SEALS_STRLEN];

	return memfd_parse_flags("exec,huge-2mb", &number, NULL) |
	       memfd_parse_seals("exec|immutable", &number, NULL) |
	       (memfd_format_seals(number, buf, sizeof(buf)) < 0);
}

#define GROWN (MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE)

static const struct function {
	const char *name;
	int (*run)(void);
	/* It returns a descriptor; with these seals, besides exec, this mode.
	 */
	int makes, seals, mode, size;
	/* The kernel's EINVAL to memfd_create is not the last word. */
	int retries;
	int calls;
} functions[] = {
	{ "memfd_new: 0", new_0, 1, MEMFD_SEAL_SEAL, 0666, 0, 1, 2 },
	{ "memfd_new: inherit", new_inherit, 1, MEMFD_SEAL_SEAL, 0666, 0, 1,
	  2 },
	{ "memfd_new: allow-sealing", new_allow_sealing, 1, 0, 0666, 0, 1, 1 },
	{ "memfd_new: exec", new_exec, 1, MEMFD_SEAL_SEAL, 0777, 0, 1, 1 },
	{ "memfd_new: exec,allow-sealing", new_exec_allow_sealing, 1, 0, 0777,
	  0, 1, 1 },
	{ "memfd_new: noexec-seal", new_noexec_seal, 1, 0, 0666, 0, 0, 1 },
	{ "memfd_new_str: inherit", new_str, 1, MEMFD_SEAL_SEAL, 0666, 0, 1,
	  2 },
	{ "memfd_new_sealed: 0", new_sealed_0, 1, GROWN, 0666, sizeof(data), 1,
	  3 },
	{ "memfd_new_sealed: size 0", new_sealed_empty, 1, GROWN, 0666, 0, 1,
	  2 },
	{ "memfd_new_sealed: exec", new_sealed_exec, 1, GROWN, 0777,
	  sizeof(data), 1, 3 },
	{ "memfd_new_sealed: noexec-seal", new_sealed_noexec_seal, 1, GROWN,
	  0666, sizeof(data), 0, 3 },
	{ "memfd_new_sealed_str: cloexec", new_sealed_str, 1, GROWN, 0666,
	  sizeof(data), 1, 3 },
	{ "memfd_seal", do_seal, 0, 0, 0, 0, 0, 1 },
	{ "memfd_seal_str", seal_str, 0, 0, 0, 0, 0, 1 },
	{ "memfd_get_seals", get_seals, 0, 0, 0, 0, 0, 1 },
	{ "memfd_get_seals_str", get_seals_str, 0, 0, 0, 0, 0, 1 },
	{ "memfd_check_seals", check_seals, 0, 0, 0, 0, 0, 1 },
	{ "memfd_check_seals_str", check_seals_str, 0, 0, 0, 0, 0, 1 },
	{ "the conversions", parse_and_format, 0, 0, 0, 0, 0, 0 },
};

static const char *call_name(const struct call *call)
{
	switch (call->nr) {
	case SYS_memfd_create:
		return "memfd_create";
	case SYS_fchmod:
		return "fchmod";
	case SYS_pwrite64:
		return "pwrite";
	case SYS_close:
		return "close";
	default:
		return call->args[1] == F_ADD_SEALS ? "F_ADD_SEALS"
						    : "F_GET_SEALS";
	}
}

/* close(2) is handed over; this is not. */
static void put_back(int fd)
{
	syscall(SYS_close_range, fd, fd, 0);
}

static int next_descriptor(void)
{
	int fd = dup(0);

	put_back(fd);
	return fd;
}

static void prepare(const int *answers)
{
	memset(&plan, 0, sizeof(plan));
	if (answers)
		memcpy(plan.answer, answers, sizeof(plan.answer));
}

static int run(const struct function *f)
{
	int returned;

	plan.length = 0;
	plan.armed = 1;
	errno = UNTOUCHED;
	returned = f->run();
	plan.armed = 0;
	return returned;
}

/* What was promised of a call that succeeded, whatever it went through. */
static int sound(const struct function *f, int returned)
{
	char buf[sizeof(data)];
	struct stat st;
	int good = returned >= 0 && errno == UNTOUCHED;

	if (returned < 0 || !f->makes)
		return good;
	good = good && fstat(returned, &st) == 0 &&
	       (st.st_mode & 07777) == (mode_t)f->mode &&
	       st.st_size == f->size && lseek(returned, 0, SEEK_CUR) == 0 &&
	       (memfd_get_seals(returned) & 0x0f) == f->seals &&
	       pread(returned, buf, sizeof(buf), 0) == f->size &&
	       memcmp(buf, data, (size_t)f->size) == 0;
	put_back(returned);
	return good;
}

static int works_again(const struct function *f)
{
	prepare(NULL);
	return sound(f, run(f));
}

static int closed(int from)
{
	int i, n = 0;

	for (i = from; i < plan.length; i++)
		n += plan.trace[i].nr == SYS_close;
	return n;
}

/* Call `at` answers err, after those before it answered as `answers` says. */
static int fails_right(const struct function *f, const int *answers, int at,
		       int err)
{
	int before = next_descriptor(), i, returned, made = 0;

	prepare(answers);
	plan.answer[at] = err;
	returned = run(f);
	for (i = 0; i < at; i++)
		made |= plan.trace[i].nr == SYS_memfd_create && !plan.answer[i];
	return returned == -1 && errno == err && next_descriptor() == before &&
	       closed(0) == made && works_again(f);
}

/* The first failure is the one told: what comes after it does not matter. */
static void and_then_fail(const struct function *f, const int *answers, int at,
			  const char *path)
{
	int next, length, err;

	prepare(answers);
	plan.answer[at] = ENOSPC;
	if (run(f) >= 0)
		return;
	length = plan.length;
	for (next = at + 1; next < length; next++) {
		char name[64] = "";
		int good = 1;

		snprintf(name, sizeof(name), "%s",
			 call_name(&plan.trace[next]));
		for (err = 1; err <= ERRNOS; err++) {
			int before = next_descriptor();

			prepare(answers);
			plan.answer[at] = ENOSPC;
			plan.answer[next] = err;
			good &= run(f) == -1 && errno == ENOSPC &&
				next_descriptor() == before;
		}
		ok(good,
		   "%s%s, call %d fails, then call %d (%s) with each errno: "
		   "the first failure is told",
		   f->name, path, at + 1, next + 1, name);
	}
}

static void explore(const struct function *f, const int *answers, int from,
		    const char *path)
{
	int at, err, length, returned;

	prepare(answers);
	returned = run(f);
	length = plan.length;
	ok(sound(f, returned) && (from || length == f->calls),
	   "%s%s: works, in %d system calls", f->name, path, length);
	for (at = from; at < length; at++) {
		struct call call = plan.trace[at];
		/* Whether it knows the flags after all: only a question. */
		int asks = from && call.nr == SYS_fcntl &&
			   call.args[1] == F_GET_SEALS;
		int good = 1;

		for (err = 1; asks && err <= ERRNOS; err++) {
			prepare(answers);
			plan.answer[at] = err;
			good &= sound(f, run(f));
		}
		if (asks) {
			ok(good, "%s%s, call %d (F_GET_SEALS) is no obstacle",
			   f->name, path, at + 1);
			continue;
		}
		for (err = 1; err <= ERRNOS; err++) {
			if (call.nr == SYS_pwrite64 && err == EINTR)
				continue;
			if (call.nr == SYS_memfd_create && err == EINVAL &&
			    f->retries && !from)
				continue;
			if (!fails_right(f, answers, at, err)) {
				printf("# wrong for errno %d\n", err);
				good = 0;
			}
		}
		ok(good,
		   "%s%s, call %d (%s) fails with each errno: the right one "
		   "comes out, nothing stays open, the next works",
		   f->name, path, at + 1, call_name(&call));
		and_then_fail(f, answers, at, path);
		/* For the next turn. */
		prepare(answers);
		returned = run(f);
		if (f->makes)
			put_back(returned);
	}
}

static int old_kernel_can_be_played(void)
{
	FILE *file = fopen("/proc/sys/vm/memfd_noexec", "r");
	int value = 0;

	if (file && fscanf(file, "%d", &value) != 1)
		value = 1;
	if (file)
		fclose(file);
	return value == 0;
}

static void every_failure(void)
{
	static const int none[CALLS];
	static const int before_exec_flags[CALLS] = { EINVAL };
	size_t i;

	target = memfd_new("target", MEMFD_ALLOW_SEALING);
	need(target >= 0, "memfd_new");
	need(memfd_seal(target, MEMFD_SEAL_SHRINK) == 0, "memfd_seal");
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		const struct function *f = &functions[i];

		explore(f, none, 0, "");
		if (!f->retries)
			continue;
		if (old_kernel_can_be_played())
			explore(f, before_exec_flags, 1,
				", without the exec flags");
		else
			skip(f->name, "vm.memfd_noexec is not 0");
	}
	put_back(target);
}

/* A kernel that closes sealing together with MFD_NOEXEC_SEAL. */
static void sealed_already(void)
{
	int fd, good;

	prepare(NULL);
	plan.answer[1] = EPERM;
	plan.pretend = 1;
	fd = run(&functions[0]);
	good = plan.length == 3 && plan.trace[2].args[1] == F_GET_SEALS;
	ok(sound(&functions[0], fd) && good,
	   "memfd_new: 0: a kernel that has set the seal already is no error");
}

/* vm.memfd_noexec is 1, and a sandbox does not know the exec flags. */
static void refused_by_a_sandbox(void)
{
	const char *name = "memfd_new: exec, refused by a sandbox alone, fails";
	int before = next_descriptor(), returned;
	int fd = memfd_new("seals", MEMFD_ALLOW_SEALING);
	int known = memfd_seal(fd, MEMFD_SEAL_EXEC) == 0;

	put_back(fd);
	if (!known) {
		skip(name, "this kernel does not know the seal exec");
		return;
	}
	prepare(NULL);
	plan.answer[0] = EINVAL;
	plan.seals_exec = 1;
	plan.armed = 1;
	returned = memfd_new("exec", MEMFD_EXEC | MEMFD_ALLOW_SEALING);
	plan.armed = 0;
	ok(returned == -1 && errno == EINVAL && next_descriptor() == before,
	   "%s", name);
}

static int filled_right(size_t most, int interrupt, size_t size)
{
	char *from = malloc(size), *back = malloc(size);
	struct stat st;
	int fd, good;
	size_t i;

	need(from && back, "malloc");
	for (i = 0; i < size; i++)
		from[i] = (char)(i * 7 + (i >> 8));
	prepare(NULL);
	plan.most = most;
	plan.interrupt = interrupt;
	plan.armed = 1;
	errno = UNTOUCHED;
	fd = memfd_new_sealed("filled", 0, from, size);
	plan.armed = 0;
	good = fd >= 0 && errno == UNTOUCHED && fstat(fd, &st) == 0 &&
	       st.st_size == (off_t)size &&
	       pread(fd, back, size, 0) == (ssize_t)size &&
	       memcmp(from, back, size) == 0 &&
	       plan.length >= 2 + (int)((size + most - 1) / most);
	if (fd >= 0)
		put_back(fd);
	free(from);
	free(back);
	return good;
}

static void short_writes(void)
{
	int before = next_descriptor(), returned, good;

	ok(filled_right(1, 0, 5000), "memfd_new_sealed, one byte at a time");
	ok(filled_right(1, 1, 5000),
	   "memfd_new_sealed, one byte at a time, each write interrupted once");
	ok(filled_right(4097, 1, 1000000),
	   "memfd_new_sealed, a page and a byte at a time, interrupted");

	prepare(NULL);
	plan.fake = 1;
	plan.armed = 1;
	returned = memfd_new_sealed("zero", 0, data, sizeof(data));
	plan.armed = 0;
	good = returned == -1 && errno == EIO && next_descriptor() == before;
	ok(good, "memfd_new_sealed, a write that moves nothing is EIO");
}

/* Nothing is read or written, so that 5 GiB cost nothing. */
static void large_writes(void)
{
	const uint64_t size = 5ULL << 30, most = 0x7ffff000;
	uint64_t done = 0;
	int fd, i, good = 1;

	if (SIZE_MAX < size) {
		skip("memfd_new_sealed, 5 GiB", "size_t has 32 bits");
		return;
	}
	prepare(NULL);
	plan.fake = 1;
	plan.most = most;
	plan.armed = 1;
	fd = memfd_new_sealed("large", 0, data, (size_t)size);
	plan.armed = 0;
	for (i = 0; i < plan.length; i++) {
		if (plan.trace[i].nr != SYS_pwrite64)
			continue;
		good &= plan.trace[i].args[1] == (uintptr_t)data + done &&
			plan.trace[i].args[2] <= most &&
			plan.trace[i].args[3] == done;
		done += plan.trace[i].args[2];
	}
	ok(fd >= 0 && good && done == size && plan.length == 5,
	   "memfd_new_sealed, 5 GiB in 3 writes, none larger than a kernel's");
	if (fd >= 0)
		put_back(fd);
}

static void *thread(void *arg)
{
	(void)arg;
	listener = install();
	sem_post(&ready);
	if (listener < 0)
		return NULL;
	every_failure();
	sealed_already();
	refused_by_a_sandbox();
	short_writes();
	large_writes();
	finished = 1;
	close(-1);
	return NULL;
}

int main(void)
{
	pthread_t id;

	sem_init(&ready, 0, 0);
	need(!pthread_create(&id, NULL, thread, NULL), "pthread_create");
	while (sem_wait(&ready) < 0)
		;
	if (listener < 0)
		skip("every failure", "no seccomp user notification");
	else
		supervise();
	pthread_join(id, NULL);
	return done_testing();
}
