/* SPDX-License-Identifier: MIT */

/* memfd_seal and memfd_get_seals: what they set, answer and refuse. */

#include "unit.h"

#include <sys/uio.h>

static long page;

static void seals_add_up_one_by_one(void **state)
{
	int fd = two_pages();
	unsigned int have = (unsigned int)succeeds(memfd_get_seals(fd));
	unsigned int seal;

	(void)state;
	for (seal = MEMFD_SEAL_EXEC; seal; seal >>= 1) {
		if (!knows_seal(seal))
			continue;
		have |= seal;
		assert_int_equal(succeeds(memfd_seal(fd, seal)), 0);
		assert_int_equal(succeeds(memfd_get_seals(fd)), have);
		if (seal == MEMFD_SEAL_SEAL)
			continue;
		assert_int_equal(succeeds(memfd_seal(fd, seal)), 0);
		assert_int_equal(succeeds(memfd_seal(fd, 0)), 0);
		assert_int_equal(succeeds(memfd_get_seals(fd)), have);
	}
	close_it(fd);
}

static void sealable_memfd_reads_exec_where_the_kernel_has_it(void **state)
{
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));

	(void)state;
	assert_int_equal(succeeds(memfd_get_seals(fd)), first_seals());
	close_it(fd);
}

static void seal_by_name(void **state)
{
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));
	unsigned int first = first_seals();
	char buf[MEMFD_SEALS_STRLEN];

	(void)state;
	assert_int_equal(succeeds(memfd_seal_str(fd, "0")), 0);
	assert_int_equal(succeeds(memfd_get_seals_str(fd, buf, sizeof(buf))),
			 first ? 4 : 0);
	assert_string_equal(buf, first ? "exec" : "");
	assert_int_equal(succeeds(memfd_seal_str(fd, "F_SEAL_GROW | shrink")),
			 0);
	assert_int_equal(succeeds(memfd_get_seals(fd)), 0x06 | first);
	assert_int_equal(succeeds(memfd_seal_str(fd, "immutable 0x1")), 0);
	assert_int_equal(succeeds(memfd_get_seals(fd)), 0x0f | first);
	assert_int_equal(succeeds(memfd_get_seals_str(fd, buf, sizeof(buf))),
			 first ? 27 : 22);
	assert_string_equal(buf, first ? "seal,shrink,grow,write,exec"
				       : "seal,shrink,grow,write");
	close_it(fd);
}

static void names_are_judged_before_the_descriptor(void **state)
{
	(void)state;
	fails(memfd_seal_str(-1, "nope"), EINVAL);
	fails(memfd_seal_str(-1, "write,cloexec"), EINVAL);
	fails(memfd_seal_str(-1, NULL), EFAULT);
	fails(memfd_seal_str(-1, "write"), EBADF);
	fails(memfd_seal_str(-1, "0"), EBADF);
	fails(memfd_seal_str(-1, ""), EINVAL);
	fails(memfd_seal_str(-1, " ,|\t"), EINVAL);
}

static void refused_name_sets_no_seal(void **state)
{
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));

	(void)state;
	fails(memfd_seal_str(fd, "write,nope"), EINVAL);
	fails(memfd_seal_str(fd, NULL), EFAULT);
	fails(memfd_seal_str(fd, ""), EINVAL);
	assert_int_equal(succeeds(memfd_get_seals(fd)), first_seals());
	close_it(fd);
}

static void get_seals_str_measures_and_truncates(void **state)
{
	int fd = succeeds(memfd_new("seal", 0));
	const char *all = first_seals() ? "seal,exec" : "seal";
	int len = (int)strlen(all);
	char buf[8] = "unknown";

	(void)state;
	assert_int_equal(succeeds(memfd_get_seals_str(fd, NULL, 0)), len);
	fails(memfd_get_seals_str(fd, NULL, 1), EFAULT);
	assert_int_equal(succeeds(memfd_get_seals_str(fd, buf, 3)), len);
	assert_memory_equal(buf, "se\0nown", sizeof(buf));
	close_it(fd);
	strcpy(buf, "unknown");
	fails(memfd_get_seals_str(fd, buf, sizeof(buf)), EBADF);
	assert_string_equal(buf, "unknown");
}

static void seal_after_seal_is_eperm(void **state)
{
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));
	unsigned int have = first_seals() | MEMFD_SEAL_SEAL;

	(void)state;
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_SEAL)), 0);
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), EPERM);
	fails(memfd_seal(fd, MEMFD_SEAL_SEAL), EPERM);
	fails(memfd_seal(fd, 0), EPERM);
	fails(memfd_seal_str(fd, "write"), EPERM);
	assert_int_equal(succeeds(memfd_get_seals(fd)), have);
	close_it(fd);
}

static void seal_not_allowed_at_creation_is_eperm(void **state)
{
	int fd = succeeds(memfd_new("seal", 0));

	(void)state;
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), EPERM);
	fails(memfd_seal(fd, 0), EPERM);
	assert_int_equal(succeeds(memfd_get_seals(fd)),
			 first_seals() | MEMFD_SEAL_SEAL);
	close_it(fd);
}

/* The line for who cannot know whether somebody else has sealed it. */
static int check_or_seal(int fd, unsigned int seals)
{
	return memfd_check_seals(fd, seals) == 0 || memfd_seal(fd, seals) == 0
		       ? 0
		       : -1;
}

static void check_or_seal_is_right_whoever_sealed_first(void **state)
{
	const unsigned int seals = MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW;
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));

	(void)state;
	/* Open; then sealed already; then closed with these seals in it; */
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_GROW)), 0);
	assert_int_equal(check_or_seal(fd, seals), 0);
	assert_int_equal(check_or_seal(fd, seals), 0);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_SEAL)), 0);
	assert_int_equal(check_or_seal(fd, seals), 0);
	fails(memfd_seal(fd, seals), EPERM);
	/* closed without them; and closed from the start. */
	fails(check_or_seal(fd, MEMFD_SEAL_WRITE), EPERM);
	assert_int_equal(succeeds(memfd_get_seals(fd)),
			 seals | MEMFD_SEAL_SEAL | first_seals());
	close_it(fd);
	fd = succeeds(memfd_new("seal", 0));
	fails(check_or_seal(fd, seals), EPERM);
	close_it(fd);
}

static void seal_through_a_read_only_descriptor_is_eperm(void **state)
{
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));
	int reader = reopen(fd, O_RDONLY);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int ends[2];

	(void)state;
	fails(memfd_seal(reader, MEMFD_SEAL_WRITE), EPERM);
	fails(memfd_seal(reader, 0), EPERM);
	assert_int_equal(succeeds(memfd_get_seals(reader)), first_seals());
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_WRITE)), 0);
	assert_int_equal(succeeds(memfd_get_seals(reader)),
			 first_seals() | MEMFD_SEAL_WRITE);
	close_it(reader);
	close_it(fd);

	assert_int_equal(pipe(ends), 0);
	fails(memfd_seal(ends[0], MEMFD_SEAL_WRITE), EPERM);
	close_it(ends[0]);
	close_it(ends[1]);
	if (null >= 0) {
		fails(memfd_seal(null, MEMFD_SEAL_WRITE), EPERM);
		close_it(null);
	}
}

static void seal_on_no_memfd_is_einval(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fails(memfd_seal(ends[1], MEMFD_SEAL_WRITE), EINVAL);
	fails(memfd_seal_str(ends[1], "write"), EINVAL);
	fails(memfd_get_seals(ends[1]), EINVAL);
	fails(memfd_get_seals(ends[0]), EINVAL);
	fails(memfd_get_seals_str(ends[0], NULL, 0), EINVAL);
	close_it(ends[0]);
	close_it(ends[1]);
}

static void descriptor_not_open_is_ebadf(void **state)
{
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));

	(void)state;
	close_it(fd);
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), EBADF);
	fails(memfd_seal_str(fd, "write"), EBADF);
	fails(memfd_get_seals(fd), EBADF);
	fails(memfd_get_seals_str(fd, NULL, 0), EBADF);
	fails(memfd_seal(-1, MEMFD_SEAL_WRITE), EBADF);
	fails(memfd_get_seals(-1), EBADF);
}

static void path_descriptor_is_ebadf(void **state)
{
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));
	int path = reopen(fd, O_PATH);

	(void)state;
	fails(memfd_seal(path, MEMFD_SEAL_WRITE), EBADF);
	fails(memfd_get_seals(path), EBADF);
	assert_int_equal(succeeds(memfd_get_seals(fd)), first_seals());
	close_it(path);
	close_it(fd);
}

static void unknown_seal_is_einval_and_sets_none(void **state)
{
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));
	unsigned int seal;

	(void)state;
	for (seal = MEMFD_SEAL_SEAL; seal; seal <<= 1) {
		if (knows_seal(seal))
			continue;
		fails(memfd_seal(fd, seal), EINVAL);
		fails(memfd_seal(fd, seal | MEMFD_SEAL_SHRINK), EINVAL);
	}
	fails(memfd_seal(fd, ~0U), EINVAL);
	fails(memfd_seal(fd, 0x80000000), EINVAL);
	fails(memfd_seal_str(fd, "shrink,0x80000000"), EINVAL);
	assert_int_equal(succeeds(memfd_get_seals(fd)), first_seals());
	close_it(fd);
}

static void write_with_a_mapping_is_ebusy_and_sets_none(int protection)
{
	int fd = two_pages();
	unsigned int have = (unsigned int)succeeds(memfd_get_seals(fd));
	void *at = mmap(NULL, (size_t)page, protection, MAP_SHARED, fd, 0);

	assert_true(at != MAP_FAILED);
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), EBUSY);
	fails(memfd_seal(fd, MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE), EBUSY);
	fails(memfd_seal_str(fd, "immutable"), EBUSY);
	assert_int_equal(succeeds(memfd_get_seals(fd)), have);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_SHRINK)), 0);
	assert_int_equal(munmap(at, (size_t)page), 0);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_WRITE)), 0);
	assert_int_equal(succeeds(memfd_get_seals(fd)),
			 have | MEMFD_SEAL_SHRINK | MEMFD_SEAL_WRITE);
	close_it(fd);
}

static void write_with_a_writable_mapping_is_ebusy(void **state)
{
	(void)state;
	write_with_a_mapping_is_ebusy_and_sets_none(PROT_READ | PROT_WRITE);
}

static void write_with_a_readable_mapping_is_ebusy(void **state)
{
	(void)state;
	write_with_a_mapping_is_ebusy_and_sets_none(PROT_READ);
	write_with_a_mapping_is_ebusy_and_sets_none(PROT_NONE);
}

static void write_with_harmless_mappings_succeeds(void **state)
{
	int fd = two_pages();
	int reader = reopen(fd, O_RDONLY);
	void *own = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE, fd, 0);
	char *shared =
		mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, reader, 0);

	(void)state;
	assert_true(own != MAP_FAILED);
	assert_true(shared != MAP_FAILED);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_WRITE)), 0);
	assert_int_equal(shared[0], 'x');
	memset(own, 'o', (size_t)page);
	assert_int_equal(shared[0], 'x');
	assert_int_equal(munmap(own, (size_t)page), 0);
	assert_int_equal(munmap(shared, (size_t)page), 0);
	close_it(reader);
	close_it(fd);
}

/* A pipe holds the page: as good as a device that has yet to write to it. */
static void write_with_io_in_flight_is_ebusy(void **state)
{
	int fd = two_pages();
	unsigned int have = (unsigned int)succeeds(memfd_get_seals(fd));
	struct iovec io = { NULL, (size_t)page };
	int ends[2];
	char byte;

	(void)state;
	io.iov_base = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE,
			   MAP_SHARED, fd, 0);
	assert_true(io.iov_base != MAP_FAILED);
	memset(io.iov_base, 'x', (size_t)page);
	assert_int_equal(pipe(ends), 0);
	if (vmsplice(ends[1], &io, 1, 0) != page) {
		int err = errno;

		assert_int_equal(munmap(io.iov_base, (size_t)page), 0);
		close_it(ends[0]);
		close_it(ends[1]);
		close_it(fd);
		skip_because("vmsplice: %s", strerror(err));
	}
	assert_int_equal(munmap(io.iov_base, (size_t)page), 0);
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE | MEMFD_SEAL_SHRINK), EBUSY);
	assert_int_equal(succeeds(memfd_get_seals(fd)), have);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	close_it(ends[0]);
	close_it(ends[1]);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_WRITE)), 0);
	close_it(fd);
}

static void future_write_leaves_mappings_that_exist(void **state)
{
	char *at, byte;
	int fd;

	(void)state;
	if (!knows_seal(MEMFD_SEAL_FUTURE_WRITE))
		skip_because("the kernel does not know future-write");
	fd = two_pages();
	at = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  0);
	assert_true(at != MAP_FAILED);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_FUTURE_WRITE)), 0);
	at[0] = 'y';
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 'y');
	fails((int)pwrite(fd, "z", 1, 0), EPERM);
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), EBUSY);
	fails(memfd_check_seals(fd, MEMFD_SEAL_WRITE), EPERM);
	assert_int_equal(munmap(at, (size_t)page), 0);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_WRITE)), 0);
	close_it(fd);
}

static int executable(void)
{
	if (!knows_seal(MEMFD_SEAL_EXEC))
		skip_because("the kernel does not know the seal exec");
	if (denies_exec())
		skip_because("vm.memfd_noexec is 2: nothing is executable");
	return succeeds(memfd_new("seal", MEMFD_EXEC | MEMFD_ALLOW_SEALING));
}

/* With 6.3 it came: who seals "executable" wants the program not to change. */
static void exec_on_an_executable_file_seals_its_bytes_too(void **state)
{
	int fd = executable();

	(void)state;
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_EXEC)), 0);
	assert_int_equal(succeeds(memfd_get_seals(fd)), 0x3e);
	fails(fchmod(fd, 0666), EPERM);
	fails(fchmod(fd, 0766), EPERM);
	assert_int_equal(fchmod(fd, 0755), 0);
	close_it(fd);
}

static void exec_with_a_writable_mapping_is_ebusy(void **state)
{
	int fd = executable();
	void *at;

	(void)state;
	assert_int_equal(ftruncate(fd, page), 0);
	at = mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, fd, 0);
	assert_true(at != MAP_FAILED);
	fails(memfd_seal(fd, MEMFD_SEAL_EXEC), EBUSY);
	assert_int_equal(succeeds(memfd_get_seals(fd)), 0);
	assert_int_equal(fchmod(fd, 0666), 0);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_EXEC)), 0);
	assert_int_equal(succeeds(memfd_get_seals(fd)), MEMFD_SEAL_EXEC);
	assert_int_equal(munmap(at, (size_t)page), 0);
	close_it(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(seals_add_up_one_by_one),
		promise(sealable_memfd_reads_exec_where_the_kernel_has_it),
		promise(seal_by_name),
		promise(names_are_judged_before_the_descriptor),
		promise(refused_name_sets_no_seal),
		promise(get_seals_str_measures_and_truncates),
		promise(seal_after_seal_is_eperm),
		promise(seal_not_allowed_at_creation_is_eperm),
		promise(check_or_seal_is_right_whoever_sealed_first),
		promise(seal_through_a_read_only_descriptor_is_eperm),
		promise(seal_on_no_memfd_is_einval),
		promise(descriptor_not_open_is_ebadf),
		promise(path_descriptor_is_ebadf),
		promise(unknown_seal_is_einval_and_sets_none),
		promise(write_with_a_writable_mapping_is_ebusy),
		promise(write_with_a_readable_mapping_is_ebusy),
		promise(write_with_harmless_mappings_succeeds),
		promise(write_with_io_in_flight_is_ebusy),
		promise(future_write_leaves_mappings_that_exist),
		promise(exec_on_an_executable_file_seals_its_bytes_too),
		promise(exec_with_a_writable_mapping_is_ebusy),
	};

	page = sysconf(_SC_PAGESIZE);
	return run_twice("seal", tests);
}
