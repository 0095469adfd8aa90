/* SPDX-License-Identifier: MIT */

/* memfd_new_sealed: created, filled and sealed, or nothing. */

#include "unit.h"

#define ALL_SEALS                                                              \
	(MEMFD_SEAL_SEAL | MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW |               \
	 MEMFD_SEAL_WRITE)

static long page;

static void holds(int fd, const void *data, size_t size)
{
	char *content = malloc(size + 1);
	struct stat st;

	assert_int_equal(memfd_get_seals(fd), ALL_SEALS | first_seals());
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_non_null(content);
	assert_int_equal(read(fd, content, size + 1), size);
	if (size)
		assert_memory_equal(content, data, size);
	free(content);
	fails((int)pwrite(fd, "x", 1, 0), EPERM);
	fails(ftruncate(fd, (off_t)size + 1), EPERM);
	if (size)
		fails(ftruncate(fd, 0), EPERM);
	fails(memfd_seal(fd, 0), EPERM);
	close_it(fd);
}

static void every_size_arrives(void **state)
{
	size_t sizes[] = { 0, 1, 0, 0, 0, 100000 };
	char *data = malloc(100000);
	size_t i;

	(void)state;
	assert_non_null(data);
	for (i = 0; i < 100000; i++)
		data[i] = (char)(i * 7 + i / 256);
	sizes[2] = (size_t)page - 1;
	sizes[3] = (size_t)page;
	sizes[4] = (size_t)page + 1;
	for (i = 0; i < COUNT(sizes); i++) {
		holds(succeeds(memfd_new_sealed("sealed", 0, data, sizes[i])),
		      data, sizes[i]);
		holds(succeeds(memfd_new_sealed_str("sealed", NULL, data,
						    sizes[i])),
		      data, sizes[i]);
	}
	free(data);
}

static void no_data_is_an_empty_file(void **state)
{
	(void)state;
	holds(succeeds(memfd_new_sealed("sealed", 0, NULL, 0)), NULL, 0);
	holds(succeeds(memfd_new_sealed_str("sealed", "", NULL, 0)), NULL, 0);
}

static void allow_sealing_is_implied(void **state)
{
	(void)state;
	holds(succeeds(
		      memfd_new_sealed("sealed", MEMFD_ALLOW_SEALING, "ab", 2)),
	      "ab", 2);
	holds(succeeds(memfd_new_sealed("sealed", MEMFD_CLOEXEC, "ab", 2)),
	      "ab", 2);
}

static void noexec_seal_may_be_asked_for(void **state)
{
	(void)state;
	if (knows_exec_flags())
		holds(succeeds(memfd_new_sealed_str("sealed", "noexec-seal",
						    "ab", 2)),
		      "ab", 2);
	else
		fails(memfd_new_sealed("sealed", MEMFD_NOEXEC_SEAL, "ab", 2),
		      EINVAL);
}

static void exec_is_executable(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	if (denies_exec()) {
		fails(memfd_new_sealed("sealed", MEMFD_EXEC, "ab", 2), EACCES);
		return;
	}
	fd = succeeds(memfd_new_sealed("sealed", MEMFD_EXEC, "ab", 2));
	assert_int_equal(memfd_get_seals(fd), ALL_SEALS);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0777);
	close_it(fd);
}

static void inherit_stays_open_across_exec(void **state)
{
	int fd = succeeds(memfd_new_sealed("sealed", MEMFD_INHERIT, "ab", 2));

	(void)state;
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	close_it(fd);
}

static void errors_of_memfd_new_are_the_same(void **state)
{
	char name[251];

	(void)state;
	memset(name, 'x', 250);
	name[250] = '\0';
	fails(memfd_new_sealed(name, 0, "x", 1), EINVAL);
	fails(memfd_new_sealed(NULL, 0, "x", 1), EFAULT);
	fails(memfd_new_sealed("x", MEMFD_CLOEXEC | MEMFD_INHERIT, "x", 1),
	      EINVAL);
	fails(memfd_new_sealed("x", MEMFD_EXEC | MEMFD_NOEXEC_SEAL, "x", 1),
	      EINVAL);
	fails(memfd_new_sealed("x", 0x01000000, "x", 1), EINVAL);
}

static void hugetlb_is_einval(void **state)
{
	(void)state;
	fails(memfd_new_sealed("sealed", MEMFD_HUGETLB, "x", 1), EINVAL);
	fails(memfd_new_sealed("sealed", MEMFD_HUGETLB, NULL, 0), EINVAL);
	fails(memfd_new_sealed("sealed", MEMFD_HUGE_2MB, "x", 1), EINVAL);
	fails(memfd_new_sealed("sealed", MEMFD_HUGE_16GB, NULL, 0), EINVAL);
	fails(memfd_new_sealed_str("sealed", "hugetlb", "x", 1), EINVAL);
	fails(memfd_new_sealed_str("sealed", "huge-2mb", NULL, 0), EINVAL);
}

static void names_are_judged_first(void **state)
{
	(void)state;
	fails(memfd_new_sealed_str(NULL, "nope", NULL, 1), EINVAL);
	fails(memfd_new_sealed_str("sealed", "cloexec,write", NULL, 1), EINVAL);
}

static void bad_data_is_efault(void **state)
{
	(void)state;
	fails(memfd_new_sealed("sealed", 0, NULL, 1), EFAULT);
	fails(memfd_new_sealed("sealed", 0, NULL, 100000), EFAULT);
	fails(memfd_new_sealed("sealed", 0, (void *)1, 1), EFAULT);
	fails(memfd_new_sealed_str("sealed", NULL, NULL, 1), EFAULT);
}

/* The first write moves a page, and only the second one fails. */
static void data_that_ends_early_is_efault(void **state)
{
	size_t half = (size_t)page;
	char *data = mmap(NULL, 2 * half, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_true(data != MAP_FAILED);
	memset(data, 'x', half);
	assert_int_equal(mprotect(data + half, half, PROT_NONE), 0);
	fails(memfd_new_sealed("sealed", 0, data, half + 1), EFAULT);
	fails(memfd_new_sealed("sealed", 0, data, 2 * half), EFAULT);
	fails(memfd_new_sealed("sealed", 0, data + half, half), EFAULT);
	holds(succeeds(memfd_new_sealed("sealed", 0, data, half)), data, half);
	assert_int_equal(munmap(data, 2 * half), 0);
}

static const char *limited;

static int new_sealed(void)
{
	return memfd_new_sealed("sealed", 0, limited, strlen(limited));
}

static void file_size_limit_is_efbig_with_sigxfsz(void **state)
{
	(void)state;
	/* Some bytes fit, and only the second write fails. */
	limited = "123456";
	file_size_limit_refuses(new_sealed, 5);
	file_size_limit_refuses(new_sealed, 0);
	limited = "12345";
	holds(succeeds(within_file_size(new_sealed, 5)), limited, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(every_size_arrives),
		promise(no_data_is_an_empty_file),
		promise(allow_sealing_is_implied),
		promise(noexec_seal_may_be_asked_for),
		promise(exec_is_executable),
		promise(inherit_stays_open_across_exec),
		promise(errors_of_memfd_new_are_the_same),
		promise(hugetlb_is_einval),
		promise(names_are_judged_first),
		promise(bad_data_is_efault),
		promise(data_that_ends_early_is_efault),
		promise(file_size_limit_is_efbig_with_sigxfsz),
	};

	page = sysconf(_SC_PAGESIZE);
	return run_twice("sealed", tests);
}
