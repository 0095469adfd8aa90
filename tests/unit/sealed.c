/* SPDX-License-Identifier: MIT */

/* memfd_new_sealed: created, filled and sealed, or nothing. */

#include "unit.h"

static char data[LARGEST];

static void every_size_arrives(void **state)
{
	const size_t sizes[] = SIZES;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		holds(succeeds(memfd_new_sealed("sealed", 0, data, sizes[i])),
		      data, sizes[i]);
		holds(succeeds(memfd_new_sealed_str("sealed", NULL, data,
						    sizes[i])),
		      data, sizes[i]);
	}
	holds(succeeds(memfd_new_sealed("sealed", 0, NULL, 0)), NULL, 0);
	holds(succeeds(memfd_new_sealed_str("sealed", "", NULL, 0)), NULL, 0);
}

/* The last ones end early: a page is written before they fail. */
static void bad_data_is_efault(void **state)
{
	size_t half = (size_t)page_size();
	char *at = mmap(NULL, 2 * half, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(at != MAP_FAILED);
	memset(at, 'x', half);
	assert_int_equal(mprotect(at + half, half, PROT_NONE), 0);
	fails(memfd_new_sealed("sealed", 0, NULL, 1), EFAULT);
	fails(memfd_new_sealed_str("sealed", NULL, NULL, 1), EFAULT);
	fails(memfd_new_sealed("sealed", 0, at + half, half), EFAULT);
	fails(memfd_new_sealed("sealed", 0, at, half + 1), EFAULT);
	/* A size whose lower half is 0. */
	fails(memfd_new_sealed_str("sealed", NULL, at, SIZE_MAX / 2 + 1),
	      EFAULT);
	holds(succeeds(memfd_new_sealed("sealed", 0, at, half)), at, half);
	assert_int_equal(munmap(at, 2 * half), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(every_size_arrives),
		promise(bad_data_is_efault),
	};
	size_t i;

	for (i = 0; i < LARGEST; i++)
		data[i] = (char)(i * 7 + i / 256);
	return cmocka_run_group_tests_name("sealed", tests, NULL, NULL);
}
