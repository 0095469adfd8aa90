/* SPDX-License-Identifier: MIT */

/*
 * Called by a signal handler that interrupts the same function, and by a thread
 * that is cancelled, at every instruction of the way: the processor's trap flag
 * makes each raise SIGTRAP.
 */

#include "../shared/calls.h"
#include "../shared/tap.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <ucontext.h>

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
/* What was interrupted goes on without. */
static void trap_no_more(ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_EFL] &= ~0x100;
}
#else
#define TRAP_ON() (void)0
#define TRAP_OFF() (void)0
#define trap_no_more(context) (void)(context)
#endif

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
		trap_no_more(context);
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

	need(sigaction(SIGTRAP, &action, NULL) == 0, "sigaction");
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
	need(!pthread_create(&id, NULL, stepping, (void *)call),
	     "pthread_create");
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

	need(open_files(), "files to call with");
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
		if (!count) {
			skip(call->name, "no trap flag");
			continue;
		}
		ok(good && !handler_failed && open_descriptors() == before,
		   "%s, called by a handler at each of its %d instructions",
		   call->name, count);

		/* Nothing to be lost. */
		if (call->outcome == RETURNS)
			continue;
		on_trap(ask_for_cancel);
		/* The first cancellation loads libgcc_s. */
		cancelled_right(call, count);
		for (at = 0, good = 1; good && at < count; at++)
			good = cancelled_right(call, at);
		ok(good && open_descriptors() == before,
		   "%s, its thread cancelled at each of its %d instructions: "
		   "it returns first, and nothing stays open",
		   call->name, count);
	}
	return done_testing();
}
