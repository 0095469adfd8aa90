/* SPDX-License-Identifier: MIT */

/*
 * Called by a signal handler that interrupts the same function, and by a thread
 * that is cancelled, at every instruction of the way: the processor's trap flag
 * makes each raise SIGTRAP.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <unistd.h>

#include "memfd.h"

#include "../tap.h"

#if defined(__x86_64__)
#define TRAP_ON()                                                              \
	__asm__ volatile("subq $128, %%rsp\n\tpushfq\n\t"                      \
			 "orl $0x100, (%%rsp)\n\tpopfq\n\t"                    \
			 "addq $128, %%rsp" ::                                 \
				 : "memory", "cc")
#define TRAP_OFF()                                                             \
	__asm__ volatile("subq $128, %%rsp\n\tpushfq\n\t"                      \
			 "andl $0xfffffeff, (%%rsp)\n\tpopfq\n\t"              \
			 "addq $128, %%rsp" ::                                 \
				 : "memory", "cc")
#else
#define TRAP_ON() (void)0
#define TRAP_OFF() (void)0
#endif

static char data[] = "some bytes";
static int target;
/* Files to copy: with sendfile(2), and by reading, which this one asks for. */
static int source, reluctant;

/* Each returns 1 if all is as promised, and leaves nothing open. */

static int close_with(int fd, int seals)
{
	int good = fd >= 0 && errno == UNTOUCHED &&
		   (memfd_get_seals(fd) & 0x0f) == seals;

	if (fd >= 0)
		close(fd);
	return good;
}

/* With fewest calls while the flag is up, each is an instruction to try. */
#define STEP(label, seals, expression)                                         \
	static int label##_step(void)                                          \
	{                                                                      \
		int fd;                                                        \
                                                                               \
		errno = UNTOUCHED;                                             \
		TRAP_ON();                                                     \
		fd = expression;                                               \
		TRAP_OFF();                                                    \
		return fd;                                                     \
	}                                                                      \
	static int label##_good(int fd)                                        \
	{                                                                      \
		return close_with(fd, seals);                                  \
	}                                                                      \
	static int label##_fresh(void)                                         \
	{                                                                      \
		errno = UNTOUCHED;                                             \
		return close_with(expression, seals);                          \
	}

STEP(memfd_new, 0x01, memfd_new("steps", 0))
STEP(memfd_new_allow_sealing, 0, memfd_new("steps", MEMFD_ALLOW_SEALING))
STEP(memfd_new_str, 0, memfd_new_str("steps", "allow-sealing"))
STEP(memfd_new_sized, 0x03, memfd_new_sized("steps", 0, 4096, 0x03))
STEP(memfd_new_sealed, 0x0f, memfd_new_sealed("steps", 0, data, sizeof(data)))
STEP(memfd_new_sealed_str, 0x0f,
     memfd_new_sealed_str("steps", "cloexec", data, sizeof(data)))
STEP(memfd_new_sealed_copy, 0x0f,
     memfd_new_sealed_copy("steps", 0, source, SIZE_MAX))
STEP(memfd_new_sealed_copy_by_reading, 0x0f,
     memfd_new_sealed_copy("steps", 0, reluctant, SIZE_MAX))

/* What fails on the way fails as promised. */
static int failed_step(void)
{
	int fd;

	errno = UNTOUCHED;
	TRAP_ON();
	/* The bytes cannot be read: made, filled in vain, and closed. */
	fd = memfd_new_sealed("steps", 0, (void *)8, 8);
	TRAP_OFF();
	return fd;
}

static int failed_good(int fd)
{
	return fd == -1 && errno == EFAULT;
}

static int failed_fresh(void)
{
	return memfd_new_sealed("steps", 0, (void *)8, 8) == -1 &&
	       errno == EFAULT;
}

static int others_step(void)
{
	unsigned int number;
	char buf[MEMFD_SEALS_STRLEN];
	int bad;

	errno = UNTOUCHED;
	TRAP_ON();
	bad = memfd_seal(target, MEMFD_SEAL_GROW) |
	      (memfd_get_seals(target) & MEMFD_SEAL_WRITE) |
	      memfd_check_seals(target, MEMFD_SEAL_GROW) |
	      memfd_seal_str(target, "grow") |
	      memfd_check_seals_str(target, "F_SEAL_GROW") |
	      memfd_parse_flags("MFD_HUGE_2MB|exec", &number, NULL) |
	      (number != (MEMFD_HUGE_2MB | MEMFD_EXEC)) |
	      (memfd_format_seals(0x48, buf, sizeof(buf)) != 10) |
	      (memfd_get_seals_str(target, buf, sizeof(buf)) < 4);
	TRAP_OFF();
	return bad;
}

static int others_good(int bad)
{
	return !bad && errno == UNTOUCHED;
}

static int others_fresh(void)
{
	unsigned int number;
	char buf[MEMFD_SEALS_STRLEN];

	errno = UNTOUCHED;
	return memfd_seal(target, MEMFD_SEAL_GROW) == 0 &&
	       memfd_check_seals_str(target, "grow") == 0 &&
	       memfd_parse_seals("0x48", &number, NULL) == 0 &&
	       number == 0x48 &&
	       memfd_format_seals(0x48, buf, sizeof(buf)) == 10 &&
	       strcmp(buf, "write,0x40") == 0 && errno == UNTOUCHED;
}

static const struct function {
	const char *name;
	/* Steps through a call; judges what it returned; calls it anew. */
	int (*step)(void);
	int (*good)(int returned);
	int (*fresh)(void);
} functions[] = {
#define ENTRY(label) #label, label##_step, label##_good, label##_fresh
	{ ENTRY(memfd_new) },
	{ ENTRY(memfd_new_allow_sealing) },
	{ ENTRY(memfd_new_str) },
	{ ENTRY(memfd_new_sealed) },
	{ ENTRY(memfd_new_sealed_str) },
	{ ENTRY(memfd_new_sized) },
	{ ENTRY(memfd_new_sealed_copy) },
	{ ENTRY(memfd_new_sealed_copy_by_reading) },
	{ "memfd_new_sealed that fails", failed_step, failed_good,
	  failed_fresh },
	{ "the other functions", others_step, others_good, others_fresh },
};

static const struct function *interrupting;
static int steps, handler_failed;

static void call_again(int sig)
{
	int saved = errno;

	(void)sig;
	steps++;
	if (!interrupting->fresh())
		handler_failed++;
	errno = saved;
}

static int stop_at, go_on;
static sem_t reached;

/* Only asks: the main thread cancels, as somebody else would. */
static void ask_for_cancel(int sig)
{
	int saved = errno;

	(void)sig;
	if (steps++ == stop_at) {
		sem_post(&reached);
		while (!__atomic_load_n(&go_on, __ATOMIC_SEQ_CST))
			sched_yield();
	}
	errno = saved;
}

static void on_trap(void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	need(sigaction(SIGTRAP, &action, NULL) == 0, "sigaction");
}

static int returned, ended;

static void *stepping(void *arg)
{
	const struct function *f = arg;
	int state;

	returned = f->step();
	/* Only now: what it returned has to be taken before it ends. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	ended = f->good(returned) && state == PTHREAD_CANCEL_ENABLE;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	sem_post(&reached);
	pthread_testcancel();
	return NULL;
}

/* Whether the cancellation found its way, and the function its own first. */
static int cancelled_right(const struct function *f, int at)
{
	pthread_t id;
	void *status;

	stop_at = at;
	steps = go_on = ended = 0;
	sem_init(&reached, 0, 0);
	need(!pthread_create(&id, NULL, stepping, (void *)f), "pthread_create");
	while (sem_wait(&reached) < 0)
		;
	pthread_cancel(id);
	__atomic_store_n(&go_on, 1, __ATOMIC_SEQ_CST);
	pthread_join(id, &status);
	return ended && status == PTHREAD_CANCELED;
}

int main(void)
{
	size_t i;

	target = memfd_new("target", MEMFD_ALLOW_SEALING);
	need(target >= 0, "memfd_new");
	source = memfd_new_sealed("source", 0, data, sizeof(data));
	need(source >= 0, "memfd_new_sealed");
	reluctant = open("/proc/self/personality", O_RDONLY | O_CLOEXEC);
	need(reluctant >= 0, "/proc/self/personality");
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		const struct function *f = &functions[i];
		int before, good, count, at;

		/* The loader's work is done before the first. */
		on_trap(SIG_IGN);
		good = f->fresh();
		before = open_descriptors();
		steps = handler_failed = 0;
		interrupting = f;
		on_trap(call_again);
		good = good && f->good(f->step());
		count = steps;
		if (!count) {
			skip(f->name, "no trap flag");
			continue;
		}
		ok(good && !handler_failed && open_descriptors() == before,
		   "%s, called by a handler at each of its %d instructions",
		   f->name, count);

		on_trap(ask_for_cancel);
		/* The first cancellation loads libgcc_s. */
		cancelled_right(f, count);
		/* They make no descriptor that could be lost. */
		if (f->step == others_step)
			continue;
		for (at = 0, good = 1; good && at < count; at++)
			good = cancelled_right(f, at);
		ok(good && open_descriptors() == before,
		   "%s, its thread cancelled at each of its %d instructions: "
		   "it returns first, and nothing stays open",
		   f->name, count);
	}
	return done_testing();
}
