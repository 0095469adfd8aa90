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
	fd = succeeds(memfd_new_sized("generic", 0, 1, seal));
	assert_int_equal(
		seals_of(succeeds(memfd_new_sealed_copy("generic", 0, fd, 1))),
		0x0f);
	assert_int_equal(seals_of(fd), MEMFD_SEAL_GROW);
}

/* A string is a pointer; every other type that converts is a number. */
static void numbers_of_any_type(void **state)
{
	int fd = succeeds(memfd_new("generic", (long)MEMFD_ALLOW_SEALING));

	(void)state;
#define OF_TYPE(type)                                                          \
	close_it(succeeds(memfd_new("generic", (type)2)));                     \
	assert_int_equal(succeeds(memfd_seal(fd, (type)2)), 0);                \
	assert_int_equal(succeeds(memfd_check_seals(fd, (type)2)), 0);         \
	close_it(succeeds(memfd_new_sized("generic", 0, 1, (type)2)));         \
	close_it(succeeds(memfd_new_sealed("generic", (type)2, "x", 1)));      \
	close_it(succeeds(memfd_new_sealed_copy("generic", (type)2, fd, 1)))
	OF_TYPE(char);
	OF_TYPE(signed char);
	OF_TYPE(unsigned char);
	OF_TYPE(short);
	OF_TYPE(unsigned short);
	OF_TYPE(int);
	OF_TYPE(unsigned int);
	OF_TYPE(long);
	OF_TYPE(unsigned long);
	OF_TYPE(long long);
	OF_TYPE(unsigned long long);
	OF_TYPE(enum memfd_seals);
	assert_int_equal(seals_of(fd), 2);
	close_it(succeeds(memfd_new("generic", (_Bool)0)));
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
	fd = succeeds(memfd_new_sized("generic", pointer, 1, constant));
	assert_int_equal(seals_of(succeeds(memfd_new_sealed_copy(
				 "generic", pointer, fd, 1))),
			 0x0f);
	assert_int_equal(seals_of(fd), MEMFD_SEAL_GROW);
	fails(memfd_new_sized("generic", pointer, 1, "nope"), EINVAL);
}

static void compound_literals_may_have_commas(void **state)
{
	int fd = succeeds(memfd_new("generic", (const char[]){ '0', 0 }));

	(void)state;
	assert_int_equal(seals_of(fd), 1);
	fd = succeeds(memfd_new("generic", (const unsigned int[]){ 1, 2 }[1]));
	assert_int_equal(
		succeeds(memfd_seal(fd, (const char[]){ '0', 'x', '2', 0 })),
		0);
	assert_int_equal(succeeds(memfd_check_seals(
				 fd, (const char[]){ '0', 'x', '2', 0 })),
			 0);
	assert_int_equal(seals_of(fd), 2);
	fd = succeeds(memfd_new_sized("generic", "", 1,
				      (const char[]){ '0', 'x', '4', 0 }));
	assert_int_equal(seals_of(succeeds(memfd_new_sealed_copy(
				 "generic", 0, (const int[]){ 9, fd }[1], 1))),
			 0x0f);
	assert_int_equal(seals_of(fd), 4);
	assert_int_equal(seals_of(succeeds(memfd_new_sealed(
				 "generic", 0, (const char[]){ 'a', 'b' }, 2))),
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
	fd = succeeds(memfd_new_sealed("generic", NULL, NULL, 0));
	assert_int_equal(seals_of(succeeds(memfd_new_sealed_copy("generic",
								 NULL, fd, 0))),
			 0x0f);
	assert_int_equal(seals_of(fd), 0x0f);
	fails(memfd_new_sized("generic", NULL, 1, NULL), EFAULT);
#ifdef HAVE_NULLPTR
	fd = succeeds(memfd_new("generic", nullptr));
	fails(memfd_seal(fd, nullptr), EFAULT);
	fails(memfd_check_seals(fd, nullptr), EFAULT);
	fails(memfd_new_sized("generic", nullptr, 1, nullptr), EFAULT);
	close_it(succeeds(memfd_new_sealed("generic", nullptr, nullptr, 0)));
	close_it(succeeds(memfd_new_sealed_copy("generic", nullptr, fd, 0)));
	close_it(fd);
#endif
}

static void addresses_are_of_the_plain_functions(void **state)
{
	int (*create)(const char *name, unsigned int flags) = &memfd_new;
	int (*seal)(int fd, unsigned int seals) = memfd_seal;
	int (*check)(int fd, unsigned int seals) = &memfd_check_seals;
	int (*sealed)(const char *name, unsigned int flags, const void *data,
		      size_t size) = &memfd_new_sealed;
	int (*sized)(const char *name, unsigned int flags, size_t size,
		     unsigned int seals) = &memfd_new_sized;
	int (*copy)(const char *name, unsigned int flags, int fd, size_t max) =
		&memfd_new_sealed_copy;
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
	fd = succeeds(sealed("generic", 0, "x", 1));
	assert_int_equal(seals_of(succeeds(copy("generic", 0, fd, 1))), 0x0f);
	assert_int_equal(seals_of(fd), 0x0f);
	assert_int_equal(seals_of(succeeds(sized("generic", 0, 1, 2))), 2);
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
	fd = succeeds(memfd_new_sized(once("generic"), once(""),
				      strlen(once("x")), once("grow")));
	assert_int_equal(evaluated, 12);
	close_it(succeeds(memfd_new_sealed_copy(once("generic"), once(""),
						fd + 0 * !once("x"),
						strlen(once("x")))));
	assert_int_equal(evaluated, 16);
	close_it(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(numbers_go_to_the_plain_functions),
		promise(numbers_of_any_type),
		promise(names_go_to_the_str_functions),
		promise(compound_literals_may_have_commas),
		promise(null_goes_to_the_str_functions),
		promise(addresses_are_of_the_plain_functions),
		promise(arguments_are_evaluated_once),
	};

	return run_twice("generic", tests);
}
