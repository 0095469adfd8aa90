/* SPDX-License-Identifier: MIT */

/*
 * What each set of seals forbids, and what it leaves: the table of libmemfd(7),
 * with what else that page and memfd_seal(3) say of seals.
 */

#include "unit.h"

#define WRITING (MEMFD_SEAL_WRITE | MEMFD_SEAL_FUTURE_WRITE)

static off_t page;

/*
 * The deeds, on a file of two pages: negative, with errno, if refused. None
 * leaves anything open or mapped.
 */

static int writes(int fd)
{
	return (int)pwrite(fd, "x", 1, 0);
}

static int punches_a_hole(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			 page);
}

/* A mapping, which mprotect(2) may have to make writable first. */
static int maps(int fd, int kind, int protection)
{
	char *at = mmap(NULL, (size_t)page, protection, kind, fd, 0);
	int result, err;

	if (at == MAP_FAILED)
		return -1;
	result = mprotect(at, (size_t)page, PROT_READ | PROT_WRITE);
	err = errno;
	if (result == 0)
		*at = 'x';
	munmap(at, (size_t)page);
	errno = err;
	return result;
}

static int maps_shared_to_write(int fd)
{
	return maps(fd, MAP_SHARED, PROT_READ | PROT_WRITE);
}

/* Some older kernels do not even map it, which is EPERM. */
static int makes_shared_writable(int fd)
{
	int result = maps(fd, MAP_SHARED, PROT_READ);

	if (result < 0 && errno == EACCES)
		errno = EPERM;
	return result;
}

static int maps_private_to_write(int fd)
{
	return maps(fd, MAP_PRIVATE, PROT_READ | PROT_WRITE);
}

static int maps_shared_to_read(int fd)
{
	int reader = reopen(fd, O_RDONLY);
	void *at = mmap(NULL, (size_t)page, PROT_READ, MAP_SHARED, reader, 0);

	close_it(reader);
	return at == MAP_FAILED ? -1 : munmap(at, (size_t)page);
}

static int appends(int fd)
{
	return (int)pwrite(fd, "x", 1, 2 * page);
}

static int lengthens(int fd)
{
	return ftruncate(fd, 3 * page);
}

static int allocates_more(int fd)
{
	return fallocate(fd, 0, 2 * page, page);
}

static int shortens(int fd)
{
	return ftruncate(fd, page);
}

static int becomes_executable(int fd)
{
	return fchmod(fd, 0777);
}

static int becomes_private(int fd)
{
	return fchmod(fd, 0600);
}

static int seals(int fd)
{
	return memfd_seal(fd, MEMFD_SEAL_SEAL);
}

/* A descriptor that is only to read is no protection. */
static int reopens_and_writes(int fd)
{
	int reader = reopen(fd, O_RDONLY);
	int writer = reopen(reader, O_RDWR);
	int result = writes(writer), err = errno;

	close_it(writer);
	close_it(reader);
	errno = err;
	return result;
}

static int reopens_and_truncates(int fd)
{
	int other = open_again(fd, O_RDWR | O_TRUNC);

	if (other >= 0)
		close_it(other);
	return other;
}

static const struct deed {
	const char *name;
	int (*try)(int fd);
	/* Each of these seals makes it EPERM. */
	unsigned int forbidden_by;
} deeds[] = {
	{ "write", writes, WRITING },
	{ "write, by punching a hole", punches_a_hole, WRITING },
	{ "write, reopened", reopens_and_writes, WRITING },
	{ "mmap shared, to write", maps_shared_to_write, WRITING },
	{ "mmap shared, then made writable", makes_shared_writable, WRITING },
	{ "mmap private, to write", maps_private_to_write, 0 },
	{ "mmap shared, by who can only read", maps_shared_to_read, 0 },
	{ "write beyond the end", appends, WRITING | MEMFD_SEAL_GROW },
	{ "grow", lengthens, MEMFD_SEAL_GROW },
	{ "grow by allocating more", allocates_more, MEMFD_SEAL_GROW },
	{ "shrink", shortens, MEMFD_SEAL_SHRINK },
	{ "shrink by reopening with O_TRUNC", reopens_and_truncates,
	  MEMFD_SEAL_SHRINK },
	{ "chmod to executable", becomes_executable, MEMFD_SEAL_EXEC },
	{ "chmod of the other bits", becomes_private, 0 },
	{ "seals", seals, MEMFD_SEAL_SEAL },
};

static int victim(unsigned int set)
{
	int fd = two_pages();

	assert_int_equal(pwrite(fd, "s", 1, 0), 1);
	assert_int_equal(memfd_seal(fd, set), 0);
	return fd;
}

static void is_as_it_was(int fd, unsigned int set)
{
	struct stat st;
	char byte;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 2 * page);
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 's');
	assert_int_equal(memfd_get_seals(fd), set);
}

static void is_forbidden_or_succeeds(const struct deed *deed, unsigned int set)
{
	int fd = victim(set);
	unsigned int has = (unsigned int)memfd_get_seals(fd);
	int wanted = has & deed->forbidden_by ? EPERM : 0;
	int err = deed->try(fd) < 0 ? errno : 0;

	if (err != wanted)
		fail_msg("seals 0x%02x, %s: %s", has, deed->name,
			 err ? strerror(err) : "allowed");
	if (wanted)
		is_as_it_was(fd, has);
	close_it(fd);
}

static void every_set_of_seals_forbids_what_the_manual_says(void **state)
{
	unsigned int set, known = known_seals();
	size_t i;

	(void)state;
	assert_int_equal(known & 0x0f, 0x0f);
	for (set = 0; set <= 0x3f; set++)
		for (i = 0; i < COUNT(deeds) && !(set & ~known); i++)
			is_forbidden_or_succeeds(&deeds[i], set);
}

/* It fails, or is cut short there. */
static void write_across_the_end_does_not_grow(void **state)
{
	int fd = victim(MEMFD_SEAL_GROW);
	ssize_t n = pwrite(fd, "across", 6, 2 * page - 3);

	(void)state;
	assert_true(n == 3 || (n < 0 && errno == EPERM));
	is_as_it_was(fd, (unsigned int)memfd_get_seals(fd));
	close_it(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(every_set_of_seals_forbids_what_the_manual_says),
		promise(write_across_the_end_does_not_grow),
	};

	page = page_size();
	return cmocka_run_group_tests_name("forbid", tests, NULL, NULL);
}
