/* SPDX-License-Identifier: MIT */

/*
 * Any value, and what is claimed for all of them. CBMC proves it for every
 * value there is. A test takes those of a list, the first of which is the
 * ordinary one, and runs an entry again and again: in every way in which up to
 * ODD values are another one of their list.
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
char nondet_char(void);
int nondet_int(void);
unsigned int nondet_unsigned(void);
size_t nondet_size_t(void);
uint64_t nondet_uint64_t(void);
int64_t nondet_int64_t(void);
const char *nondet_pointer(void);

/* Any value of a type; in a test, one of these. */
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
/* A sanitizer looks at it. */
#define WRITABLE(buf, size) (memset(buf, 0, size) != NULL)

#define ANY(type, ...)                                                         \
	(((type const[]){ __VA_ARGS__ })[choose(                               \
		COUNT(((type const[]){ __VA_ARGS__ })))])
#define ODD 4

typedef const char *pointer;

/* The choices of this run: each a place in a list, and how long the list is. */
static struct {
	unsigned int at, count, place[200], length[200];
	unsigned long runs;
	jmp_buf done;
} run;

static unsigned int choose(unsigned int length)
{
	assert_true(run.at < COUNT(run.place));
	if (run.at == run.count) {
		run.place[run.count] = 0;
		run.length[run.count++] = length;
	}
	return run.place[run.at++];
}

static bool another_run(void)
{
	unsigned int i, odd = 0;

	run.runs++;
	run.at = 0;
	for (i = 0; i < run.count; i++)
		odd += run.place[i] > 0;
	for (; run.count; run.count--) {
		i = run.count - 1;
		odd -= run.place[i] > 0;
		if (odd < ODD && run.place[i] + 1 < run.length[i]) {
			run.place[i]++;
			return true;
		}
	}
	return false;
}

static void refute(const char *claim, const char *file, int line)
{
	unsigned int i;

	print_error("not so: %s\nin run %lu, with the choices", claim, run.runs);
	for (i = 0; i < run.at; i++)
		print_error(" %u", run.place[i]);
	print_error("\n");
	_fail(file, line);
}

#endif

#endif
