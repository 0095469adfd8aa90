/* SPDX-License-Identifier: MIT */

/*
 * costs [SECONDS]: compare the time that libmemfd takes with that of what
 * people use instead. Each comparison takes about SECONDS (default: 2), and
 * longer for large sizes; 0 only shows that it runs. Prints the tables of
 * README.md.
 *
 * The ways that are compared take turns of some 200 microseconds, in a new
 * order each round, and only the ratio within a round counts: a disturbance
 * affects all of them, or is removed by the median. What is measured is the CPU
 * time of the thread. The raw calls have two turns in each round; the ratio
 * between the two shows the noise.
 */

#define _GNU_SOURCE 1

#include <errno.h>
#include <fcntl.h>
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

enum { OURS, RAW, RAW_AGAIN, MAX_WAYS = 5 };
enum { MIN_ROUNDS = 21, MAX_ROUNDS = 20001, MAX_OPEN = 512 };

/* Returns a descriptor, to be closed when the clock has stopped, or -1. */
typedef int way(void);

/* A table of ratios, and those that are the goal, where there is one. */
struct table {
	const char *ways;
	double goals[MAX_WAYS];
};

static const struct table filled = {
	"the same raw calls | raw beside raw | mmap and memcpy | "
	"systemd 257's calls",
	{ [RAW] = 1.02, [3] = 0.5, [4] = 1.02 },
};

static const struct table copied = {
	"the same raw calls | raw beside raw | mapping the source | "
	"a loop of 64 KiB",
	{ [RAW] = 1.02 },
};

/* The content of the memfd: in memory, and as a file to copy. */
static char *data;
static size_t size;
static int source = -1;

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

/* What memfd_new_and_seal of systemd 257 does; 252 had no such function. */
static int sealed_systemd(void)
{
	int fd = ok(memfd_create("bench", RAW_FLAGS));

	ok(write(fd, data, size) == (ssize_t)size ? 0 : -1);
	ok((int)lseek(fd, 0, SEEK_SET));
	ok(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
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

static int copy_ours(void)
{
	return ok(memfd_new_sealed_copy("bench", 0, source, size));
}

static int copy_raw(void)
{
	int fd = ok(memfd_create("bench", RAW_FLAGS));
	char end[4096];
	off_t at = 0;

	ok(sendfile(fd, source, &at, size + 1) == (ssize_t)size ? 0 : -1);
	ok((int)pread(source, end, sizeof(end), at));
	ok((int)lseek(fd, 0, SEEK_SET));
	ok(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
	return fd;
}

static int copy_mapped(void)
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

static int copy_by_loop(void)
{
	static char buffer[65536];
	int fd = ok(memfd_create("bench", RAW_FLAGS));
	off_t at = 0;
	ssize_t n;

	while ((n = ok((int)pread(source, buffer, sizeof(buffer), at))) > 0) {
		ok(pwrite(fd, buffer, (size_t)n, at) == n ? 0 : -1);
		at += n;
	}
	ok(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
	return fd;
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(way *once, size_t times)
{
	static int to_close[MAX_OPEN];
	size_t open_count = 0;
	double start = now(CLOCK_THREAD_CPUTIME_ID), took;

	while (times--) {
		int fd = once();

		if (fd >= 0 && open_count < MAX_OPEN)
			to_close[open_count++] = fd;
		else if (fd >= 0)
			close(fd);
	}
	took = now(CLOCK_THREAD_CPUTIME_ID) - start;
	while (open_count)
		close(to_close[--open_count]);
	return took;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double budget = 2;

/*
 * Time the ways in turns. values[i][...] are the times of libmemfd over those
 * of way i, sorted; returns how many there are. A way may be missing.
 */
static size_t measure(way *const ways[MAX_WAYS],
		      double values[MAX_WAYS][MAX_ROUNDS])
{
	/* What takes long would have too few rounds. */
	double end = now(CLOCK_MONOTONIC) + budget * (size >> 26 ? 5 : 1);
	size_t times[MAX_WAYS], order[MAX_WAYS];
	size_t round, i, turn, count = 0;

	for (i = 0; i < MAX_WAYS; i++) {
		if (!ways[i])
			continue;
		order[count++] = i;
		times[i] = 1;
		while (seconds(ways[i], times[i]) < 200e-6)
			times[i] *= 2;
	}
	for (round = 0; round < MAX_ROUNDS; round++) {
		if (round >= (budget > 0 ? MIN_ROUNDS : 1) &&
		    now(CLOCK_MONOTONIC) > end)
			break;
		for (turn = 0; turn < count; turn++) {
			size_t next = turn + (size_t)rand() % (count - turn);

			i = order[next];
			order[next] = order[turn];
			order[turn] = i;
			values[i][round] =
				seconds(ways[i], times[i]) / (double)times[i];
		}
		/* This one is between the raw calls themselves. */
		values[RAW_AGAIN][round] =
			values[RAW][round] / values[RAW_AGAIN][round];
		for (i = RAW; i < MAX_WAYS; i++)
			if (ways[i] && i != RAW_AGAIN)
				values[i][round] =
					values[OURS][round] / values[i][round];
	}
	for (i = RAW; i < MAX_WAYS; i++)
		qsort(values[i], round, sizeof(double), by_value);
	return round;
}

static void heading(const struct table *table)
{
	printf("\n| call | %s |\n|---|---|---|---|---|\n", table->ways);
}

static void line(const char *label, const struct table *table,
		 way *const ways[MAX_WAYS])
{
	static double values[MAX_WAYS][MAX_ROUNDS];
	size_t rounds = measure(ways, values);
	int i;

	printf("| %s |", label);
	for (i = RAW; i < MAX_WAYS; i++) {
		double median = values[i][rounds / 2];
		double goal = table->goals[i];
		const char *bold = goal > 0 && median > goal ? "**" : "";

		if (ways[i])
			printf(" %s%.3f%s (%.3f to %.3f)", bold, median, bold,
			       values[i][rounds / 4],
			       values[i][rounds * 3 / 4]);
		printf(" |");
	}
	printf("\n");
	fflush(stdout);
}

static void with_content(const char *call, size_t bytes, const char *name,
			 const struct table *table, way *const ways[MAX_WAYS])
{
	char label[64];

	snprintf(label, sizeof(label), "%s, %s", call, name);
	size = bytes;
	data = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ok(data == MAP_FAILED ? -1 : 0);
	memset(data, 'x', size);
	source = ok(memfd_new_sealed("source", 0, data, size));
	line(label, table, ways);
	close(source);
	munmap(data, size);
	size = 0;
}

int main(int argc, char **argv)
{
	static const struct {
		size_t bytes;
		const char *name;
	} sizes[] = { { 64, "64 B" },	    { 4096, "4 KiB" },
		      { 8192, "8 KiB" },    { 65536, "64 KiB" },
		      { 1 << 20, "1 MiB" }, { 64 << 20, "64 MiB" } };
	way *cycle[MAX_WAYS] = { cycle_ours, cycle_raw, cycle_raw };
	way *by_default[MAX_WAYS] = { default_ours, default_raw, default_raw };
	way *sized[MAX_WAYS] = { sized_ours, sized_raw, sized_raw };
	way *sealed[MAX_WAYS] = { sealed_ours, sealed_raw, sealed_raw,
				  sealed_mapped, sealed_systemd };
	way *copies[MAX_WAYS] = { copy_ours, copy_raw, copy_raw, copy_mapped,
				  copy_by_loop };
	struct utsname system;
	size_t i;

	if (argc > 1)
		budget = strtod(argv[1], NULL);
	/* The kernel judges flags before the name. */
	if (memfd_create(NULL, MEMFD_NOEXEC_SEAL) < 0 && errno == EINVAL) {
		printf("this kernel has no exec flags, and calls cost more\n");
		return 77;
	}
	uname(&system);
	printf("On Linux %.*s, %s, %ld processors:\n",
	       (int)strcspn(system.release, "-"), system.release,
	       system.machine, sysconf(_SC_NPROCESSORS_ONLN));

	heading(&filled);
	line("memfd_new, seal, get_seals, close", &filled, cycle);
	line("memfd_new, flags 0", &filled, by_default);
	with_content("memfd_new_sized", 1 << 20, "1 MiB", &filled, sized);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		with_content("memfd_new_sealed", sizes[i].bytes, sizes[i].name,
			     &filled, sealed);
	/* It takes three times as much: leave it out below 4 GiB. */
	if (budget > 0 && sysconf(_SC_PHYS_PAGES) >= 1 << 20)
		with_content("memfd_new_sealed", 512 << 20, "512 MiB", &filled,
			     sealed);
	heading(&copied);
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		with_content("memfd_new_sealed_copy", sizes[i].bytes,
			     sizes[i].name, &copied, copies);
	return 0;
}
