/* SPDX-License-Identifier: MIT */

/* The constants of memfd.h are the kernel's, wherever headers have those. */

#include "unit.h"

#ifdef __has_include
#if __has_include(<linux/memfd.h>)
#include <linux/memfd.h>
#endif
#endif

#define SAME(ours, theirs) _Static_assert((ours) == (theirs), #theirs)

#ifdef MFD_CLOEXEC
SAME(MEMFD_CLOEXEC, MFD_CLOEXEC);
SAME(MEMFD_ALLOW_SEALING, MFD_ALLOW_SEALING);
#endif
#ifdef F_SEAL_SEAL
SAME(MEMFD_SEAL_SEAL, F_SEAL_SEAL);
SAME(MEMFD_SEAL_SHRINK, F_SEAL_SHRINK);
SAME(MEMFD_SEAL_GROW, F_SEAL_GROW);
SAME(MEMFD_SEAL_WRITE, F_SEAL_WRITE);
#endif
#ifdef MFD_HUGETLB
SAME(MEMFD_HUGETLB, MFD_HUGETLB);
#endif
#ifdef MFD_NOEXEC_SEAL
SAME(MEMFD_NOEXEC_SEAL, MFD_NOEXEC_SEAL);
#endif
#ifdef MFD_EXEC
SAME(MEMFD_EXEC, MFD_EXEC);
#endif
#ifdef F_SEAL_FUTURE_WRITE
SAME(MEMFD_SEAL_FUTURE_WRITE, F_SEAL_FUTURE_WRITE);
#endif
#ifdef F_SEAL_EXEC
SAME(MEMFD_SEAL_EXEC, F_SEAL_EXEC);
#endif

/* Each size has the MEMFD_HUGETLB bit in it. */
#ifdef MFD_HUGE_64KB
SAME(MEMFD_HUGE_64KB, MFD_HUGETLB | MFD_HUGE_64KB);
#endif
#ifdef MFD_HUGE_512KB
SAME(MEMFD_HUGE_512KB, MFD_HUGETLB | MFD_HUGE_512KB);
#endif
#ifdef MFD_HUGE_1MB
SAME(MEMFD_HUGE_1MB, MFD_HUGETLB | MFD_HUGE_1MB);
#endif
#ifdef MFD_HUGE_2MB
SAME(MEMFD_HUGE_2MB, MFD_HUGETLB | MFD_HUGE_2MB);
#endif
#ifdef MFD_HUGE_8MB
SAME(MEMFD_HUGE_8MB, MFD_HUGETLB | MFD_HUGE_8MB);
#endif
#ifdef MFD_HUGE_16MB
SAME(MEMFD_HUGE_16MB, MFD_HUGETLB | MFD_HUGE_16MB);
#endif
#ifdef MFD_HUGE_32MB
SAME(MEMFD_HUGE_32MB, MFD_HUGETLB | MFD_HUGE_32MB);
#endif
#ifdef MFD_HUGE_256MB
SAME(MEMFD_HUGE_256MB, MFD_HUGETLB | MFD_HUGE_256MB);
#endif
#ifdef MFD_HUGE_512MB
SAME(MEMFD_HUGE_512MB, MFD_HUGETLB | MFD_HUGE_512MB);
#endif
#ifdef MFD_HUGE_1GB
SAME(MEMFD_HUGE_1GB, MFD_HUGETLB | MFD_HUGE_1GB);
#endif
#ifdef MFD_HUGE_2GB
SAME(MEMFD_HUGE_2GB, MFD_HUGETLB | MFD_HUGE_2GB);
#endif
/* Older headers shift 34 into the sign of an int. */
#ifdef MFD_HUGE_16GB
SAME(MEMFD_HUGE_16GB, (unsigned int)MFD_HUGETLB | (unsigned int)MFD_HUGE_16GB);
#endif

static unsigned int huge(unsigned long long bytes)
{
	unsigned int log2 = 0;

	while (bytes >>= 1)
		log2++;
	return log2 << 26 | 0x0004;
}

static void sizes_are_logarithms_beside_hugetlb(void **state)
{
	(void)state;
	assert_int_equal(MEMFD_HUGE_64KB, huge(64ULL << 10));
	assert_int_equal(MEMFD_HUGE_512KB, huge(512ULL << 10));
	assert_int_equal(MEMFD_HUGE_1MB, huge(1ULL << 20));
	assert_int_equal(MEMFD_HUGE_2MB, huge(2ULL << 20));
	assert_int_equal(MEMFD_HUGE_8MB, huge(8ULL << 20));
	assert_int_equal(MEMFD_HUGE_16MB, huge(16ULL << 20));
	assert_int_equal(MEMFD_HUGE_32MB, huge(32ULL << 20));
	assert_int_equal(MEMFD_HUGE_256MB, huge(256ULL << 20));
	assert_int_equal(MEMFD_HUGE_512MB, huge(512ULL << 20));
	assert_int_equal(MEMFD_HUGE_1GB, huge(1ULL << 30));
	assert_int_equal(MEMFD_HUGE_2GB, huge(2ULL << 30));
	assert_int_equal(MEMFD_HUGE_16GB, huge(16ULL << 30));
}

static void values_are_those_of_the_contract(void **state)
{
	(void)state;
	assert_int_equal(MEMFD_CLOEXEC, 0x0001);
	assert_int_equal(MEMFD_ALLOW_SEALING, 0x0002);
	assert_int_equal(MEMFD_HUGETLB, 0x0004);
	assert_int_equal(MEMFD_NOEXEC_SEAL, 0x0008);
	assert_int_equal(MEMFD_EXEC, 0x0010);
	assert_int_equal(MEMFD_INHERIT, 0x02000000);
	assert_int_equal(MEMFD_SEAL_SEAL, 0x01);
	assert_int_equal(MEMFD_SEAL_SHRINK, 0x02);
	assert_int_equal(MEMFD_SEAL_GROW, 0x04);
	assert_int_equal(MEMFD_SEAL_WRITE, 0x08);
	assert_int_equal(MEMFD_SEAL_FUTURE_WRITE, 0x10);
	assert_int_equal(MEMFD_SEAL_EXEC, 0x20);
	assert_int_equal(MEMFD_SEAL_IMMUTABLE, MEMFD_SEAL_SHRINK |
						       MEMFD_SEAL_GROW |
						       MEMFD_SEAL_WRITE);
	assert_int_equal(MEMFD_SEALS_STRLEN, 128);
}

/* The day that a kernel takes it, the library needs another. */
static void inherit_is_no_flag_of_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(kernel_refuses(MEMFD_INHERIT), EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(sizes_are_logarithms_beside_hugetlb),
		promise(values_are_those_of_the_contract),
		promise(inherit_is_no_flag_of_the_kernel),
	};

	return cmocka_run_group_tests_name("constants", tests, NULL, NULL);
}
