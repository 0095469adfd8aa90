/* SPDX-License-Identifier: MIT */

/*
 * Eight threads create, seal and close; eight race to seal one memfd; a process
 * of many threads forks. Built with ThreadSanitizer where the compiler has it.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memfd.h"

#include "../tap.h"

#define THREADS 8
#define ROUNDS 500

#ifdef __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED __has_feature(thread_sanitizer)
#else
#define SANITIZED 0
#endif

static pthread_barrier_t barrier;
static int failures;

#define expect(condition)                                                      \
	do {                                                                   \
		if (!(condition)) {                                            \
			printf("# line %d: %s\n", __LINE__, #condition);       \
			__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);    \
		}                                                              \
	} while (0)

static void in_eight_threads(void *(*run)(void *))
{
	pthread_t ids[THREADS];
	int i;

	failures = 0;
	for (i = 0; i < THREADS; i++)
		need(!pthread_create(&ids[i], NULL, run, (void *)(intptr_t)i),
		     "pthread_create");
	for (i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
}

/* Each call of the library, and what it says is this thread's own. */
static void use_everything(int number)
{
	char text[32], buf[MEMFD_SEALS_STRLEN], link[64], path[32];
	unsigned int parsed;
	int fd, sealed, copied, sized;

	snprintf(text, sizeof(text), "thread-%d", number);
	errno = number;
	fd = memfd_new_str(text, "allow-sealing");
	expect(fd >= 0 && errno == number);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memset(link, 0, sizeof(link));
	expect(readlink(path, link, sizeof(link) - 1) > 0);
	expect(strstr(link, text));
	expect(memfd_parse_seals("grow|shrink", &parsed, NULL) == 0);
	expect(memfd_seal(fd, parsed) == 0);
	expect(memfd_check_seals_str(fd, "write") == -1 && errno == EPERM);
	expect(memfd_get_seals_str(fd, buf, sizeof(buf)) > 0);
	expect(strstr(buf, "shrink,grow"));
	expect(memfd_seal_str(fd, "write") == 0);
	expect(memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE) == 0);

	sealed = memfd_new_sealed(text, 0, text, sizeof(text));
	expect(sealed >= 0);
	expect(pread(sealed, buf, sizeof(text), 0) == sizeof(text));
	expect(strcmp(buf, text) == 0);
	copied = memfd_new_sealed_copy_str(text, "", sealed, sizeof(text));
	expect(copied >= 0);
	expect(pread(copied, buf, sizeof(text), 0) == sizeof(text));
	expect(strcmp(buf, text) == 0);
	sized = memfd_new_sized(text, 0, (size_t)number, MEMFD_SEAL_SHRINK);
	expect(sized >= 0);
	expect(lseek(sized, 0, SEEK_END) == number);
	expect(memfd_check_seals(sized, MEMFD_SEAL_SHRINK) == 0);
	errno = number;
	expect(memfd_new(NULL, 0) == -1 && errno == EFAULT);
	close(fd);
	close(sealed);
	close(copied);
	close(sized);
}

static void *create_seal_close(void *arg)
{
	int i;

	pthread_barrier_wait(&barrier);
	for (i = 0; i < ROUNDS; i++)
		use_everything((int)(intptr_t)arg + 1);
	return NULL;
}

static int contested, winners, waiting;

/*
 * Each adds a seal of its own and `seal`: what one call sets is set together,
 * so the last seals seen are those of the winner and of nobody else.
 */
static void *race_to_seal(void *arg)
{
	static const unsigned int own[] = { MEMFD_SEAL_SHRINK, MEMFD_SEAL_GROW,
					    MEMFD_SEAL_WRITE,
					    MEMFD_SEAL_FUTURE_WRITE };
	unsigned int mine = own[(intptr_t)arg % 4];
	int round, seen, again;

	for (round = 0; round < ROUNDS; round++) {
		if (arg == NULL) {
			contested = memfd_new("race", MEMFD_ALLOW_SEALING);
			expect(contested >= 0);
			winners = 0;
		}
		pthread_barrier_wait(&barrier);
		/* The barrier lets them go one by one; this, all at once. */
		__atomic_fetch_add(&waiting, 1, __ATOMIC_RELAXED);
		while (__atomic_load_n(&waiting, __ATOMIC_RELAXED) <
		       THREADS * (round + 1))
			sched_yield();
		seen = memfd_get_seals(contested);
		if (memfd_seal(contested, mine | MEMFD_SEAL_SEAL) == 0) {
			__atomic_fetch_add(&winners, 1, __ATOMIC_RELAXED);
			expect(memfd_check_seals(contested, mine) == 0);
		} else {
			expect(errno == EPERM);
		}
		again = memfd_get_seals(contested);
		expect(!(seen & ~again));
		expect(again & MEMFD_SEAL_SEAL);
		pthread_barrier_wait(&barrier);
		/* One seal of the four: the losers' have left no trace. */
		seen = memfd_get_seals(contested);
		expect(seen == again);
		expect(__builtin_popcount((unsigned int)seen & 0x1e) == 1);
		expect(winners == 1);
		pthread_barrier_wait(&barrier);
		if (arg == NULL)
			close(contested);
	}
	return NULL;
}

/* One seal each, none of them the last: all end up set, and none vanishes. */
static void *seal_together(void *arg)
{
	unsigned int mine = 2U << (intptr_t)arg % 4;
	int round, seen, now;

	for (round = 0; round < ROUNDS; round++) {
		if (arg == NULL)
			contested = memfd_new("shared", MEMFD_ALLOW_SEALING);
		pthread_barrier_wait(&barrier);
		seen = memfd_get_seals(contested);
		expect(memfd_seal(contested, mine) == 0);
		now = memfd_get_seals(contested);
		expect(!(seen & ~now) && (unsigned int)now & mine);
		pthread_barrier_wait(&barrier);
		expect((memfd_get_seals(contested) & 0x1e) == 0x1e);
		pthread_barrier_wait(&barrier);
		if (arg == NULL)
			close(contested);
	}
	return NULL;
}

static int stop;

static void *churn(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		free(malloc((size_t)rand() % 4096));
		use_everything((int)(intptr_t)arg + 1);
	}
	return NULL;
}

/*
 * Between fork and exec, where only async-signal-safe functions may be called:
 * any lock of the process may be held for ever. What is made there is gone
 * after the exec, but for what was asked to stay.
 */
static void fork_and_exec(void)
{
	char arg[16], before[16];
	int round, status;
	pthread_t ids[THREADS];

	stop = failures = 0;
	for (round = 0; round < THREADS; round++)
		need(!pthread_create(&ids[round], NULL, churn,
				     (void *)(intptr_t)round),
		     "pthread_create");
	for (round = 0; round < 100; round++) {
		pid_t pid = fork();

		need(pid >= 0, "fork");
		if (pid == 0) {
			int kept;

			alarm(600);
			failures = 0;
			use_everything(THREADS + 1);
			memfd_new("gone", MEMFD_ALLOW_SEALING);
			memfd_new_sealed("gone", 0, "x", 1);
			kept = memfd_new("kept", MEMFD_INHERIT);
			snprintf(arg, sizeof(arg), "%d", kept);
			snprintf(before, sizeof(before), "%d", failures);
			execl("/proc/self/exe", "threads", arg, before, NULL);
			_exit(99);
		}
		need(waitpid(pid, &status, 0) == pid, "waitpid");
		expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (round = 0; round < THREADS; round++)
		pthread_join(ids[round], NULL);
}

/* What the program finds after the exec: the memfd that it was told of only. */
static int after_exec(const char *kept, const char *failed)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	char path[300], link[64];
	int memfds = 0, good = strcmp(failed, "0") == 0;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
		memset(link, 0, sizeof(link));
		if (readlink(path, link, sizeof(link) - 1) < 0 ||
		    strncmp(link, "/memfd:", 7) != 0)
			continue;
		memfds++;
		good = good && strcmp(entry->d_name, kept) == 0 &&
		       strncmp(link, "/memfd:kept", 11) == 0;
	}
	closedir(dir);
	return !(good && memfds == 1);
}

int main(int argc, char **argv)
{
	int before;

	if (argc == 3)
		return after_exec(argv[1], argv[2]);
	if (SANITIZED)
		ok(1, "under ThreadSanitizer, which fails what follows");
	else
		skip("under ThreadSanitizer", "not had by the compiler");
	need(!pthread_barrier_init(&barrier, NULL, THREADS), "barrier");
	/* A thread's first end loads what stays open. */
	in_eight_threads(create_seal_close);
	before = open_descriptors();
	in_eight_threads(create_seal_close);
	ok(!failures && open_descriptors() == before,
	   "%d threads create, seal and close", THREADS);
	in_eight_threads(race_to_seal);
	ok(!failures && open_descriptors() == before,
	   "%d threads race for the last seal: one wins, its seals are all",
	   THREADS);
	in_eight_threads(seal_together);
	ok(!failures && open_descriptors() == before,
	   "%d threads add seals: no seal vanishes", THREADS);
	fork_and_exec();
	ok(!failures && open_descriptors() == before,
	   "between fork and exec, while %d threads are at it", THREADS);
	return done_testing();
}
