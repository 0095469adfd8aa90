/* SPDX-License-Identifier: MIT */

/*
 * Eight threads call everything at once; a process of many threads forks. Built
 * with ThreadSanitizer where the compiler has it.
 */

#include "../shared/calls.h"
#include "../shared/tap.h"

#include <pthread.h>
#include <sys/wait.h>

#define THREADS 8
#define ROUNDS 500

#ifdef __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(thread_sanitizer)
#else
#define SANITIZED 0
#endif

static int failures, stop;

static void expect(int good, const char *what)
{
	if (good)
		return;
	printf("# %s\n", what);
	__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

/* Every call, and a file and its copy with what no other thread puts there. */
static void call_everything(int number)
{
	char text[32], back[32] = "";
	int i, file, copied;

	for (i = 0; i < (int)CALLS; i++) {
		int which = (number + i) % (int)CALLS;

		expect(goes_right(&calls[which]), calls[which].name);
	}
	snprintf(text, sizeof(text), "thread-%d", number);
	file = memfd_new_sealed(text, 0, text, sizeof(text));
	copied = memfd_new_sealed_copy(text, 0, file, sizeof(text));
	expect(pread(copied, back, sizeof(back), 0) == sizeof(text) &&
		       strcmp(back, text) == 0,
	       "a thread's file has its bytes");
	close(file);
	close(copied);
}

static void *some_rounds(void *number)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		call_everything((int)(intptr_t)number);
	return NULL;
}

static void *until_stopped(void *number)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		free(malloc((size_t)rand() % 4096));
		call_everything((int)(intptr_t)number);
	}
	return NULL;
}

/*
 * Between fork and exec, where only async-signal-safe functions may be called:
 * any lock of the process may be held for ever.
 */
static void fork_often(void)
{
	int round, status;

	for (round = 0; round < 100; round++) {
		pid_t pid = fork();

		need(pid >= 0, "fork");
		if (pid == 0) {
			alarm(600);
			failures = 0;
			call_everything(THREADS);
			_exit(failures != 0);
		}
		need(waitpid(pid, &status, 0) == pid, "waitpid");
		expect(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		       "a child calls everything");
	}
}

static void in_threads(void *(*run)(void *), void (*meanwhile)(void))
{
	pthread_t ids[THREADS];
	int i;

	failures = stop = 0;
	for (i = 0; i < THREADS; i++)
		need(!pthread_create(&ids[i], NULL, run, (void *)(intptr_t)i),
		     "pthread_create");
	if (meanwhile)
		meanwhile();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
}

int main(void)
{
	int before;

	if (SANITIZED)
		ok(1, "under ThreadSanitizer, which fails what follows");
	else
		skip("under ThreadSanitizer", "not had by the compiler");
	need(open_files(), "files to call with");
	/* A thread's first end loads what stays open. */
	in_threads(some_rounds, NULL);
	before = open_descriptors();
	in_threads(some_rounds, NULL);
	ok(!failures && open_descriptors() == before,
	   "%d threads call everything", THREADS);
	in_threads(until_stopped, fork_often);
	ok(!failures && open_descriptors() == before,
	   "between fork and exec, while %d threads are at it", THREADS);
	return done_testing();
}
