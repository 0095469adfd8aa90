/* SPDX-License-Identifier: MIT */

/* MEMFD_GENERIC: numbers or names under the plain name, in C11 and later. */

#define MEMFD_GENERIC
#include "unit.h"

/* But for exec, which only some kernels have. */
static int seals_of(int fd)
{
	int seals = memfd_get_seals(fd) & ~MEMFD_SEAL_EXEC;

	close_it(fd);
	return seals;
}

static void numbers_go_to_the_plain_functions(void **state)
{
	const unsigned int flags = MEMFD_ALLOW_SEALING;
	enum memfd_seals seal = MEMFD_SEAL_GROW;
	unsigned long wide = MEMFD_SEAL_WRITE;
	int fd;

	(void)state;
	assert_int_equal(seals_of(succeeds(memfd_new("generic", 0))), 1);
	assert_int_equal(
		seals_of(succeeds(memfd_new("generic", MEMFD_ALLOW_SEALING))),
		0);
	fails(memfd_new("generic", 0x01000000U), EINVAL);
	fd = succeeds(memfd_new("generic", flags));
	fails(memfd_check_seals(fd, 0), EINVAL);
	fails(memfd_check_seals(fd, seal), EPERM);
	assert_int_equal(succeeds(memfd_seal(fd, 0)), 0);
	assert_int_equal(succeeds(memfd_seal(fd, seal)), 0);
	assert_int_equal(succeeds(memfd_seal(fd, (unsigned int)wide)), 0);
	assert_int_equal(succeeds(memfd_check_seals(fd, 0x0cU)), 0);
	assert_int_equal(seals_of(fd), 0x0c);
	assert_int_equal(
		seals_of(succeeds(memfd_new_sealed("generic", 0, "x", 1))),
		0x0f);
}

static void names_go_to_the_str_functions(void **state)
{
	char array[] = "F_SEAL_SHRINK";
	const char *pointer = "allow-sealing";
	const char *const constant = "grow";
	char *plain = array;
	int fd;

	(void)state;
	fd = succeeds(memfd_new("generic", pointer));
	assert_int_equal(succeeds(memfd_seal(fd, array)), 0);
	assert_int_equal(succeeds(memfd_check_seals(fd, plain)), 0);
	assert_int_equal(succeeds(memfd_seal(fd, "write")), 0);
	assert_int_equal(succeeds(memfd_seal(fd, constant)), 0);
	assert_int_equal(succeeds(memfd_check_seals(fd, "immutable")), 0);
	fails(memfd_check_seals(fd, "seal"), EPERM);
	fails(memfd_seal(fd, "nope"), EINVAL);
	assert_int_equal(seals_of(fd), 0x0e);
	assert_int_equal(
		seals_of(succeeds(memfd_new("generic", "MFD_ALLOW_SEALING"))),
		0);
	assert_int_equal(seals_of(succeeds(memfd_new_sealed(
				 "generic", "allow-sealing", "x", 1))),
			 0x0f);
}

static void null_goes_to_the_str_functions(void **state)
{
	int fd;

	(void)state;
	fd = succeeds(memfd_new("generic", NULL));
	fails(memfd_seal(fd, NULL), EFAULT);
	fails(memfd_check_seals(fd, NULL), EFAULT);
	fails(memfd_check_seals(fd, (void *)0), EFAULT);
	fails(memfd_check_seals(fd, (char *)NULL), EFAULT);
	assert_int_equal(seals_of(fd), 1);
	assert_int_equal(
		seals_of(succeeds(memfd_new_sealed("generic", NULL, NULL, 0))),
		0x0f);
}

static void addresses_are_of_the_plain_functions(void **state)
{
	int (*create)(const char *name, unsigned int flags) = &memfd_new;
	int (*seal)(int fd, unsigned int seals) = memfd_seal;
	int (*check)(int fd, unsigned int seals) = &memfd_check_seals;
	int (*sealed)(const char *name, unsigned int flags, const void *data,
		      size_t size) = &memfd_new_sealed;
	struct {
		int (*memfd_seal)(int fd, unsigned int seals);
	} object = { memfd_seal };
	int fd = succeeds(create("generic", MEMFD_ALLOW_SEALING));

	(void)state;
	assert_int_equal(succeeds(seal(fd, MEMFD_SEAL_GROW)), 0);
	assert_int_equal(succeeds(check(fd, MEMFD_SEAL_GROW)), 0);
	assert_true(object.memfd_seal == seal);
	assert_int_equal(succeeds((memfd_seal)(fd, MEMFD_SEAL_WRITE)), 0);
	assert_int_equal(seals_of(fd), 0x0c);
	assert_int_equal(seals_of(succeeds(sealed("generic", 0, "x", 1))),
			 0x0f);
}

static int evaluated;

static const char *once(const char *text)
{
	evaluated++;
	return text;
}

static void arguments_are_evaluated_once(void **state)
{
	int fd;

	(void)state;
	evaluated = 0;
	fd = succeeds(memfd_new(once("generic"), once("allow-sealing")));
	assert_int_equal(evaluated, 2);
	succeeds(memfd_seal(fd, once("grow")));
	assert_int_equal(evaluated, 3);
	succeeds(memfd_check_seals(fd, once("grow")));
	assert_int_equal(evaluated, 4);
	close_it(fd);
	close_it(succeeds(memfd_new_sealed(once("generic"), once(""), once("x"),
					   strlen(once("x")))));
	assert_int_equal(evaluated, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(numbers_go_to_the_plain_functions),
		promise(names_go_to_the_str_functions),
		promise(null_goes_to_the_str_functions),
		promise(addresses_are_of_the_plain_functions),
		promise(arguments_are_evaluated_once),
	};

	return run_twice("generic", tests);
}
