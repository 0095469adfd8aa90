/* SPDX-License-Identifier: MIT */

/*
 * The constants of memfd.h have the values of the contract, which are those of
 * the kernel's headers, where these have them. hugetlb.c tests the sizes of
 * huge pages.
 */

#include "unit.h"

#ifdef __has_include
#if __has_include(<linux/memfd.h>)
#include <linux/memfd.h>
#endif
#endif

#define SAME(ours, theirs) _Static_assert((ours) == (theirs), #ours)

SAME(MEMFD_CLOEXEC, 0x0001);
SAME(MEMFD_ALLOW_SEALING, 0x0002);
SAME(MEMFD_HUGETLB, 0x0004);
SAME(MEMFD_NOEXEC_SEAL, 0x0008);
SAME(MEMFD_EXEC, 0x0010);
SAME(MEMFD_INHERIT, 0x02000000);
SAME(MEMFD_SEAL_SEAL, 0x01);
SAME(MEMFD_SEAL_SHRINK, 0x02);
SAME(MEMFD_SEAL_GROW, 0x04);
SAME(MEMFD_SEAL_WRITE, 0x08);
SAME(MEMFD_SEAL_FUTURE_WRITE, 0x10);
SAME(MEMFD_SEAL_EXEC, 0x20);
SAME(MEMFD_SEAL_IMMUTABLE, 0x0e);
SAME(MEMFD_SEALS_STRLEN, 128);

/* The newest of <linux/memfd.h>, so that the others are there too. */
#ifdef MFD_EXEC
SAME(MEMFD_CLOEXEC, MFD_CLOEXEC);
SAME(MEMFD_ALLOW_SEALING, MFD_ALLOW_SEALING);
SAME(MEMFD_HUGETLB, MFD_HUGETLB);
SAME(MEMFD_NOEXEC_SEAL, MFD_NOEXEC_SEAL);
SAME(MEMFD_EXEC, MFD_EXEC);
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
