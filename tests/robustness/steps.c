/* SPDX-License-Identifier: MIT */

/*
 * Called by a signal handler that interrupts the same function, and by a thread
 * that is cancelled, at every instruction of the way: the processor's trap flag
 * makes each raise SIGTRAP.
 */

#include "../shared/calls.h"

#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>

/* Changes the flags of the processor, below what a function keeps there. */
#define FLAGS(change)                                                          \
	__asm__ volatile("subq $128, %%rsp\n\tpushfq\n\t" change               \
			 ", (%%rsp)\n\tpopfq\n\taddq $128, %%rsp" ::           \
				 : "memory", "cc")
#define TRAP_ON() FLAGS("orl $0x100")
#define TRAP_OFF() FLAGS("andl $0xfffffeff")

static int tests, failed;

/* A line of TAP: https://testanything.org/ */
static void ok(int good, const struct call *call, int count, const char *how)
{
	printf("%sok %d - %s, %s at each of its %d instructions\n",
	       good ? "" : "not ", ++tests, call->name, how, count);
	fflush(stdout);
	failed += !good;
}

static int step_through(const struct call *call)
{
	int returned;

	errno = UNTOUCHED;
	TRAP_ON();
	returned = call->function();
	TRAP_OFF();
	return returned;
}

static const struct call *interrupting;
static int steps, handler_failed;

static void call_again(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)sig, (void)info, (void)context;
	steps++;
	if (!goes_right(interrupting))
		handler_failed++;
	errno = saved;
}

static int stop_at, go_on;
static sem_t reached;

/* Only asks: the main thread cancels, as somebody else would. */
static void ask_for_cancel(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	(void)sig, (void)info;
	if (steps++ == stop_at) {
		/* What was interrupted goes on without. */
		((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~0x100;
		sem_post(&reached);
		while (!__atomic_load_n(&go_on, __ATOMIC_SEQ_CST))
			sched_yield();
	}
	errno = saved;
}

static void on_trap(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler,
				    .sa_flags = SA_SIGINFO };

	if (sigaction(SIGTRAP, &action, NULL) < 0)
		err(1, "sigaction");
}

static int ended;

static void *stepping(void *arg)
{
	int returned, state;

	returned = step_through(arg);
	/* Only now: what it returned has to be taken before it ends. */
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	ended = is_right(arg, returned) && state == PTHREAD_CANCEL_ENABLE;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	sem_post(&reached);
	pthread_testcancel();
	return NULL;
}

/* Whether the cancellation found its way, and the function its own first. */
static int cancelled_right(const struct call *call, int at)
{
	pthread_t id;
	void *status;

	stop_at = at;
	steps = go_on = ended = 0;
	sem_init(&reached, 0, 0);
	if (pthread_create(&id, NULL, stepping, (void *)call) != 0)
		errx(1, "pthread_create");
	while (sem_wait(&reached) < 0)
		;
	pthread_cancel(id);
	__atomic_store_n(&go_on, 1, __ATOMIC_SEQ_CST);
	pthread_join(id, &status);
	return ended && status == PTHREAD_CANCELED;
}

int main(void)
{
	const struct call *call;

	if (!open_files())
		err(1, "files to call with");
	for (call = calls; call < calls + CALLS; call++) {
		int before, good, count, at;

		/* The loader's work is done before the first. */
		good = goes_right(call);
		before = open_descriptors();
		steps = handler_failed = 0;
		interrupting = call;
		on_trap(call_again);
		good = good && is_right(call, step_through(call));
		count = steps;
		ok(good && count && !handler_failed &&
			   open_descriptors() == before,
		   call, count, "called by a handler");

		/* Nothing to be lost. */
		if (call->outcome == RETURNS)
			continue;
		on_trap(ask_for_cancel);
		/* The first cancellation loads libgcc_s. */
		cancelled_right(call, count);
		for (at = 0, good = 1; good && at < count; at++)
			good = cancelled_right(call, at);
		ok(good && open_descriptors() == before, call, count,
		   "returning first if its thread is cancelled");
	}
	printf("1..%d\n", tests);
	return failed != 0;
}
