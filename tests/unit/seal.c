/* SPDX-License-Identifier: MIT */

/* memfd_seal and memfd_get_seals: what each seal forbids and still allows. */

#include "unit.h"

#include <sys/uio.h>

#define WRITING (MEMFD_SEAL_WRITE | MEMFD_SEAL_FUTURE_WRITE)

static long page;

static int map(int fd, int protection, int kind, int protection_then)
{
	void *at = mmap(NULL, (size_t)page, protection, kind, fd, 0);
	int result, err;

	if (at == MAP_FAILED)
		return -1;
	result = mprotect(at, (size_t)page, protection_then);
	err = errno;
	if (!result && protection_then & PROT_WRITE)
		memset(at, 'm', (size_t)page);
	assert_int_equal(munmap(at, (size_t)page), 0);
	errno = err;
	return result;
}

static int writes(int fd)
{
	return (int)write(fd, "x", 1);
}

static int pwrites(int fd)
{
	return (int)pwrite(fd, "x", 1, page);
}

static int appends(int fd)
{
	return (int)pwrite(fd, "x", 1, 2 * page);
}

static int preads(int fd)
{
	char byte;

	return (int)pread(fd, &byte, 1, page);
}

static int maps_shared_to_write(int fd)
{
	return map(fd, PROT_READ | PROT_WRITE, MAP_SHARED,
		   PROT_READ | PROT_WRITE);
}

static int maps_private_to_write(int fd)
{
	return map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		   PROT_READ | PROT_WRITE);
}

static int makes_shared_writable(int fd)
{
	return map(fd, PROT_READ, MAP_SHARED, PROT_READ | PROT_WRITE);
}

static int makes_private_writable(int fd)
{
	return map(fd, PROT_READ, MAP_PRIVATE, PROT_READ | PROT_WRITE);
}

static int shortens(int fd)
{
	return ftruncate(fd, page);
}

static int lengthens(int fd)
{
	return ftruncate(fd, 3 * page);
}

static int keeps_its_length(int fd)
{
	return ftruncate(fd, 2 * page);
}

static int allocates_inside(int fd)
{
	return fallocate(fd, 0, 0, page);
}

static int allocates_beyond(int fd)
{
	return fallocate(fd, 0, 0, 3 * page);
}

static int punches_a_hole(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			 page);
}

static int becomes_private_to_its_owner(int fd)
{
	return fchmod(fd, 0600);
}

static int becomes_executable(int fd)
{
	return fchmod(fd, 0777);
}

static const struct deed {
	const char *name;
	int (*try)(int fd);
	unsigned int forbidden_by;
} deeds[] = {
	{ "write", writes, WRITING },
	{ "pwrite", pwrites, WRITING },
	{ "pwrite at the end", appends, WRITING | MEMFD_SEAL_GROW },
	{ "pread", preads, 0 },
	{ "mmap, shared, to write", maps_shared_to_write, WRITING },
	{ "mmap, private, to write", maps_private_to_write, 0 },
	{ "mprotect of a shared mapping", makes_shared_writable, WRITING },
	{ "mprotect of a private mapping", makes_private_writable, 0 },
	{ "ftruncate to less", shortens, MEMFD_SEAL_SHRINK },
	{ "ftruncate to more", lengthens, MEMFD_SEAL_GROW },
	{ "ftruncate to as much", keeps_its_length, 0 },
	{ "fallocate inside", allocates_inside, 0 },
	{ "fallocate beyond the end", allocates_beyond, MEMFD_SEAL_GROW },
	{ "fallocate to punch a hole", punches_a_hole, WRITING },
	{ "fchmod 0600", becomes_private_to_its_owner, 0 },
	{ "fchmod 0777", becomes_executable, MEMFD_SEAL_EXEC },
};

/* Two pages, mode 0666, sealable, without MEMFD_SEAL_EXEC where it can be. */
static int two_pages(void)
{
	unsigned int exec = denies_exec() ? 0 : MEMFD_EXEC;
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING | exec));

	if (exec)
		assert_int_equal(fchmod(fd, 0666), 0);
	assert_int_equal(ftruncate(fd, 2 * page), 0);
	return fd;
}

static unsigned int known_seals(void)
{
	unsigned int seal, known = 0;

	for (seal = MEMFD_SEAL_SEAL; seal <= MEMFD_SEAL_EXEC; seal <<= 1)
		if (knows_seal(seal))
			known |= seal;
	return known;
}

static void seals_forbid_and_allow(unsigned int seals)
{
	size_t i;

	for (i = 0; i < COUNT(deeds); i++) {
		const struct deed *deed = &deeds[i];
		int fd = two_pages();
		unsigned int all = seals | (unsigned int)memfd_get_seals(fd);
		int result, err;

		assert_int_equal(succeeds(memfd_seal(fd, seals)), 0);
		assert_int_equal(succeeds(memfd_get_seals(fd)), all);
		result = deed->try(fd);
		err = errno;
		if (!(all & deed->forbidden_by)) {
			if (result < 0)
				fail_msg("%s under 0x%02x: %s", deed->name, all,
					 strerror(err));
		} else if (result >= 0) {
			fail_msg("%s under 0x%02x: allowed", deed->name, all);
		} else if (err != EPERM &&
			   (err != EACCES ||
			    deed->try != makes_shared_writable)) {
			fail_msg("%s under 0x%02x: %s", deed->name, all,
				 strerror(err));
		}
		close_it(fd);
	}
}

static void every_set_of_seals_forbids_and_allows(void **state)
{
	unsigned int seals, known = known_seals();

	(void)state;
	print_message("  the kernel knows the seals 0x%02x\n", known);
	assert_int_equal(known & 0x0f, 0x0f);
	for (seals = 0; seals <= 0x3f; seals++)
		if (!(seals & ~known))
			seals_forbid_and_allow(seals);
}

static void seals_add_up_one_by_one(void **state)
{
	int fd = two_pages();
	unsigned int have = (unsigned int)succeeds(memfd_get_seals(fd));
	unsigned int seal, known = known_seals();

	(void)state;
	for (seal = MEMFD_SEAL_EXEC; seal; seal >>= 1) {
		if (!(seal & known))
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
	assert_int_equal(succeeds(memfd_seal_str(fd, "")), 0);
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
	fails(memfd_seal_str(-1, ""), EBADF);
}

static void refused_name_sets_no_seal(void **state)
{
	int fd = succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));

	(void)state;
	fails(memfd_seal_str(fd, "write,nope"), EINVAL);
	fails(memfd_seal_str(fd, NULL), EFAULT);
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
	assert_int_equal(maps_shared_to_write(fd), -1);
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), EBUSY);
	fails(memfd_check_seals(fd, MEMFD_SEAL_WRITE), EPERM);
	assert_int_equal(munmap(at, (size_t)page), 0);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_WRITE)), 0);
	close_it(fd);
}

/* EPERM on 5.10; a mapping that never gets writable on 6.1 and later. */
static void write_sealed_memfd_never_maps_writable(void **state)
{
	int fd = two_pages();

	(void)state;
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_WRITE)), 0);
	if (map(fd, PROT_READ, MAP_SHARED, PROT_READ) < 0)
		assert_int_equal(errno, EPERM);
	assert_int_equal(makes_shared_writable(fd), -1);
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
		promise(every_set_of_seals_forbids_and_allows),
		promise(seals_add_up_one_by_one),
		promise(sealable_memfd_reads_exec_where_the_kernel_has_it),
		promise(seal_by_name),
		promise(names_are_judged_before_the_descriptor),
		promise(refused_name_sets_no_seal),
		promise(get_seals_str_measures_and_truncates),
		promise(seal_after_seal_is_eperm),
		promise(seal_not_allowed_at_creation_is_eperm),
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
		promise(write_sealed_memfd_never_maps_writable),
		promise(exec_on_an_executable_file_seals_its_bytes_too),
		promise(exec_with_a_writable_mapping_is_ebusy),
	};

	page = sysconf(_SC_PAGESIZE);
	return run_twice("seal", tests);
}
