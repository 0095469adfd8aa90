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
	(void)state;
	ALL_FUNCTIONS(MEMFD_ALLOW_SEALING, MEMFD_SEAL_GROW);
	ALL_FUNCTIONS(2, (enum memfd_seals)4);
	ALL_FUNCTIONS((char)2, (char)4);
	ALL_FUNCTIONS((signed char)2, (signed char)4);
	ALL_FUNCTIONS((unsigned char)2, (unsigned char)4);
	ALL_FUNCTIONS((short)2, (short)4);
	ALL_FUNCTIONS((unsigned short)2, (unsigned short)4);
	ALL_FUNCTIONS(2U, 4U);
	ALL_FUNCTIONS(2L, 4L);
	ALL_FUNCTIONS(2UL, 4UL);
	ALL_FUNCTIONS(2LL, 4LL);
	ALL_FUNCTIONS(2ULL, 4ULL);
	assert_int_equal(seals_of(succeeds(memfd_new("generic", 0))), 1);
	assert_int_equal(seals_of(succeeds(memfd_new("generic", (_Bool)0))), 1);
	fails(memfd_new("generic", 0x01000000), EINVAL);
	fails(memfd_check_seals(-1, 0), EINVAL);
	fails(memfd_seal(-1, 0), EBADF);
	/* As NULL is, where it is no pointer. */
	fails(memfd_seal(-1, 0L), EBADF);
}

/* A number is judged after the descriptor, unless it is 0; a name before. */
#define IS_NUMBER(number)                                                      \
	fails(memfd_check_seals(-1, number), (number) ? EBADF : EINVAL);

/* clang-format off */
#define TEN(of, tens)                                                          \
	of(tens##0) of(tens##1) of(tens##2) of(tens##3) of(tens##4)            \
	of(tens##5) of(tens##6) of(tens##7) of(tens##8) of(tens##9)
#define UP_TO_32(of)                                                           \
	of(1) of(2) of(3) of(4) of(5) of(6) of(7) of(8) of(9)                  \
	TEN(of, 1) TEN(of, 2) of(30) of(31) of(32)
#define UP_TO_64(of)                                                           \
	UP_TO_32(of) of(33) of(34) of(35) of(36) of(37) of(38) of(39)          \
	TEN(of, 4) TEN(of, 5) of(60) of(61) of(62) of(63) of(64)
/* clang-format on */

/* Each is of a type of its own with some compilers, not with others. */
static void bit_fields_are_numbers(void **state)
{
#define INTS(width)                                                            \
	signed int i##width : width;                                           \
	unsigned int u##width : width;
#define LONGS(width)                                                           \
	signed long long l##width : width;                                     \
	unsigned long long ul##width : width;
	struct {
		UP_TO_32(INTS)
		UP_TO_64(LONGS)
		_Bool truth : 1;
		unsigned char byte : 7;
		enum memfd_seals seals : 7;
	} field;

	(void)state;
	for (int fill = 0; fill <= 0xff; fill += 0xff) {
		memset(&field, fill, sizeof(field));
#define IS_NUMBER_I(width) IS_NUMBER(field.i##width) IS_NUMBER(field.u##width)
#define IS_NUMBER_L(width) IS_NUMBER(field.l##width) IS_NUMBER(field.ul##width)
		UP_TO_32(IS_NUMBER_I)
		UP_TO_64(IS_NUMBER_L)
		field.truth = fill != 0;
		IS_NUMBER(field.truth)
		IS_NUMBER(field.byte)
		IS_NUMBER(field.seals)
	}
	field.u3 = MEMFD_ALLOW_SEALING;
	field.l34 = MEMFD_SEAL_GROW;
	ALL_FUNCTIONS(field.u3, field.l34);
}

static void enumerations_are_numbers(void **state)
{
	enum natural { TWO = 2, FOUR = 4 } two = TWO, four = FOUR;
	enum integer { BELOW = -1, ALLOW = 2, GROW = 4 } allow = ALLOW;
	enum __attribute__((packed)) byte { SMALL = 2, BYTE = 4 } byte = BYTE;
	const enum memfd_flags flags = MEMFD_ALLOW_SEALING;
	volatile enum memfd_seals seals = MEMFD_SEAL_GROW;

	(void)state;
	ALL_FUNCTIONS(TWO, FOUR);
	ALL_FUNCTIONS(two, four);
	ALL_FUNCTIONS(allow, byte);
	IS_NUMBER(BELOW)
	ALL_FUNCTIONS(flags, seals);
	ALL_FUNCTIONS(flags | MEMFD_CLOEXEC, seals | MEMFD_SEAL_GROW);
}

static void names_go_to_the_str_functions(void **state)
{
	char array[] = "F_SEAL_GROW", *plain = array;
	const char *pointer = "allow-sealing";
	const char *const constant = "grow";
	const char list[2][16] = { "allow-sealing", "grow" };
	const char *volatile signalled = "grow";
	const char *restrict alone = "allow-sealing";
	const struct {
		char seals[8];
	} member = { "grow" };
	volatile int yes = 1;

	(void)state;
	ALL_FUNCTIONS("allow-sealing", "grow");
	ALL_FUNCTIONS(list[0], list[1]);
	ALL_FUNCTIONS(&list[0][0], *(list + 1));
	ALL_FUNCTIONS(alone, signalled);
	ALL_FUNCTIONS((const void *)pointer, (void *)array);
	ALL_FUNCTIONS(pointer, member.seals);
	ALL_FUNCTIONS(yes ? "allow-sealing" : NULL, yes ? array : NULL);
	ALL_FUNCTIONS(yes ? pointer : 0, yes ? constant : (void *)plain);
	fails(memfd_seal(-1, yes ? NULL : "grow"), EFAULT);
	fails(memfd_seal(-1, __func__), EINVAL);
	ALL_FUNCTIONS(pointer, array);
	ALL_FUNCTIONS(pointer, plain);
	ALL_FUNCTIONS((const char *const)pointer, constant);
	fails(memfd_seal(-1, "nope"), EINVAL);
	fails(memfd_new_sized("generic", pointer, 1, "nope"), EINVAL);
	/* The seals decide; flags of 0 are a null pointer, too. */
	close_it(succeeds(memfd_new_sized("generic", 0, 1, "grow")));
}

/* In the argument that decides, or after it. */
static void compound_literals_may_have_commas(void **state)
{
	int fd = succeeds(memfd_new("generic", (const char[]){ '0', 0 }));

	(void)state;
	assert_int_equal(seals_of(fd), MEMFD_SEAL_SEAL);
	fd = succeeds(memfd_new("generic", (const unsigned int[]){ 1, 2 }[1]));
	assert_int_equal(
		succeeds(memfd_seal(fd, (const char[]){ '0', 'x', '2', 0 })),
		0);
	assert_int_equal(succeeds(memfd_check_seals(
				 fd, (const char[]){ '0', 'x', '2', 0 })),
			 0);
	assert_int_equal(seals_of(fd), MEMFD_SEAL_SHRINK);
	fd = succeeds(memfd_new_sized("generic", "", 1,
				      (const char[]){ '0', 'x', '4', 0 }));
	assert_int_equal(seals_of(succeeds(memfd_new_sealed_copy(
				 "generic", 0, (const int[]){ 9, fd }[1], 1))),
			 ALL_SEALS);
	assert_int_equal(seals_of(fd), MEMFD_SEAL_GROW);
	assert_int_equal(seals_of(succeeds(memfd_new_sealed(
				 "generic", 0, (const char[]){ 'a', 'b' }, 2))),
			 ALL_SEALS);
}

/* A null pointer for flags is 0, for seals EFAULT. */
#define NULL_POINTER(null)                                                     \
	do {                                                                   \
		int fd = succeeds(memfd_new("generic", null));                 \
                                                                               \
		fails(memfd_seal(fd, null), EFAULT);                           \
		fails(memfd_check_seals(fd, null), EFAULT);                    \
		fails(memfd_new_sized("generic", null, 1, null), EFAULT);      \
		assert_int_equal(seals_of(succeeds(memfd_new_sealed_copy(      \
					 "generic", null, fd, 0))),            \
				 ALL_SEALS);                                   \
		assert_int_equal(seals_of(fd), MEMFD_SEAL_SEAL);               \
		assert_int_equal(seals_of(succeeds(memfd_new_sealed(           \
					 "generic", null, null, 0))),          \
				 ALL_SEALS);                                   \
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

	(void)state;
	assert_true(create && check && sealed && sized && copy);
	assert_true(object.memfd_seal == seal);
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
		promise(bit_fields_are_numbers),
		promise(enumerations_are_numbers),
		promise(names_go_to_the_str_functions),
		promise(compound_literals_may_have_commas),
		promise(null_goes_to_the_str_functions),
		promise(addresses_are_of_the_plain_functions),
		promise(arguments_are_evaluated_once),
	};

	return run_twice("generic", tests);
}
