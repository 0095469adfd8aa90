/* SPDX-License-Identifier: MIT */

/*
 * src/memfd.c on kernels that are not here: without the exec flags, behind a
 * sandbox, out of memory, slow, with files of more than 4 GiB. What is claimed
 * stands in tests/proofs/calls.c, which also proves it for any kernel.
 */

#include "../../src/syscalls.h"

#include "unit.h"

#include "../proofs/calls.c"

static void make_every_run(void (*call)(void))
{
	/* The test before may have failed within a run. */
	run.number = run.at = run.count = 0;
	do {
		if (!setjmp(run.done))
			call();
	} while (next_run());
	print_message("  %lu runs\n", run.number);
}

#define ON_ANY_KERNEL(call)                                                    \
	static void call##_on_any_kernel(void **state)                         \
	{                                                                      \
		(void)state;                                                   \
		make_every_run(call);                                          \
	}

ON_ANY_KERNEL(new_any)
ON_ANY_KERNEL(new_on_linux)
ON_ANY_KERNEL(seal)
ON_ANY_KERNEL(get_seals_of_any_file)
ON_ANY_KERNEL(check_seals)
ON_ANY_KERNEL(sized)
ON_ANY_KERNEL(sealed)
ON_ANY_KERNEL(copied)

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(new_any_on_any_kernel),
		promise(new_on_linux_on_any_kernel),
		promise(seal_on_any_kernel),
		promise(get_seals_of_any_file_on_any_kernel),
		promise(check_seals_on_any_kernel),
		promise(sized_on_any_kernel),
		promise(sealed_on_any_kernel),
		promise(copied_on_any_kernel),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
