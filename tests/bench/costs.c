/* SPDX-License-Identifier: MIT */

/*
 * costs [SECONDS]: what libmemfd costs beside what people use instead. Spends
 * about so many seconds on each line, and more where things are big.
 *
 * All that is compared takes turns of some 200 microseconds, in another order
 * each round, and what counts is the ratio within the round: what disturbs the
 * machine disturbs both sides, or falls out with the median. One thread is
 * measured in its own CPU time, several in time that passed. The raw calls have
 * two turns: the ratio between those is what the measurement is worth.
 */

#define _GNU_SOURCE 1

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "memfd.h"

#define ALL_SEALS (MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE)
#define RAW_FLAGS (MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING | MEMFD_NOEXEC_SEAL)

enum { OURS, RAW, RAW_AGAIN, MAPPED, SYSTEMD, MEMCPY, WAYS };
enum { MIN_ROUNDS = 21, MAX_ROUNDS = 20001, MAX_OPEN = 512 };

/* Returns a descriptor for others to close, out of the time, or -1. */
typedef int way(void);

static struct {
	int (*new)(const char *name);
	int (*set_sealed)(int fd);
	int (*get_sealed)(int fd);
	int (*new_and_map)(const char *name, size_t size, void **map);
} systemd;

/* What goes into the memfd, and where memcpy alone puts it. */
static char *data, *copy;
static size_t size;

static unsigned int number;
static char text[MEMFD_SEALS_STRLEN];

static int ok(int result)
{
	if (result < 0) {
		perror("costs");
		exit(1);
	}
	return result;
}

/* The same steps in each way. */

static int cycle_ours(void)
{
	int fd = ok(memfd_new("bench", MEMFD_ALLOW_SEALING));

	ok(memfd_seal(fd, ALL_SEALS));
	ok(memfd_get_seals(fd));
	close(fd);
	return -1;
}

static int cycle_raw(void)
{
	int fd = ok(memfd_create("bench", RAW_FLAGS));

	ok(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
	ok(fcntl(fd, F_GET_SEALS));
	close(fd);
	return -1;
}

static int cycle_systemd(void)
{
	int fd = ok(systemd.new("bench"));

	ok(systemd.set_sealed(fd));
	ok(systemd.get_sealed(fd));
	close(fd);
	return -1;
}

static int default_ours(void)
{
	return ok(memfd_new("bench", 0));
}

static int default_raw(void)
{
	int fd = ok(memfd_create("bench", MEMFD_CLOEXEC | MEMFD_NOEXEC_SEAL));

	ok(fcntl(fd, F_ADD_SEALS, MEMFD_SEAL_SEAL));
	return fd;
}

static int sealed_ours(void)
{
	return ok(memfd_new_sealed("bench", 0, data, size));
}

static int sealed_raw(void)
{
	int fd = ok(memfd_create("bench", RAW_FLAGS));

	ok(pwrite(fd, data, size, 0) == (ssize_t)size ? 0 : -1);
	ok(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
	return fd;
}

static int sealed_mapped(void)
{
	int fd = ok(memfd_create("bench", RAW_FLAGS));
	void *map;

	ok(ftruncate(fd, (off_t)size));
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok(map == MAP_FAILED ? -1 : 0);
	memcpy(map, data, size);
	munmap(map, size);
	ok(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
	return fd;
}

static int sealed_systemd(void)
{
	void *map;
	int fd = ok(systemd.new_and_map("bench", size, &map));

	memcpy(map, data, size);
	munmap(map, size);
	ok(systemd.set_sealed(fd));
	return fd;
}

static int sealed_memcpy(void)
{
	memcpy(copy, data, size);
	return -1;
}

static int create_raw(void)
{
	return ok(memfd_create("bench", RAW_FLAGS));
}

static int parse_flag(void)
{
	ok(memfd_parse_flags("allow-sealing", &number, NULL));
	return -1;
}

static int parse_flags(void)
{
	ok(memfd_parse_flags("MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_HUGE_2MB",
			     &number, NULL));
	return -1;
}

static int parse_seals(void)
{
	ok(memfd_parse_seals("shrink,grow,write", &number, NULL));
	return -1;
}

static int format_seals(void)
{
	ok(memfd_format_seals(0x0e, text, sizeof(text)));
	return -1;
}

static int format_all(void)
{
	ok(memfd_format_seals(0xffffffff, text, sizeof(text)));
	return -1;
}

/*
 * systemd keeps these to itself, in a library whose name has its version. It
 * has a memfd_new, too: each must find its own.
 */
static void load_systemd(void)
{
	static const char *const places[] = {
		"/usr/lib/*/systemd/libsystemd-shared-*.so",
		"/usr/lib*/systemd/libsystemd-shared-*.so",
		"/lib/*/systemd/libsystemd-shared-*.so",
		"/usr/lib/*/libsystemd-shared-*.so",
		"/usr/lib*/libsystemd-shared-*.so",
	};
	glob_t found = { 0 };
	void *library = NULL;
	int flags = RTLD_NOW | RTLD_LOCAL;
	size_t i;

#ifdef RTLD_DEEPBIND
	flags |= RTLD_DEEPBIND;
#endif
	for (i = 0; i < sizeof(places) / sizeof(*places); i++)
		glob(places[i], i ? GLOB_APPEND : 0, NULL, &found);
	if (found.gl_pathc)
		library = dlopen(found.gl_pathv[0], flags);
	if (library) {
		*(void **)&systemd.new = dlsym(library, "memfd_new");
		*(void **)&systemd.set_sealed =
			dlsym(library, "memfd_set_sealed");
		*(void **)&systemd.get_sealed =
			dlsym(library, "memfd_get_sealed");
		*(void **)&systemd.new_and_map =
			dlsym(library, "memfd_new_and_map");
		printf("systemd's: %s\n", found.gl_pathv[0]);
	}
	if (!systemd.new || !systemd.set_sealed || !systemd.get_sealed ||
	    !systemd.new_and_map) {
		memset(&systemd, 0, sizeof(systemd));
		printf("systemd's: left out, no libsystemd-shared that has "
		       "them\n");
	}
	globfree(&found);
}

/* Threads that do the same at once; the main thread is one of them. */
static struct {
	pthread_barrier_t start, end;
	way *once;
	size_t times;
} crew;

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int to_close[MAX_OPEN];
static size_t open_count;

static void repeat(way *once, size_t times)
{
	while (times--) {
		int fd = once();

		if (fd >= 0 && open_count < MAX_OPEN)
			to_close[open_count++] = fd;
		else if (fd >= 0)
			close(fd);
	}
}

static void *work(void *unused)
{
	for (;;) {
		pthread_barrier_wait(&crew.start);
		if (!crew.once)
			return unused;
		repeat(crew.once, crew.times);
		pthread_barrier_wait(&crew.end);
	}
}

static double seconds(way *once, size_t times, unsigned int threads)
{
	clockid_t clock =
		threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
	double start = now(clock), took;

	if (threads == 1) {
		repeat(once, times);
	} else {
		crew.once = once;
		crew.times = times;
		pthread_barrier_wait(&crew.start);
		repeat(once, times);
		pthread_barrier_wait(&crew.end);
	}
	took = now(clock) - start;
	while (open_count)
		close(to_close[--open_count]);
	return took;
}

struct spread {
	double low, median, high;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct spread spread(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return (struct spread){ values[count / 4], values[count / 2],
				values[count * 3 / 4] };
}

static double budget = 2;

/*
 * Times the ways in turns. ratios[i] is the first way's time over that of way
 * i; ratios[0] is the first way's time itself, in nanoseconds.
 */
static void measure(way *const ways[WAYS], unsigned int threads,
		    struct spread ratios[WAYS])
{
	static double values[WAYS][MAX_ROUNDS];
	double batch = threads == 1 ? 200e-6 : 4e-3;
	/* What takes long would have too few rounds. */
	double end = now(CLOCK_MONOTONIC) +
		     budget * (threads > 1 || size >= 64 << 20 ? 5 : 1);
	size_t times[WAYS] = { 1 }, order[WAYS], round, i, turn;

	for (i = 0; i < WAYS; i++) {
		order[i] = i;
		times[i] = threads == 1 ? 1 : times[0];
		while (ways[i] && seconds(ways[i], times[i], threads) < batch &&
		       (threads == 1 || i == 0))
			times[i] *= 2;
	}
	for (round = 0; round < MAX_ROUNDS; round++) {
		if (round >= MIN_ROUNDS && now(CLOCK_MONOTONIC) > end)
			break;
		for (turn = 0; turn < WAYS; turn++) {
			size_t other = turn + (size_t)rand() % (WAYS - turn);

			i = order[other];
			order[other] = order[turn];
			order[turn] = i;
			if (ways[i])
				values[i][round] =
					seconds(ways[i], times[i], threads) /
					(double)times[i];
		}
		for (i = 1; i < WAYS; i++)
			values[i][round] = values[0][round] / values[i][round];
		/* This one is between the raw calls themselves. */
		values[RAW_AGAIN][round] /= values[RAW][round];
		values[0][round] *= 1e9;
	}
	for (i = 0; i < WAYS; i++)
		ratios[i] = spread(values[i], round);
}

/* The worst that was seen of what has a goal. */
static struct goal {
	const char *text;
	double most;
	double worst;
	char where[64];
} goals[] = {
	{ "within 2 % of the same raw calls", 1.02, 0, "" },
	{ "at least twice as fast as mmap and memcpy from 64 KiB up", 0.5, 0,
	  "" },
	{ "no slower than systemd's (2 % are noise)", 1.02, 0, "" },
};

static void judge(struct goal *goal, const char *label, double ratio)
{
	if (ratio > goal->worst) {
		goal->worst = ratio;
		snprintf(goal->where, sizeof(goal->where), "%s", label);
	}
}

static void line(const char *label, way *const ways[WAYS], unsigned int threads)
{
	struct spread ratios[WAYS];
	size_t i;

	measure(ways, threads, ratios);
	printf("| %-41s |", label);
	for (i = 1; i < WAYS; i++) {
		int digits = ratios[i].median < 10 ? 3 : 0;

		if (ways[i])
			printf(" %5.*f (%.*f-%.*f) |", digits, ratios[i].median,
			       digits, ratios[i].low, digits, ratios[i].high);
		else
			printf(" %-19s |", "");
	}
	printf("\n");
	fflush(stdout);

	judge(&goals[0], label, ratios[RAW].median);
	if (ways[MAPPED] && size >= 65536)
		judge(&goals[1], label, ratios[MAPPED].median);
	if (ways[SYSTEMD])
		judge(&goals[2], label, ratios[SYSTEMD].median);
}

static size_t memory_available(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char entry[128];
	size_t kib = 0;

	while (file && fgets(entry, sizeof(entry), file))
		if (sscanf(entry, "MemAvailable: %zu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib << 10;
}

static char *touched(size_t bytes)
{
	char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ok(memory == MAP_FAILED ? -1 : 0);
	memset(memory, 'x', bytes);
	return memory;
}

static void sealed(size_t bytes, const char *name)
{
	way *const ways[WAYS] = { sealed_ours,
				  sealed_raw,
				  sealed_raw,
				  sealed_mapped,
				  systemd.new ? sealed_systemd : NULL,
				  sealed_memcpy };
	char label[64];

	snprintf(label, sizeof(label), "memfd_new_sealed, %s", name);
	if (memory_available() < 4 * bytes) {
		printf("| %s: left out, not enough memory |\n", label);
		return;
	}
	size = bytes;
	data = touched(size);
	copy = touched(size);
	line(label, ways, 1);
	munmap(data, size);
	munmap(copy, size);
	size = 0;
}

static void threads(unsigned int count)
{
	way *const ways[WAYS] = { cycle_ours, cycle_raw, cycle_raw };
	pthread_t thread[8];
	char label[64];
	unsigned int i;

	pthread_barrier_init(&crew.start, NULL, count);
	pthread_barrier_init(&crew.end, NULL, count);
	for (i = 1; i < count; i++)
		if (pthread_create(&thread[i], NULL, work, NULL))
			exit(1);
	snprintf(label, sizeof(label), "the same in %u threads at once", count);
	line(label, ways, count);
	crew.once = NULL;
	pthread_barrier_wait(&crew.start);
	for (i = 1; i < count; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&crew.start);
	pthread_barrier_destroy(&crew.end);
}

static void names(const char *label, way *once)
{
	way *const ways[WAYS] = { once, create_raw, create_raw };
	struct spread ratios[WAYS];

	measure(ways, 1, ratios);
	printf("| %-61s | %5.0f (%.0f-%.0f) | %.3f |\n", label,
	       ratios[OURS].median, ratios[OURS].low, ratios[OURS].high,
	       ratios[RAW].median);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	way *const cycle[WAYS] = { cycle_ours, cycle_raw, cycle_raw };
	way *const cycle_systemd_too[WAYS] = { cycle_ours, cycle_raw, cycle_raw,
					       NULL, cycle_systemd };
	way *const by_default[WAYS] = { default_ours, default_raw,
					default_raw };
	struct utsname system;
	size_t i;

	if (argc > 1)
		budget = strtod(argv[1], NULL);
	/* The kernel judges flags before the name. */
	if (memfd_create(NULL, MEMFD_NOEXEC_SEAL) < 0 && errno == EINVAL) {
		printf("left out: this kernel has no exec flags, and calls "
		       "cost more\n");
		return 77;
	}
	uname(&system);
	printf("Linux %.*s, %s, %ld processors\n",
	       (int)strcspn(system.release, "-"), system.release,
	       system.machine, sysconf(_SC_NPROCESSORS_ONLN));
	load_systemd();
	printf("\nlibmemfd's time over that of others: median (quartiles) of "
	       "the ratios of %d\nto %d rounds.\n\n",
	       MIN_ROUNDS, MAX_ROUNDS);
	printf("| %-41s | %-19s | %-19s | %-19s | %-19s | %-19s |\n", "",
	       "the same raw calls", "(raw against raw)", "mmap and memcpy",
	       "systemd's", "memcpy alone");
	printf("|---|---|---|---|---|---|\n");
	line("memfd_new, seal, get_seals, close",
	     systemd.new ? cycle_systemd_too : cycle, 1);
	line("memfd_new, flags 0", by_default, 1);
	sealed(64, "64 B");
	sealed(4096, "4 KiB");
	sealed(65536, "64 KiB");
	sealed(1 << 20, "1 MiB");
	sealed(64 << 20, "64 MiB");
	sealed(512 << 20, "512 MiB");
	threads(2);
	threads(4);

	printf("\n| %-61s | nanoseconds | in memfd_create |\n", "");
	printf("|---|---|---|\n");
	names("memfd_parse_flags, allow-sealing", parse_flag);
	names("memfd_parse_flags, MFD_CLOEXEC|MFD_ALLOW_SEALING|MFD_HUGE_2MB",
	      parse_flags);
	names("memfd_parse_seals, shrink,grow,write", parse_seals);
	names("memfd_format_seals, 0x0e", format_seals);
	names("memfd_format_seals, 0xffffffff", format_all);
	printf("\n");
	for (i = 0; i < sizeof(goals) / sizeof(*goals); i++)
		if (goals[i].worst > 0)
			printf("goal %s: %s (worst: %.3f, %s)\n",
			       goals[i].worst <= goals[i].most ? "met"
							       : "NOT MET",
			       goals[i].text, goals[i].worst, goals[i].where);
		else
			printf("goal not measured: %s\n", goals[i].text);
	return 0;
}
