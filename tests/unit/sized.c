/* SPDX-License-Identifier: MIT */

/* memfd_new_sized: created with a size and sealed, or nothing. */

#include "unit.h"

#define SHRINK_GROW (MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW)

/* The largest file, or on 32-bit the largest number. */
#define LARGEST_FILE (SIZE_MAX > 0xffffffff ? (size_t)INT64_MAX : SIZE_MAX)

/* These seals, and zeros to the end of this size. Closes it. */
static void has_zeros(int fd, size_t size, unsigned int seals)
{
	char *content = malloc(size + 1);
	size_t i;

	assert_non_null(content);
	assert_int_equal(read(fd, content, size + 1), size);
	for (i = 0; i < size; i++)
		assert_int_equal(content[i], 0);
	free(content);
	assert_int_equal(memfd_get_seals(fd), seals | first_seals());
	close_it(fd);
}

static void every_size_is_zeros(void **state)
{
	const size_t sizes[] = SIZES;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		has_zeros(succeeds(memfd_new_sized("sized", 0, sizes[i],
						   SHRINK_GROW)),
			  sizes[i], SHRINK_GROW);
		has_zeros(succeeds(memfd_new_sized_str("sized", NULL, sizes[i],
						       "shrink,grow")),
			  sizes[i], SHRINK_GROW);
	}
}

/* "0" is none, and adds no permission to seal: so it is closed. */
static void every_set_of_seals(void **state)
{
	char names[MEMFD_SEALS_STRLEN];
	unsigned int seals, known = known_seals();

	(void)state;
	for (seals = 0; seals <= 0x3f; seals++) {
		if (seals & ~known)
			continue;
		snprintf(names, sizeof(names), "0x%x", seals);
		has_zeros(succeeds(memfd_new_sized("sized", 0, 5, seals)), 5,
			  seals ? seals : MEMFD_SEAL_SEAL);
		has_zeros(succeeds(memfd_new_sized_str("sized", "", 5, names)),
			  5, seals ? seals : MEMFD_SEAL_SEAL);
	}
	has_zeros(succeeds(memfd_new_sized_str("sized", "allow-sealing", 5,
					       " 0x0")),
		  5, 0);
}

static void unknown_seal_is_einval(void **state)
{
	unsigned int seal, known = known_seals();

	(void)state;
	for (seal = 1; seal; seal <<= 1) {
		if (known & seal)
			continue;
		fails(memfd_new_sized("sized", 0, 5, seal), EINVAL);
		fails(memfd_new_sized("sized", MEMFD_ALLOW_SEALING, 5,
				      seal | SHRINK_GROW),
		      EINVAL);
	}
	fails(memfd_new_sized("sized", 0, 5, ~0U), EINVAL);
	fails(memfd_new_sized_str("sized", NULL, 5, "grow,0x80000000"), EINVAL);
}

/* Before anything else: the size or the name of the file is wrong as well. */
static void names_of_seals_are_judged_first(void **state)
{
	static const char *const wrong[] = { "", " ", ",|\t", "0,nope",
					     "cloexec" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++) {
		fails(memfd_new_sized_str(NULL, NULL, 5, wrong[i]), EINVAL);
		fails(memfd_new_sized_str("sized", NULL, SIZE_MAX, wrong[i]),
		      EINVAL);
	}
	fails(memfd_new_sized_str("sized", "cloexec,inherit", 5, NULL), EFAULT);
	fails(memfd_new_sized_str("sized", "nope", SIZE_MAX, "0"), EINVAL);
}

static void no_memory_is_reserved(void **state)
{
	int fd = succeeds(memfd_new_sized("sized", 0, 1 << 26, SHRINK_GROW));
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 1 << 26);
	assert_int_equal(st.st_blocks, 0);
	close_it(fd);
}

static void more_than_a_file_can_have_is_efbig(void **state)
{
	const size_t sizes[] = { LARGEST_FILE + 1, LARGEST_FILE + 4096,
				 SIZE_MAX };
	size_t i;

	(void)state;
	if (LARGEST_FILE == SIZE_MAX)
		skip_because("every size_t is the size of some file");
	for (i = 0; i < COUNT(sizes); i++) {
		fails(memfd_new_sized("sized", 0, sizes[i], 0), EFBIG);
		fails(memfd_new_sized("sized", 0, sizes[i], SHRINK_GROW),
		      EFBIG);
		fails(memfd_new_sized_str("sized", NULL, sizes[i], "grow"),
		      EFBIG);
	}
	/* The flags come first. */
	fails(memfd_new_sized("sized", 0x01000000, SIZE_MAX, 0), EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(every_size_is_zeros),
		promise(every_set_of_seals),
		promise(unknown_seal_is_einval),
		promise(names_of_seals_are_judged_first),
		promise(no_memory_is_reserved),
		promise(more_than_a_file_can_have_is_efbig),
	};

	return run_twice("sized", tests);
}
