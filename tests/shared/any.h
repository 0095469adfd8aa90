/* SPDX-License-Identifier: MIT */

/*
 * Values that may be anything, and claims that hold for all of them.
 *
 * In a proof (PROOF is defined), CBMC takes every value there is. In a test, a
 * value is one of a list, the first of which is the usual one. The test makes
 * a run for every combination in which at most UNUSUAL values are not the
 * usual ones.
 */

#ifndef ANY_H
#define ANY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef PROOF

#define CLAIM(cond, text) __CPROVER_assert(cond, text)
#define ASSUME(cond) __CPROVER_assume(cond)
#define WRITABLE(buf, size) __CPROVER_w_ok(buf, size)

bool nondet_bool(void);
int nondet_int(void);
unsigned int nondet_unsigned(void);
size_t nondet_size_t(void);
uint64_t nondet_uint64_t(void);
int64_t nondet_int64_t(void);
const char *nondet_pointer(void);

/* Any value of this type; in a test, one of the values that follow. */
#define ANY(type, ...) nondet_##type()

#else

#define CLAIM(cond, text)                                                      \
	do {                                                                   \
		if (!(cond))                                                   \
			refute(text, __FILE__, __LINE__);                      \
	} while (0)
#define ASSUME(cond)                                                           \
	do {                                                                   \
		if (!(cond))                                                   \
			longjmp(run.done, 1);                                  \
	} while (0)
/* If it is not, a sanitizer says so. */
#define WRITABLE(buf, size) (memset(buf, 0, size) != NULL)

#define ANY(type, ...)                                                         \
	(((type const[]){ __VA_ARGS__ })[choose(                               \
		COUNT(((type const[]){ __VA_ARGS__ })))])

typedef const char *pointer;

#define UNUSUAL 4

/* The choices of a run: the place in each list, and the length of the list. */
static struct {
	unsigned int at, count, place[200], length[200];
	unsigned long number;
	jmp_buf done;
} run;

static unsigned int choose(unsigned int length)
{
	assert_true(run.at < COUNT(run.place));
	if (run.at == run.count) {
		run.place[run.count] = 0;
		run.length[run.count++] = length;
	}
	/* Else the errno of a run has changed what is called. */
	assert_int_equal(run.length[run.at], length);
	return run.place[run.at++];
}

/* Make the choices of the next run. Returns whether there is one. */
static bool next_run(void)
{
	unsigned int i, unusual = 0;

	run.number++;
	run.at = 0;
	for (i = 0; i < run.count; i++)
		unusual += run.place[i] > 0;
	for (; run.count; run.count--) {
		i = run.count - 1;
		unusual -= run.place[i] > 0;
		if (unusual < UNUSUAL && run.place[i] + 1 < run.length[i]) {
			run.place[i]++;
			return true;
		}
	}
	return false;
}

static void refute(const char *claim, const char *file, int line)
{
	unsigned int i;

	print_error("not true: %s\nin run %lu, with the choices", claim,
		    run.number);
	for (i = 0; i < run.at; i++)
		print_error(" %u", run.place[i]);
	print_error("\n");
	_fail(file, line);
}

#endif

#endif
