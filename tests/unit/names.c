/* SPDX-License-Identifier: MIT */
#include "unit.h"

static void format_all_named_seals(void **state)
{
	char buf[MEMFD_STR_MAX];

	(void)state;
	assert_int_equal(memfd_format_seals(0x3f, buf, sizeof(buf)), 40);
	assert_string_equal(buf, "seal,shrink,grow,write,future-write,exec");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format_all_named_seals),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
