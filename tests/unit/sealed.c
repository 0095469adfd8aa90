/* SPDX-License-Identifier: MIT */

/*
 * memfd_new_sized and memfd_new_sealed: created with a size or content, and
 * sealed, or nothing.
 */

#include "unit.h"

/* The largest file, or on 32-bit the largest number. */
#define LARGEST_FILE (SIZE_MAX > 0xffffffff ? (size_t)INT64_MAX : SIZE_MAX)

static char data[LARGEST];

/* "0" is none, and adds no permission to seal: so it is closed. */
static void every_set_of_seals_on_zeros(void **state)
{
	static const char zeros[LARGEST];
	char names[MEMFD_SEALS_STRLEN];
	unsigned int seals, known = known_seals();

	(void)state;
	for (seals = 0; seals <= 0x3f; seals++) {
		unsigned int has = seals ? seals : MEMFD_SEAL_SEAL;

		if (seals & ~known)
			continue;
		snprintf(names, sizeof(names), "0x%x", seals);
		is_file(succeeds(memfd_new_sized("sized", 0, LARGEST, seals)),
			zeros, LARGEST, has);
		is_file(succeeds(memfd_new_sized_str("sized", "", 5, names)),
			zeros, 5, has);
	}
	is_file(succeeds(memfd_new_sized_str("sized", "allow-sealing", 0,
					     " 0x0")),
		zeros, 0, 0);
}

static void more_than_a_file_can_have_is_efbig(void **state)
{
	(void)state;
	if (LARGEST_FILE == SIZE_MAX)
		skip_because("every size_t is the size of some file");
	fails(memfd_new_sized("sized", 0, LARGEST_FILE + 1, 0), EFBIG);
	fails(memfd_new_sized_str("sized", NULL, SIZE_MAX, "grow"), EFBIG);
	/* The flags come first. */
	fails(memfd_new_sized("sized", 0x01000000, SIZE_MAX, 0), EINVAL);
}

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
		promise(every_set_of_seals_on_zeros),
		promise(more_than_a_file_can_have_is_efbig),
		promise(every_size_arrives),
		promise(bad_data_is_efault),
	};
	size_t i;

	for (i = 0; i < LARGEST; i++)
		data[i] = (char)(i * 7 + i / 256);
	return cmocka_run_group_tests_name("sealed", tests, NULL, NULL);
}
