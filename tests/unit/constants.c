/* SPDX-License-Identifier: MIT */

/*
 * The constants of memfd.h have the values of the kernel's headers, where these
 * have them. Those of the contract are in shared/grammar.h, by name.
 */

#include "unit.h"

#ifdef __has_include
#if __has_include(<linux/memfd.h>)
#include <linux/memfd.h>
#endif
#endif

#define SAME(ours, theirs) _Static_assert((ours) == (theirs), #ours)

SAME(MEMFD_SEALS_STRLEN, 128);
SAME(MEMFD_SEAL_IMMUTABLE,
     MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW | MEMFD_SEAL_WRITE);

/* The newest of <linux/memfd.h>, so that the others are there too. */
#ifdef MFD_EXEC
SAME(MEMFD_CLOEXEC, MFD_CLOEXEC);
SAME(MEMFD_ALLOW_SEALING, MFD_ALLOW_SEALING);
SAME(MEMFD_HUGETLB, MFD_HUGETLB);
SAME(MEMFD_NOEXEC_SEAL, MFD_NOEXEC_SEAL);
SAME(MEMFD_EXEC, MFD_EXEC);
SAME(MEMFD_HUGE_16GB, MFD_HUGETLB | MFD_HUGE_16GB);
#endif

/* In older headers, 16 GiB overflow an int. */
#ifdef MFD_HUGE_2GB
SAME(MEMFD_HUGE_64KB, MFD_HUGETLB | MFD_HUGE_64KB);
SAME(MEMFD_HUGE_512KB, MFD_HUGETLB | MFD_HUGE_512KB);
SAME(MEMFD_HUGE_1MB, MFD_HUGETLB | MFD_HUGE_1MB);
SAME(MEMFD_HUGE_2MB, MFD_HUGETLB | MFD_HUGE_2MB);
SAME(MEMFD_HUGE_8MB, MFD_HUGETLB | MFD_HUGE_8MB);
SAME(MEMFD_HUGE_16MB, MFD_HUGETLB | MFD_HUGE_16MB);
SAME(MEMFD_HUGE_32MB, MFD_HUGETLB | MFD_HUGE_32MB);
SAME(MEMFD_HUGE_256MB, MFD_HUGETLB | MFD_HUGE_256MB);
SAME(MEMFD_HUGE_512MB, MFD_HUGETLB | MFD_HUGE_512MB);
SAME(MEMFD_HUGE_1GB, MFD_HUGETLB | MFD_HUGE_1GB);
SAME(MEMFD_HUGE_2GB, MFD_HUGETLB | MFD_HUGE_2GB);
#endif

/* And the newest of <fcntl.h>. */
#ifdef F_SEAL_EXEC
SAME(MEMFD_SEAL_SEAL, F_SEAL_SEAL);
SAME(MEMFD_SEAL_SHRINK, F_SEAL_SHRINK);
SAME(MEMFD_SEAL_GROW, F_SEAL_GROW);
SAME(MEMFD_SEAL_WRITE, F_SEAL_WRITE);
SAME(MEMFD_SEAL_FUTURE_WRITE, F_SEAL_FUTURE_WRITE);
SAME(MEMFD_SEAL_EXEC, F_SEAL_EXEC);
#endif

/* The day that a kernel takes it, the library needs another. */
static void inherit_is_no_flag_of_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(kernel_refuses(MEMFD_INHERIT), EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(inherit_is_no_flag_of_the_kernel),
	};

	return cmocka_run_group_tests_name("constants", tests, NULL, NULL);
}
