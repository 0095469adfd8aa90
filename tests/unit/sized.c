/* SPDX-License-Identifier: MIT */

/* memfd_new_sized: created with a size and sealed, or nothing. */

#include "unit.h"

#define SHRINK_GROW (MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW)

/* The largest file, or on 32-bit the largest number. */
#define LARGEST_FILE (SIZE_MAX > 0xffffffff ? (size_t)INT64_MAX : SIZE_MAX)

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(every_set_of_seals_on_zeros),
		promise(more_than_a_file_can_have_is_efbig),
	};

	return cmocka_run_group_tests_name("sized", tests, NULL, NULL);
}
