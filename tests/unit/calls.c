/* SPDX-License-Identifier: MIT */

/*
 * src/memfd.c on kernels that are not here: without the exec flags, behind a
 * sandbox, out of memory, slow, with files of more than 4 GiB. What is claimed
 * stands in tests/proofs/calls.c, which also proves it for any kernel.
 */

#include "../../src/syscalls.h"

#include "unit.h"

#include "../proofs/calls.c"

/* Errors of the library itself: no call failed, or none with this errno. */
static void record(const char *function)
{
	if (errno != saved.errno_before &&
	    (!seen.failed || (errno == EIO && kernel.error != EIO)) &&
	    errno != seen.get_failed)
		saw(function, errno);
}

static void make_every_run(const char *function, void (*call)(void))
{
	size_t i;

	memset(made, 0, sizeof(made));
	/* The test before may have failed within a run. */
	run.number = run.at = run.count = 0;
	do {
		if (!setjmp(run.done)) {
			call();
			record(function);
		}
	} while (next_run());
	print_message("  %lu runs\n", run.number);
	for (i = 0; i < COUNT(made); i++)
		if (made[i])
			print_message("made %s %s\n", function, made[i]);
}

#define ON_ANY_KERNEL(function, call)                                          \
	static void call##_on_any_kernel(void **state)                         \
	{                                                                      \
		(void)state;                                                   \
		make_every_run(#function, call);                               \
	}

#define PROMISE(function, call) promise(call##_on_any_kernel),

ENTRIES(ON_ANY_KERNEL)

int main(void)
{
	const struct CMUnitTest tests[] = { ENTRIES(PROMISE) };

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
