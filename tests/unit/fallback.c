/* SPDX-License-Identifier: MIT */

/*
 * What each function asks of kernels that are not here, and what comes of it:
 * the table of calls in fake.h.
 */

#include "fake.h"

/* The kernels take turns, so nothing may be remembered of another one. */
static void each_kernel_gets_the_calls_that_it_needs_and_no_other(void **state)
{
	size_t i;
	int kernel, fd;

	(void)state;
	for (i = 0; i < COUNT(calls); i++)
		for (fd = 0; fd < 2; fd++)
			for (kernel = 0; kernel < KERNELS; kernel++)
				if (calls[i].calls[kernel])
					goes_as_said(&calls[i], kernel, fd);
}

/* Before Linux 4.14. */
static void unknown_hugetlb_is_einval(void **state)
{
	(void)state;
	boot(BEFORE, 0);
	fake.unknown_flags |= MEMFD_HUGETLB;
	fails(memfd_new("fake", MEMFD_HUGETLB), EINVAL);
	assert_string_equal(fake.calls, "mm");
}

/* And is not what F_GET_SEALS answers then. */
static void refused_seal_is_the_error_if_the_seal_is_not_there(void **state)
{
	static const unsigned int flags[] = { 0, MEMFD_INHERIT };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(flags); i++) {
		boot(CLOSED, 0);
		fake.fails = 3;
		fake.err = EBADF;
		fails(memfd_new("fake", flags[i]), EPERM);
		assert_string_equal(fake.calls, "msgx");
	}
}

static void each_seals_function_makes_one_call(void **state)
{
	char text[MEMFD_SEALS_STRLEN];
	int fd;

	(void)state;
	for (fd = 0; fd < 2; fd++) {
		boot(AFTER, fd);
		fake.open = 1;
		/* A mask of 0 is no failure. */
		assert_int_equal(succeeds(memfd_get_seals(fd)), 0);
		assert_int_equal(
			succeeds(memfd_get_seals_str(fd, text, sizeof(text))),
			0);
		assert_string_equal(text, "");
		fails(memfd_check_seals(fd, MEMFD_SEAL_GROW), EPERM);
		assert_string_equal(fake.calls, "ggg");

		boot(AFTER, fd);
		fake.open = 1;
		succeeds(memfd_seal(fd, 0x7fffff8e));
		assert_int_equal(fake.seals, 0x7fffff8e);
		succeeds(memfd_seal_str(fd, "seal"));
		fails(memfd_seal(fd, 0), EPERM);
		assert_string_equal(fake.calls, "sss");

		/* Nor are seals that have no name. */
		assert_int_equal(succeeds(memfd_get_seals(fd)), 0x7fffff8f);
		succeeds(memfd_get_seals_str(fd, text, sizeof(text)));
		assert_string_equal(text, "seal,shrink,grow,write,0x7fffff80");
		succeeds(memfd_check_seals(fd, 0x40000080));
		succeeds(memfd_check_seals_str(fd, "0x40000080"));
		fails(memfd_check_seals(fd, 0x80000001), EPERM);
		assert_string_equal(fake.calls, "sssggggg");

		/* These are judged before the kernel is asked. */
		fails(memfd_check_seals(fd, 0), EINVAL);
		fails(memfd_check_seals_str(fd, "nope"), EINVAL);
		fails(memfd_seal_str(fd, NULL), EFAULT);
		assert_int_equal(fake.count, 8);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(each_kernel_gets_the_calls_that_it_needs_and_no_other),
		promise(unknown_hugetlb_is_einval),
		promise(refused_seal_is_the_error_if_the_seal_is_not_there),
		promise(each_seals_function_makes_one_call),
	};

	return cmocka_run_group_tests_name("fallback", tests, NULL, NULL);
}
