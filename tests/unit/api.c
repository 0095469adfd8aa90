/* SPDX-License-Identifier: MIT */

/* Linked with the shared object alone: a forgotten export does not link. */

#include "unit.h"

static void each_of_the_thirteen_is_there(void **state)
{
	unsigned int number;
	char buf[MEMFD_SEALS_STRLEN];
	size_t end;
	int fd;

	(void)state;
	fd = succeeds(memfd_new("api", MEMFD_ALLOW_SEALING));
	succeeds(memfd_seal(fd, MEMFD_SEAL_GROW));
	assert_true(succeeds(memfd_get_seals(fd)) & MEMFD_SEAL_GROW);
	succeeds(memfd_check_seals(fd, MEMFD_SEAL_GROW));
	close_it(fd);
	close_it(succeeds(memfd_new_sealed("api", 0, "x", 1)));

	fd = succeeds(memfd_new_str("api", "allow-sealing"));
	succeeds(memfd_seal_str(fd, "grow"));
	assert_true(succeeds(memfd_get_seals_str(fd, buf, sizeof(buf))) > 0);
	succeeds(memfd_check_seals_str(fd, "grow"));
	close_it(fd);
	close_it(succeeds(memfd_new_sealed_str("api", NULL, "x", 1)));

	succeeds(memfd_parse_flags("exec", &number, &end));
	succeeds(memfd_parse_seals("exec", &number, &end));
	assert_int_equal(succeeds(memfd_format_seals(1, buf, sizeof(buf))), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(each_of_the_thirteen_is_there),
	};

	return run_twice("api", tests);
}
