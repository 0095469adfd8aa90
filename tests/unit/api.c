/* SPDX-License-Identifier: MIT */

/*
 * Linked with the shared object alone: what the map names and the header does
 * not declare does not compile, and what the library does not export does not
 * link.
 */

#include "unit.h"

typedef void function(void);

static function *const functions[] = {
#define FUNCTION(name) (function *)name,
#include "functions.h"
};

static void each_function_is_there(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(functions); i++)
		assert_true(functions[i] != NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(each_function_is_there),
	};

	return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
