/* SPDX-License-Identifier: MIT */

/* memfd_new_sealed: created, filled and sealed, or nothing. */

#include "unit.h"

static long page;

static void every_size_arrives(void **state)
{
	size_t sizes[] = { 0, 1, 0, 0, 0, 100000 };
	char *data = malloc(100000);
	size_t i;

	(void)state;
	assert_non_null(data);
	for (i = 0; i < 100000; i++)
		data[i] = (char)(i * 7 + i / 256);
	sizes[2] = (size_t)page - 1;
	sizes[3] = (size_t)page;
	sizes[4] = (size_t)page + 1;
	for (i = 0; i < COUNT(sizes); i++) {
		holds(succeeds(memfd_new_sealed("sealed", 0, data, sizes[i])),
		      data, sizes[i]);
		holds(succeeds(memfd_new_sealed_str("sealed", NULL, data,
						    sizes[i])),
		      data, sizes[i]);
	}
	free(data);
}

static void no_data_is_an_empty_file(void **state)
{
	(void)state;
	holds(succeeds(memfd_new_sealed("sealed", 0, NULL, 0)), NULL, 0);
	holds(succeeds(memfd_new_sealed_str("sealed", "", NULL, 0)), NULL, 0);
}

static int ab(const char *name, unsigned int flags)
{
	return memfd_new_sealed(name, flags, "ab", 2);
}

static void file_is_that_of_memfd_new(void **state)
{
	(void)state;
	makes_what_memfd_new_makes(ab, ALL_SEALS);
}

static void hugetlb_is_einval(void **state)
{
	(void)state;
	fails(memfd_new_sealed("sealed", MEMFD_HUGETLB, "x", 1), EINVAL);
	fails(memfd_new_sealed("sealed", MEMFD_HUGETLB, NULL, 0), EINVAL);
	fails(memfd_new_sealed("sealed", MEMFD_HUGETLB | MEMFD_EXEC, NULL, 0),
	      EINVAL);
	fails(memfd_new_sealed("sealed", MEMFD_HUGE_2MB, "x", 1), EINVAL);
	fails(memfd_new_sealed("sealed", MEMFD_HUGE_16GB, NULL, 0), EINVAL);
	fails(memfd_new_sealed_str("sealed", "hugetlb", "x", 1), EINVAL);
	fails(memfd_new_sealed_str("sealed", "huge-2mb", NULL, 0), EINVAL);
}

static void names_are_judged_first(void **state)
{
	(void)state;
	fails(memfd_new_sealed_str(NULL, "nope", NULL, 1), EINVAL);
	fails(memfd_new_sealed_str("sealed", "cloexec,write", NULL, 1), EINVAL);
}

static void bad_data_is_efault(void **state)
{
	(void)state;
	fails(memfd_new_sealed("sealed", 0, NULL, 1), EFAULT);
	fails(memfd_new_sealed("sealed", 0, NULL, 100000), EFAULT);
	fails(memfd_new_sealed("sealed", 0, (void *)1, 1), EFAULT);
	fails(memfd_new_sealed_str("sealed", NULL, NULL, 1), EFAULT);
}

/* The first write moves a page, and only the second one fails. */
static void data_that_ends_early_is_efault(void **state)
{
	size_t half = (size_t)page;
	char *data = mmap(NULL, 2 * half, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(data != MAP_FAILED);
	memset(data, 'x', half);
	assert_int_equal(mprotect(data + half, half, PROT_NONE), 0);
	fails(memfd_new_sealed("sealed", 0, data, half + 1), EFAULT);
	fails(memfd_new_sealed("sealed", 0, data, 2 * half), EFAULT);
	fails(memfd_new_sealed("sealed", 0, data + half, half), EFAULT);
	holds(succeeds(memfd_new_sealed("sealed", 0, data, half)), data, half);
	assert_int_equal(munmap(data, 2 * half), 0);
}

static const char *limited;

static int new_sealed(void)
{
	return memfd_new_sealed("sealed", 0, limited, strlen(limited));
}

static void file_size_limit_is_efbig_with_sigxfsz(void **state)
{
	(void)state;
	/* Some bytes fit, and only the second write fails. */
	limited = "123456";
	file_size_limit_refuses(new_sealed, 5);
	file_size_limit_refuses(new_sealed, 0);
	limited = "12345";
	holds(succeeds(within_file_size(new_sealed, 5)), limited, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(every_size_arrives),
		promise(no_data_is_an_empty_file),
		promise(file_is_that_of_memfd_new),
		promise(hugetlb_is_einval),
		promise(names_are_judged_first),
		promise(bad_data_is_efault),
		promise(data_that_ends_early_is_efault),
		promise(file_size_limit_is_efbig_with_sigxfsz),
	};

	page = sysconf(_SC_PAGESIZE);
	return run_twice("sealed", tests);
}
