/* SPDX-License-Identifier: MIT */

/*
 * costs [SECONDS]: compare the time that libmemfd takes with that of what
 * people use instead. Each comparison takes about SECONDS (default: 2), and
 * longer for large sizes.
 *
 * The ways that are compared take turns of some 200 microseconds, in a new
 * order each round, and only the ratio within a round counts: a disturbance
 * affects all of them, or is removed by the median. A single thread is measured
 * in its own CPU time, several threads in elapsed time. The raw calls have two
 * turns in each round; the ratio between the two shows the noise.
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
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "memfd.h"

#define ALL_SEALS (MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE)
#define SIZED_SEALS (MEMFD_SEAL_SEAL | MEMFD_SEAL_SHRINK)
#define RAW_FLAGS (MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING | MEMFD_NOEXEC_SEAL)

enum { OURS, RAW, RAW_AGAIN, MAX_WAYS = 6 };
enum { MIN_ROUNDS = 21, MAX_ROUNDS = 20001, MAX_OPEN = 512 };

/* Returns a descriptor, to be closed when the clock has stopped, or -1. */
typedef int way(void);

/* One way to do something, and what the report calls it. */
struct side {
	const char *name;
	way *once;
};

/* clang-format off */
/* The first three of each comparison. */
#define SIDES(ours, raw)                                                       \
	{ "libmemfd", ours },                                                  \
	{ "the same raw calls", raw },                                         \
	{ "(raw calls beside raw calls)", raw }
/* clang-format on */

static struct {
	int (*new)(const char *name);
	int (*set_sealed)(int fd);
	int (*get_sealed)(int fd);
	int (*new_and_map)(const char *name, size_t size, void **map);
} systemd;

/* The content of the memfd: in memory, and as a file to copy. */
static char *data;
static size_t size;
static int source = -1;

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

static int sized_ours(void)
{
	return ok(memfd_new_sized("bench", 0, size, SIZED_SEALS));
}

static int sized_raw(void)
{
	int fd = ok(memfd_create("bench", RAW_FLAGS));

	ok(ftruncate(fd, (off_t)size));
	ok(fcntl(fd, F_ADD_SEALS, SIZED_SEALS));
	return fd;
}

static int copied_ours(void)
{
	return ok(memfd_new_sealed_copy("bench", 0, source, size));
}

static int copied_raw(void)
{
	int fd = ok(memfd_create("bench", RAW_FLAGS));
	off_t at = 0;

	while (ok((int)sendfile(fd, source, &at, size + 1)) > 0)
		;
	ok((int)lseek(fd, 0, SEEK_SET));
	ok(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
	return fd;
}

static int copied_mapped(void)
{
	int fd = ok(memfd_create("bench", RAW_FLAGS));
	struct stat st;
	void *map;

	ok(fstat(source, &st));
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, source, 0);
	ok(map == MAP_FAILED ? -1 : 0);
	ok(pwrite(fd, map, (size_t)st.st_size, 0) == st.st_size ? 0 : -1);
	munmap(map, (size_t)st.st_size);
	ok(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
	return fd;
}

static int copied_by(size_t step)
{
	static char buffer[65536];
	int fd = ok(memfd_create("bench", RAW_FLAGS));
	off_t at = 0;
	ssize_t n;

	while ((n = ok((int)pread(source, buffer, step, at))) > 0) {
		ok(pwrite(fd, buffer, (size_t)n, at) == n ? 0 : -1);
		at += n;
	}
	ok(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
	return fd;
}

static int copied_by_4k(void)
{
	return copied_by(4096);
}

static int copied_by_64k(void)
{
	return copied_by(65536);
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
 * Time the sides in turns. ratios[i] is the time of the first side over that of
 * side i; ratios[0] is the time of the first side itself, in nanoseconds.
 */
static void measure(const struct side *sides, unsigned int threads,
		    struct spread ratios[MAX_WAYS])
{
	static double values[MAX_WAYS][MAX_ROUNDS];
	double batch = threads == 1 ? 200e-6 : 4e-3;
	/* What takes long would have too few rounds. */
	double end = now(CLOCK_MONOTONIC) +
		     budget * (threads > 1 || size >= 64 << 20 ? 5 : 1);
	size_t times[MAX_WAYS] = { 1 }, order[MAX_WAYS];
	size_t ways, round, i, turn;

	for (ways = 0; ways < MAX_WAYS && sides[ways].once; ways++) {
		order[ways] = ways;
		times[ways] = threads == 1 ? 1 : times[0];
		while (seconds(sides[ways].once, times[ways], threads) <
			       batch &&
		       (threads == 1 || ways == 0))
			times[ways] *= 2;
	}
	for (round = 0; round < MAX_ROUNDS; round++) {
		if (round >= MIN_ROUNDS && now(CLOCK_MONOTONIC) > end)
			break;
		for (turn = 0; turn < ways; turn++) {
			size_t other = turn + (size_t)rand() % (ways - turn);

			i = order[other];
			order[other] = order[turn];
			order[turn] = i;
			values[i][round] =
				seconds(sides[i].once, times[i], threads) /
				(double)times[i];
		}
		for (i = 1; i < ways; i++)
			values[i][round] = values[0][round] / values[i][round];
		/* This one is between the raw calls themselves. */
		values[RAW_AGAIN][round] /= values[RAW][round];
		values[0][round] *= 1e9;
	}
	for (i = 0; i < ways; i++)
		ratios[i] = spread(values[i], round);
}

/* The goals, each with the worst ratio that was measured for it. */
static struct goal {
	const char *beside;
	size_t from;
	double most;
	const char *text;
	double worst;
	char where[64];
} goals[] = {
	{ "the same raw calls", 0, 1.02, "within 2 % of the same raw calls", 0,
	  "" },
	{ "mmap and memcpy", 65536, 0.5,
	  "at least twice as fast as mmap and memcpy from 64 KiB up", 0, "" },
	{ "systemd's", 0, 1.02, "no slower than systemd's (2 % are noise)", 0,
	  "" },
};

static void judge(const char *beside, const char *label, double ratio)
{
	struct goal *goal;

	for (goal = goals; goal < goals + sizeof(goals) / sizeof(*goals);
	     goal++)
		if (!strcmp(goal->beside, beside) && size >= goal->from &&
		    ratio > goal->worst) {
			goal->worst = ratio;
			snprintf(goal->where, sizeof(goal->where), "%s", label);
		}
}

static void line(const char *label, const struct side *sides,
		 unsigned int threads)
{
	struct spread ratios[MAX_WAYS];
	size_t i;

	measure(sides, threads, ratios);
	for (i = 1; i < MAX_WAYS && sides[i].once; i++) {
		printf("| %s | %s | %.3f | %.3f to %.3f |\n", label,
		       sides[i].name, ratios[i].median, ratios[i].low,
		       ratios[i].high);
		judge(sides[i].name, label, ratios[i].median);
	}
	fflush(stdout);
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

static void with_content(const char *call, size_t bytes, const char *name,
			 const struct side *sides)
{
	char label[64];

	snprintf(label, sizeof(label), "%s, %s", call, name);
	if (memory_available() < 4 * bytes) {
		printf("left out: %s, not enough memory\n", label);
		return;
	}
	size = bytes;
	data = touched(size);
	source = ok(memfd_new_sealed("source", 0, data, size));
	line(label, sides, 1);
	close(source);
	munmap(data, size);
	size = 0;
}

static void threads(unsigned int count)
{
	const struct side cycle[MAX_WAYS] = { SIDES(cycle_ours, cycle_raw) };
	pthread_t thread[8];
	char label[64];
	unsigned int i;

	pthread_barrier_init(&crew.start, NULL, count);
	pthread_barrier_init(&crew.end, NULL, count);
	for (i = 1; i < count; i++)
		if (pthread_create(&thread[i], NULL, work, NULL))
			exit(1);
	snprintf(label, sizeof(label), "the same cycle in %u threads", count);
	line(label, cycle, count);
	crew.once = NULL;
	pthread_barrier_wait(&crew.start);
	for (i = 1; i < count; i++)
		pthread_join(thread[i], NULL);
	pthread_barrier_destroy(&crew.start);
	pthread_barrier_destroy(&crew.end);
}

static void names(const char *label, way *once)
{
	const struct side sides[MAX_WAYS] = { SIDES(once, create_raw) };
	struct spread ratios[MAX_WAYS];

	measure(sides, 1, ratios);
	printf("| %s | %.0f (%.0f to %.0f) | %.3f |\n", label,
	       ratios[OURS].median, ratios[OURS].low, ratios[OURS].high,
	       ratios[RAW].median);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct side cycle[MAX_WAYS] = {
		SIDES(cycle_ours, cycle_raw),
		{ "systemd's", cycle_systemd },
	};
	const struct side by_default[MAX_WAYS] = { SIDES(default_ours,
							 default_raw) };
	const struct side sized[MAX_WAYS] = { SIDES(sized_ours, sized_raw) };
	struct side sealed[MAX_WAYS] = {
		SIDES(sealed_ours, sealed_raw),
		{ "mmap and memcpy", sealed_mapped },
		{ "systemd's", sealed_systemd },
	};
	const struct side copied[MAX_WAYS] = {
		SIDES(copied_ours, copied_raw),
		{ "mapping the source", copied_mapped },
		{ "a loop of 4 KiB", copied_by_4k },
		{ "a loop of 64 KiB", copied_by_64k },
	};
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
	if (!systemd.new)
		cycle[3].once = sealed[4].once = NULL;
	printf("\nThe time that libmemfd takes, as a ratio to that of others: "
	       "the median and the\nquartiles of %d to %d rounds.\n\n",
	       MIN_ROUNDS, MAX_ROUNDS);
	printf("| call | beside | ratio | quartiles |\n");
	printf("|---|---|---|---|\n");
	line("memfd_new, seal, get_seals, close", cycle, 1);
	line("memfd_new, flags 0", by_default, 1);
	threads(2);
	threads(4);
	with_content("memfd_new_sized", 1 << 20, "1 MiB", sized);
	with_content("memfd_new_sealed", 64, "64 B", sealed);
	with_content("memfd_new_sealed", 4096, "4 KiB", sealed);
	with_content("memfd_new_sealed", 65536, "64 KiB", sealed);
	with_content("memfd_new_sealed", 1 << 20, "1 MiB", sealed);
	with_content("memfd_new_sealed", 64 << 20, "64 MiB", sealed);
	with_content("memfd_new_sealed", 512 << 20, "512 MiB", sealed);
	with_content("memfd_new_sealed_copy", 4096, "4 KiB", copied);
	with_content("memfd_new_sealed_copy", 65536, "64 KiB", copied);
	with_content("memfd_new_sealed_copy", 1 << 20, "1 MiB", copied);
	with_content("memfd_new_sealed_copy", 64 << 20, "64 MiB", copied);

	printf("\n| call | nanoseconds | in memfd_create(2) calls |\n");
	printf("|---|---|---|\n");
	names("memfd_parse_flags, allow-sealing", parse_flag);
	names("memfd_parse_flags, three C constants", parse_flags);
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
