/* SPDX-License-Identifier: MIT */

/*
 * costs [SECONDS]: measure the time that libmemfd takes, and that of what
 * people use instead. Each comparison takes about SECONDS (default: 2), and
 * longer for large sizes; 0 only shows that it runs. Prints a line for each
 * way, from which report.py makes tables: the call, the size, and the time of
 * each round.
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
#include <time.h>
#include <unistd.h>

#include "memfd.h"

#define ALL_SEALS (MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE)
#define SIZED_SEALS (MEMFD_SEAL_SEAL | MEMFD_SEAL_SHRINK)

enum { MAX_WAYS = 5, MIN_ROUNDS = 21, MAX_ROUNDS = 20001, MOST_TIMES = 512 };

/* Returns a descriptor, to be closed when the clock has stopped. */
typedef int way(void);

/* The content of the memfd: in memory, and as a file to copy. */
static char data[64 << 20] __attribute__((aligned(4096)));
static size_t size;
static int source;

static int ok(int result)
{
	if (result < 0) {
		perror("costs");
		exit(1);
	}
	return result;
}

static int created(void)
{
	return ok(memfd_create("bench", MEMFD_CLOEXEC | MEMFD_ALLOW_SEALING |
						MEMFD_NOEXEC_SEAL));
}

static int sealed(int fd, int seals)
{
	ok(fcntl(fd, F_ADD_SEALS, seals));
	return fd;
}

/* The same steps in each way. */

static int default_ours(void)
{
	return ok(memfd_new("bench", 0));
}

static int default_raw(void)
{
	return sealed(
		ok(memfd_create("bench", MEMFD_CLOEXEC | MEMFD_NOEXEC_SEAL)),
		MEMFD_SEAL_SEAL);
}

static int sized_ours(void)
{
	return ok(memfd_new_sized("bench", 0, size, SIZED_SEALS));
}

static int sized_raw(void)
{
	int fd = created();

	ok(ftruncate(fd, (off_t)size));
	return sealed(fd, SIZED_SEALS);
}

static int sealed_ours(void)
{
	return ok(memfd_new_sealed("bench", 0, data, size));
}

static int sealed_raw(void)
{
	int fd = created();

	ok(pwrite(fd, data, size, 0) == (ssize_t)size ? 0 : -1);
	return sealed(fd, ALL_SEALS);
}

static int sealed_mapped(void)
{
	int fd = created();
	void *map;

	ok(ftruncate(fd, (off_t)size));
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ok(map == MAP_FAILED ? -1 : 0);
	memcpy(map, data, size);
	munmap(map, size);
	return sealed(fd, ALL_SEALS);
}

/* What memfd_new_and_seal of systemd 257 does; 252 had no such function. */
static int sealed_systemd(void)
{
	int fd = created();

	ok(write(fd, data, size) == (ssize_t)size ? 0 : -1);
	ok((int)lseek(fd, 0, SEEK_SET));
	return sealed(fd, ALL_SEALS);
}

static int copy_ours(void)
{
	return ok(memfd_new_sealed_copy("bench", 0, source, size));
}

static int copy_raw(void)
{
	int fd = created();
	char end[4096];
	off_t at = 0;

	ok(sendfile(fd, source, &at, size + 1) == (ssize_t)size ? 0 : -1);
	ok((int)pread(source, end, sizeof(end), at));
	ok((int)lseek(fd, 0, SEEK_SET));
	return sealed(fd, ALL_SEALS);
}

static int copy_mapped(void)
{
	int fd = created();
	struct stat st;
	void *map;

	ok(fstat(source, &st));
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, source, 0);
	ok(map == MAP_FAILED ? -1 : 0);
	ok(pwrite(fd, map, (size_t)st.st_size, 0) == st.st_size ? 0 : -1);
	munmap(map, (size_t)st.st_size);
	return sealed(fd, ALL_SEALS);
}

static int copy_by_loop(void)
{
	static char buffer[65536];
	int fd = created();
	off_t at = 0;
	ssize_t n;

	while ((n = ok((int)pread(source, buffer, sizeof(buffer), at))) > 0) {
		ok(pwrite(fd, buffer, (size_t)n, at) == n ? 0 : -1);
		at += n;
	}
	return sealed(fd, ALL_SEALS);
}

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(way *once, size_t times)
{
	static int to_close[MOST_TIMES];
	size_t open_count = 0;
	double start = now(CLOCK_THREAD_CPUTIME_ID), took;

	while (open_count < times)
		to_close[open_count++] = once();
	took = now(CLOCK_THREAD_CPUTIME_ID) - start;
	while (open_count)
		close(to_close[--open_count]);
	return took;
}

static double budget = 2;

/* Time the ways in turns. */
static void compare(const char *call, size_t bytes, way *const ways[MAX_WAYS])
{
	static double took[MAX_WAYS][MAX_ROUNDS];
	/* What takes long would have too few rounds. */
	double end = now(CLOCK_MONOTONIC) + budget * (bytes >> 26 ? 5 : 1);
	size_t times[MAX_WAYS], order[MAX_WAYS];
	size_t rounds, i, turn, count = 0;

	size = bytes;
	source = ok(memfd_new_sealed("source", 0, data, size));
	for (; count < MAX_WAYS && ways[count]; count++) {
		order[count] = count;
		times[count] = 1;
		while (times[count] < MOST_TIMES &&
		       seconds(ways[count], times[count]) < 200e-6)
			times[count] *= 2;
	}
	for (rounds = 0; rounds < MAX_ROUNDS; rounds++) {
		if (rounds >= (budget > 0 ? MIN_ROUNDS : 2) &&
		    now(CLOCK_MONOTONIC) > end)
			break;
		for (turn = 0; turn < count; turn++) {
			size_t next = turn + (size_t)rand() % (count - turn);

			i = order[next];
			order[next] = order[turn];
			order[turn] = i;
			took[i][rounds] =
				seconds(ways[i], times[i]) / (double)times[i];
		}
	}
	close(source);
	for (i = 0; i < count; i++) {
		size_t round;

		printf("%s\t%zu\t", call, bytes);
		for (round = 0; round < rounds; round++)
			printf("%.6e ", took[i][round]);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 64,	  4096,	   8192,
					64 << 10, 1 << 20, sizeof(data) };
	way *by_default[MAX_WAYS] = { default_ours, default_raw, default_raw };
	way *sized[MAX_WAYS] = { sized_ours, sized_raw, sized_raw };
	way *filled[MAX_WAYS] = { sealed_ours, sealed_raw, sealed_raw,
				  sealed_mapped, sealed_systemd };
	way *copied[MAX_WAYS] = { copy_ours, copy_raw, copy_raw, copy_mapped,
				  copy_by_loop };
	size_t i, count = sizeof(sizes) / sizeof(*sizes);

	if (argc > 1)
		budget = strtod(argv[1], NULL);
	/* The kernel judges flags before the name. */
	if (memfd_create(NULL, MEMFD_NOEXEC_SEAL) < 0 && errno == EINVAL) {
		printf("this kernel has no exec flags, and calls cost more\n");
		return 77;
	}
	memset(data, 'x', sizeof(data));

	compare("memfd_new, flags 0", 0, by_default);
	compare("memfd_new_sized", 1 << 20, sized);
	for (i = 0; i < count; i++)
		compare("memfd_new_sealed", sizes[i], filled);
	for (i = 0; i < count; i++)
		compare("memfd_new_sealed_copy", sizes[i], copied);
	return 0;
}
