/* SPDX-License-Identifier: MIT */

/*
 * src/memfd.c over a kernel that answers anything: older than Linux 6.3, behind
 * a sandbox, out of memory, interrupted, one byte at a time. tests/proofs says
 * what is claimed, and proves the same for all answers there are.
 */

#include "../../src/syscalls.h"

#include "unit.h"

#include "../proofs/calls.c"

typedef void entry(void);

static void is_so(void **state)
{
	entry *const *every = *state;

	run.runs = 0;
	do {
		if (!setjmp(run.done))
			(*every)();
	} while (another_run());
	print_message("  %lu runs\n", run.runs);
}

#define on_any_kernel(name)                                                    \
	{ #name "_on_any_kernel", is_so, count_open, compare_open,             \
	  &(entry *){ name } }

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_any_kernel(new_any),
		on_any_kernel(new_on_linux),
		on_any_kernel(seal),
		on_any_kernel(get_seals_of_any_file),
		on_any_kernel(check_seals),
		on_any_kernel(sized),
		on_any_kernel(sealed),
		on_any_kernel(copied),
	};

	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
