/* SPDX-License-Identifier: MIT */

/* MEMFD_GENERIC: numbers or names under the plain name, in C11 and later. */

#define MEMFD_GENERIC
#include "unit.h"

/* Numbers are of every type here, and some are too wide or negative. */
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"

/* But for exec, which only some kernels have. */
static int seals_of(int fd)
{
	int seals = memfd_get_seals(fd) & ~MEMFD_SEAL_EXEC;

	close_it(fd);
	return seals;
}

static int evaluated;

static const char *once(const char *text)
{
	evaluated++;
	return text;
}

/* Each function once, with flags to allow sealing, and seals against growth. */
#define ALL_FUNCTIONS(flags, seals)                                            \
	do {                                                                   \
		int fd = succeeds(memfd_new(once("generic"), flags));          \
                                                                               \
		assert_int_equal(succeeds(memfd_seal(fd, seals)), 0);          \
		assert_int_equal(succeeds(memfd_check_seals(fd, seals)), 0);   \
		assert_int_equal(seals_of(fd), MEMFD_SEAL_GROW);               \
		fd = succeeds(memfd_new_sized(once("generic"), flags,          \
					      strlen(once("x")), seals));      \
		assert_int_equal(seals_of(succeeds(memfd_new_sealed_copy(      \
					 once("generic"), flags, fd,           \
					 strlen(once("x"))))),                 \
				 ALL_SEALS);                                   \
		assert_int_equal(seals_of(fd), MEMFD_SEAL_GROW);               \
		assert_int_equal(seals_of(succeeds(memfd_new_sealed(           \
					 once("generic"), flags, once("x"),    \
					 strlen(once("x"))))),                 \
				 ALL_SEALS);                                   \
	} while (0)

/* A string is a pointer to char or void; every other type is a number. */
static void numbers_go_to_the_plain_functions(void **state)
{
	enum byte { SMALL = 2, BYTE = 4 } __attribute__((packed)) byte = BYTE;
	const enum memfd_flags flags = MEMFD_ALLOW_SEALING;
	volatile enum memfd_seals seals = MEMFD_SEAL_GROW;
	/* Each is of a type of its own with some compilers. */
	struct {
		unsigned int flags : 3;
		long long seals : 34;
		_Bool none : 1;
	} field = { 2, 4, 0 };

	(void)state;
	ALL_FUNCTIONS(MEMFD_ALLOW_SEALING, MEMFD_SEAL_GROW);
	ALL_FUNCTIONS(flags, seals);
	ALL_FUNCTIONS(flags | MEMFD_CLOEXEC, byte);
	ALL_FUNCTIONS(field.flags, field.seals);
	ALL_FUNCTIONS((char)2, (signed char)4);
	ALL_FUNCTIONS((unsigned short)2, 4U);
	ALL_FUNCTIONS(2L, 4ULL);
	assert_int_equal(seals_of(succeeds(memfd_new("generic", 0))), 1);
	/* As NULL is, where it is no pointer. */
	fails(memfd_seal(-1, 0L), EBADF);
	fails(memfd_check_seals(-1, field.none), EINVAL);
	fails(memfd_check_seals(-1, (enum memfd_seals) - 1), EBADF);
}

static void names_go_to_the_str_functions(void **state)
{
	char array[] = "F_SEAL_GROW", *plain = array;
	const char *pointer = "allow-sealing";
	const char list[2][16] = { "allow-sealing", "grow" };
	const char *volatile signalled = "grow";
	const char *restrict alone = "allow-sealing";
	const struct {
		char seals[8];
	} member = { "grow" };
	volatile int yes = 1;

	(void)state;
	ALL_FUNCTIONS("allow-sealing", "grow");
	ALL_FUNCTIONS(list[0], *(list + 1));
	ALL_FUNCTIONS(alone, signalled);
	ALL_FUNCTIONS((const void *)pointer, (void *)array);
	ALL_FUNCTIONS((const char *const)pointer, member.seals);
	ALL_FUNCTIONS(yes ? pointer : 0, yes ? plain : NULL);
	fails(memfd_seal(-1, yes ? NULL : "grow"), EFAULT);
	fails(memfd_seal(-1, __func__), EINVAL);
	fails(memfd_new_sized("generic", pointer, 1, "nope"), EINVAL);
	/* The seals decide; flags of 0 are a null pointer, too. */
	close_it(succeeds(memfd_new_sized("generic", 0, 1, "grow")));
}

/* In the argument that decides, or after it. */
static void compound_literals_may_have_commas(void **state)
{
	int fd = succeeds(memfd_new("generic", (const int[]){ 1, 2 }[1]));

	(void)state;
	succeeds(memfd_seal(fd, (const char[]){ '0', 'x', '4', 0 }));
	succeeds(memfd_check_seals(fd, (const char[]){ '0', 'x', '4', 0 }));
	close_it(succeeds(
		memfd_new_sized("generic", "", 1, (const char[]){ '0', 0 })));
	close_it(succeeds(memfd_new_sealed_copy("generic", 0,
						(const int[]){ 9, fd }[1], 1)));
	close_it(succeeds(
		memfd_new_sealed("generic", 0, (const char[]){ 'a', 'b' }, 2)));
	close_it(fd);
}

/* A null pointer for flags is 0, for seals EFAULT. */
#define NULL_POINTER(null)                                                     \
	do {                                                                   \
		fails(memfd_seal(-1, null), EFAULT);                           \
		fails(memfd_check_seals(-1, null), EFAULT);                    \
		fails(memfd_new_sized("generic", null, 1, null), EFAULT);      \
		close_it(succeeds(memfd_new("generic", null)));                \
		close_it(                                                      \
			succeeds(memfd_new_sealed("generic", null, null, 0))); \
		fails(memfd_new_sealed_copy("generic", null, -1, 0), EBADF);   \
	} while (0)

static void null_goes_to_the_str_functions(void **state)
{
	(void)state;
	NULL_POINTER(NULL);
	NULL_POINTER((void *)0);
	NULL_POINTER((char *)NULL);
#ifdef HAVE_NULLPTR
	NULL_POINTER(nullptr);
#endif
}

static void addresses_are_of_the_plain_functions(void **state)
{
	int (*create)(const char *name, unsigned int flags) = &memfd_new;
	struct {
		int (*memfd_seal)(int fd, unsigned int seals);
	} object = { memfd_seal };

	(void)state;
	close_it(succeeds(create("generic", 0)));
	fails((object.memfd_seal)(-1, MEMFD_SEAL_WRITE), EBADF);
	fails((memfd_seal)(-1, MEMFD_SEAL_WRITE), EBADF);
}

static void arguments_are_evaluated_once(void **state)
{
	(void)state;
	evaluated = 0;
	ALL_FUNCTIONS(once("allow-sealing"), once("grow"));
	/* Four names, flags of four, seals of three, data, three sizes. */
	assert_int_equal(evaluated, 4 + 4 + 3 + 1 + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(numbers_go_to_the_plain_functions),
		promise(names_go_to_the_str_functions),
		promise(compound_literals_may_have_commas),
		promise(null_goes_to_the_str_functions),
		promise(addresses_are_of_the_plain_functions),
		promise(arguments_are_evaluated_once),
	};

	return cmocka_run_group_tests_name("generic", tests, NULL, NULL);
}
