/* SPDX-License-Identifier: MIT */

/* memfd_new_sized: created with a size and sealed, or nothing. */

#include "unit.h"

#define SHRINK_GROW (MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW)

static long page;

/* The size, all zeros, read from where the descriptor stands: the start. */
static void has_zeros(int fd, size_t size)
{
	char *content = malloc(size + 1);
	struct stat st;
	size_t i;

	assert_int_equal(fstat(fd, &st), 0);
	assert_true((unsigned long long)st.st_size == size);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_non_null(content);
	assert_int_equal(read(fd, content, size + 1), size);
	for (i = 0; i < size; i++)
		assert_int_equal(content[i], 0);
	free(content);
}

static void every_size_is_zeros(void **state)
{
	const size_t sizes[] = {
		0, 1, (size_t)page - 1, (size_t)page, (size_t)page + 1, 100000
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		int fd = succeeds(
			memfd_new_sized("sized", 0, sizes[i], SHRINK_GROW));

		has_zeros(fd, sizes[i]);
		close_it(fd);
		fd = succeeds(memfd_new_sized_str("sized", NULL, sizes[i],
						  "shrink,grow"));
		has_zeros(fd, sizes[i]);
		close_it(fd);
	}
}

/* As large as a file can be, and not a page of memory for it. */
static void no_memory_is_reserved(void **state)
{
	const size_t size = SIZE_MAX > 0xffffffff ? (size_t)1 << 40 : SIZE_MAX;
	int fd = succeeds(memfd_new_sized("sized", 0, size, SHRINK_GROW));
	struct stat st;

	(void)state;
	assert_int_equal(fstat(fd, &st), 0);
	assert_true((unsigned long long)st.st_size == size);
	assert_int_equal(st.st_blocks, 0);
	close_it(fd);
}

static size_t asked;
static unsigned int asked_seals;

static int make(const char *name, unsigned int flags)
{
	return memfd_new_sized(name, flags, 5, asked_seals);
}

static void file_is_that_of_memfd_new(void **state)
{
	(void)state;
	for (asked_seals = 0; asked_seals <= 0x0f; asked_seals++)
		makes_what_memfd_new_makes(make, asked_seals);
}

static void without_seal_more_can_be_added(void **state)
{
	int fd = succeeds(memfd_new_sized("sized", 0, 5, MEMFD_SEAL_SHRINK));

	(void)state;
	assert_int_equal(write(fd, "hello", 5), 5);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_WRITE)), 0);
	close_it(fd);
	fd = succeeds(memfd_new_sized("sized", 0, 5, MEMFD_SEAL_SEAL));
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), EPERM);
	close_it(fd);
}

static void exec_may_be_asked_for(void **state)
{
	(void)state;
	asked_seals = MEMFD_SEAL_EXEC;
	if (!knows_seal(MEMFD_SEAL_EXEC))
		fails(make("sized", 0), EINVAL);
	else
		close_it(succeeds(make("sized", 0)));
}

static void names_mean_the_same(void **state)
{
	int fd = succeeds(memfd_new_sized_str(
		"sized", "inherit", 5, "F_SEAL_SHRINK | MEMFD_SEAL_GROW"));

	(void)state;
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_int_equal(memfd_get_seals(fd), SHRINK_GROW | first_seals());
	has_zeros(fd, 5);
	close_it(fd);

	/* "0" is none, and adds no permission to seal. */
	fd = succeeds(memfd_new_sized_str("sized", "", 5, "0"));
	assert_int_equal(memfd_get_seals(fd), MEMFD_SEAL_SEAL | first_seals());
	close_it(fd);
	fd = succeeds(memfd_new_sized_str("sized", "allow-sealing", 5, " 0x0"));
	assert_int_equal(memfd_get_seals(fd), first_seals());
	close_it(fd);
}

/* Before anything else: the name of the file, here, is wrong as well. */
static void names_are_judged_first(void **state)
{
	static const char *const none[] = { "", " ", ",|\t" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(none); i++)
		fails(memfd_new_sized_str("sized", NULL, 5, none[i]), EINVAL);
	fails(memfd_new_sized_str(NULL, NULL, 5, ""), EINVAL);
	fails(memfd_new_sized_str("sized", NULL, 5, NULL), EFAULT);
	fails(memfd_new_sized_str(NULL, "nope", 5, "0"), EINVAL);
	fails(memfd_new_sized_str(NULL, NULL, 5, "0,nope"), EINVAL);
	fails(memfd_new_sized_str("sized", "nope", SIZE_MAX, "0"), EINVAL);
	fails(memfd_new_sized_str("sized", "grow", 5, "0"), EINVAL);
	fails(memfd_new_sized_str("sized", NULL, SIZE_MAX, "cloexec"), EINVAL);
	fails(memfd_new_sized_str("sized", "cloexec,inherit", 5, "0"), EINVAL);
	fails(memfd_new_sized_str(NULL, NULL, 5, "0"), EFAULT);
}

static void unknown_seal_is_einval(void **state)
{
	unsigned int seal;

	(void)state;
	for (seal = 1; seal; seal <<= 1) {
		if (knows_seal(seal))
			continue;
		fails(memfd_new_sized("sized", 0, 5, seal), EINVAL);
		fails(memfd_new_sized("sized", MEMFD_ALLOW_SEALING, 5,
				      seal | SHRINK_GROW),
		      EINVAL);
	}
	fails(memfd_new_sized("sized", 0, 5, ~0U), EINVAL);
	fails(memfd_new_sized_str("sized", NULL, 5, "grow,0x80000000"), EINVAL);
}

/* On 32-bit, every size_t is the size of some file. */
static void more_than_a_file_can_have_is_efbig(void **state)
{
#if SIZE_MAX > 0xffffffff
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX - 1,
					(size_t)INT64_MAX + 1,
					(size_t)INT64_MAX + 4096 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		fails(memfd_new_sized("sized", 0, sizes[i], 0), EFBIG);
		fails(memfd_new_sized("sized", 0, sizes[i], SHRINK_GROW),
		      EFBIG);
		fails(memfd_new_sized_str("sized", NULL, sizes[i], "grow"),
		      EFBIG);
	}
	close_it(succeeds(memfd_new_sized("sized", 0, INT64_MAX, SHRINK_GROW)));
	/* The flags come first. */
	fails(memfd_new_sized("sized", 0x01000000, SIZE_MAX, 0), EINVAL);
#else
	(void)state;
	skip_because("every size_t is the size of some file");
#endif
}

static int new_sized(void)
{
	return memfd_new_sized("sized", 0, asked, asked_seals);
}

static void file_size_limit_is_efbig_with_sigxfsz(void **state)
{
	const unsigned int seals[] = { 0, SHRINK_GROW };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(seals); i++) {
		int fd;

		asked_seals = seals[i];
		asked = 6;
		file_size_limit_refuses(new_sized, 5);
		asked = 5;
		fd = succeeds(within_file_size(new_sized, 5));
		has_zeros(fd, 5);
		close_it(fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(every_size_is_zeros),
		promise(no_memory_is_reserved),
		promise(file_is_that_of_memfd_new),
		promise(without_seal_more_can_be_added),
		promise(exec_may_be_asked_for),
		promise(names_mean_the_same),
		promise(names_are_judged_first),
		promise(unknown_seal_is_einval),
		promise(more_than_a_file_can_have_is_efbig),
		promise(file_size_limit_is_efbig_with_sigxfsz),
	};

	page = sysconf(_SC_PAGESIZE);
	return run_twice("sized", tests);
}
