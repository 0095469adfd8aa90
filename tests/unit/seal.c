/* SPDX-License-Identifier: MIT */

/*
 * memfd_seal, memfd_get_seals and memfd_check_seals: what they set, answer and
 * refuse.
 */

#include "unit.h"

#include <sys/socket.h>
#include <sys/uio.h>

static int sealable(void)
{
	return succeeds(memfd_new("seal", MEMFD_ALLOW_SEALING));
}

static char *map(int fd, int protection, int kind)
{
	void *at = mmap(NULL, (size_t)page_size(), protection, kind, fd, 0);

	assert_true(at != MAP_FAILED);
	return at;
}

static void unmap(void *at)
{
	assert_int_equal(munmap(at, (size_t)page_size()), 0);
}

static void adds(int fd, unsigned int seals)
{
	assert_int_equal(succeeds(memfd_seal(fd, seals)), 0);
}

/* Just these, and memfd_check_seals finds each subset and nothing else. */
static void has_seals(int fd, unsigned int seals)
{
	char text[MEMFD_SEALS_STRLEN] = "none", want[MEMFD_SEALS_STRLEN];
	int len = memfd_format_seals(seals, want, sizeof(want));
	unsigned int asked;

	assert_int_equal(succeeds(memfd_get_seals(fd)), seals);
	assert_int_equal(succeeds(memfd_get_seals_str(fd, text, sizeof(text))),
			 len);
	assert_string_equal(text, want);
	for (asked = 1; asked <= 0xff; asked++)
		if (asked & ~seals)
			fails(memfd_check_seals(fd, asked), EPERM);
		else
			assert_int_equal(succeeds(memfd_check_seals(fd, asked)),
					 0);
	for (asked = 0x100; asked; asked <<= 1)
		fails(memfd_check_seals(fd, asked | seals), EPERM);
	fails(memfd_check_seals(fd, ~0U), EPERM);
}

static void seals_add_up_one_by_one(void **state)
{
	int fd = two_pages();
	unsigned int have = (unsigned int)succeeds(memfd_get_seals(fd));
	unsigned int seal, known = known_seals();

	(void)state;
	for (seal = MEMFD_SEAL_EXEC; seal; seal >>= 1) {
		if (!(known & seal))
			continue;
		has_seals(fd, have);
		adds(fd, 0);
		adds(fd, have);
		adds(fd, seal);
		have |= seal;
	}
	has_seals(fd, have);
	close_it(fd);
}

static void names_mean_the_same(void **state)
{
	int fd = sealable();

	(void)state;
	succeeds(memfd_seal_str(fd, "0"));
	has_seals(fd, first_seals());
	succeeds(memfd_seal_str(fd, "F_SEAL_GROW | shrink"));
	has_seals(fd, 0x06 | first_seals());
	fails(memfd_check_seals_str(fd, "immutable"), EPERM);
	fails(memfd_check_seals_str(fd, "grow|0x80000000"), EPERM);
	succeeds(memfd_seal_str(fd, "immutable 0x1"));
	has_seals(fd, 0x0f | first_seals());
	assert_int_equal(succeeds(memfd_check_seals_str(fd, "immutable")), 0);
	close_it(fd);
}

static void get_seals_str_cuts_the_text_and_leaves_it_on_failure(void **state)
{
	int fd = succeeds(memfd_new("seal", 0));
	char buf[8] = "unknown";

	(void)state;
	fails(memfd_get_seals_str(-1, buf, sizeof(buf)), EBADF);
	assert_string_equal(buf, "unknown");
	succeeds(memfd_get_seals_str(fd, buf, 3));
	assert_memory_equal(buf, "se\0nown", sizeof(buf));
	fails(memfd_get_seals_str(fd, NULL, 1), EFAULT);
	fails(memfd_get_seals_str(-1, NULL, 1), EBADF);
	close_it(fd);
}

/* Of no descriptor, and of no size, bits are lost. */
static void str_functions_hand_on_whole_numbers(void **state)
{
	int low = sealable(), high = fcntl(low, F_DUPFD_CLOEXEC, 0x100);
	char text[MEMFD_SEALS_STRLEN] = "";

	(void)state;
	succeeds(memfd_seal_str(high, "grow"));
	succeeds(memfd_check_seals_str(high, "grow"));
	succeeds(memfd_get_seals_str(high, text, SIZE_MAX / 2 + 1));
	assert_memory_equal(text, "grow", 4);
	close_it(succeeds(memfd_new_sealed_copy_str("seal", "", high, 1)));
	close_it(high);
	close_it(low);
}

/* Before anything else: the descriptor, or the size, is wrong as well. */
static void names_are_judged_first(void **state)
{
	static const char *const wrong[] = { "nope", "write,cloexec", "",
					     " ,|\t" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrong); i++) {
		fails(memfd_seal_str(-1, wrong[i]), EINVAL);
		fails(memfd_check_seals_str(-1, wrong[i]), EINVAL);
		fails(memfd_new_sized_str("seal", "", SIZE_MAX, wrong[i]),
		      EINVAL);
	}
	fails(memfd_seal_str(-1, NULL), EFAULT);
	fails(memfd_check_seals_str(-1, NULL), EFAULT);
	fails(memfd_new_sized_str("seal", "", SIZE_MAX, NULL), EFAULT);
	/* An empty question. */
	fails(memfd_check_seals(-1, 0), EINVAL);
	fails(memfd_check_seals_str(-1, "0"), EINVAL);
}

/* Not even for nothing; and it has these seals. Closes it. */
static void is_closed(int fd, unsigned int seals)
{
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), EPERM);
	fails(memfd_seal(fd, MEMFD_SEAL_SEAL), EPERM);
	fails(memfd_seal(fd, 0), EPERM);
	fails(memfd_seal_str(fd, "write"), EPERM);
	has_seals(fd, seals);
	close_it(fd);
}

static void seal_after_seal_or_where_not_allowed_is_eperm(void **state)
{
	int on_tmpfs = temporary_file(1);

	(void)state;
	is_closed(memfd_new("seal", 0), MEMFD_SEAL_SEAL | first_seals());
	is_closed(memfd_new_sealed("seal", 0, NULL, 0),
		  ALL_SEALS | first_seals());
	is_closed(reopened(sealable(), O_RDONLY), first_seals());
	/* It can have seals, too, but gets none. */
	if (on_tmpfs >= 0)
		is_closed(on_tmpfs, MEMFD_SEAL_SEAL);
}

static void unknown_seal_is_einval_and_sets_none(void **state)
{
	int fd = sealable();
	unsigned int seal, known = known_seals();

	(void)state;
	for (seal = MEMFD_SEAL_SEAL; seal; seal <<= 1) {
		if (known & seal)
			continue;
		fails(memfd_seal(fd, seal), EINVAL);
		fails(memfd_seal(fd, seal | MEMFD_SEAL_SHRINK), EINVAL);
	}
	fails(memfd_seal_str(fd, "shrink,0x80000000"), EINVAL);
	fails(memfd_new_sized_str("seal", "", 0, "0x80000000"), EINVAL);
	has_seals(fd, first_seals());
	close_it(fd);
}

/* Neither sealed nor asked for its seals: in each case with its own errno. */
static void refuses(int fd, int to_seal, int to_answer)
{
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), to_seal);
	fails(memfd_seal(fd, 0), to_seal);
	fails(memfd_seal_str(fd, "write"), to_seal);
	fails(memfd_get_seals(fd), to_answer);
	fails(memfd_get_seals_str(fd, NULL, 0), to_answer);
	fails(memfd_check_seals(fd, MEMFD_SEAL_WRITE), to_answer);
	fails(memfd_check_seals(fd, ~0U), to_answer);
	fails(memfd_check_seals_str(fd, "write"), to_answer);
	close(fd);
}

/* F_GET_SEALS answers -1, and -1 has every bit. */
static void no_memfd_is_einval_and_not_open_is_ebadf(void **state)
{
	int closed = sealable();

	(void)state;
	/* Not open for writing comes first. */
	refuses(pipe_end(0), EPERM, EINVAL);
	refuses(pipe_end(1), EINVAL, EINVAL);
	refuses(socket(AF_UNIX, SOCK_STREAM, 0), EINVAL, EINVAL);
	refuses(reopened(sealable(), O_PATH), EBADF, EBADF);
	close_it(closed);
	refuses(closed, EBADF, EBADF);
	refuses(-1, EBADF, EBADF);
}

static void write_with_a_writable_mapping_is_ebusy_and_sets_none(void **state)
{
	static const struct {
		int open, protection, kind, busy;
	} mappings[] = {
		/* Whatever the protection: mprotect(2) could make it writable.
		 */
		{ O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED, 1 },
		{ O_RDWR, PROT_READ, MAP_SHARED, 1 },
		{ O_RDWR, PROT_NONE, MAP_SHARED, 1 },
		{ O_RDWR, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0 },
		{ O_RDONLY, PROT_READ, MAP_SHARED, 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(mappings); i++) {
		int fd = two_pages(), other = reopen(fd, mappings[i].open);
		unsigned int have = (unsigned int)memfd_get_seals(fd);
		char *at = map(other, mappings[i].protection, mappings[i].kind);

		adds(fd, MEMFD_SEAL_SHRINK);
		if (mappings[i].busy) {
			fails(memfd_seal(fd, ALL_SEALS), EBUSY);
			fails(memfd_seal_str(fd, "immutable"), EBUSY);
			has_seals(fd, have | MEMFD_SEAL_SHRINK);
			unmap(at);
			adds(fd, MEMFD_SEAL_WRITE);
		} else {
			adds(fd, MEMFD_SEAL_WRITE);
			unmap(at);
		}
		close_it(other);
		close_it(fd);
	}
}

/* A pipe holds the page: as good as a device that has yet to write to it. */
static void write_with_io_in_flight_is_ebusy(void **state)
{
	int fd = two_pages();
	unsigned int have = (unsigned int)memfd_get_seals(fd);
	struct iovec io = { map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), 1 };
	int ends[2], err;

	(void)state;
	*(char *)io.iov_base = 'x';
	assert_int_equal(pipe(ends), 0);
	err = vmsplice(ends[1], &io, 1, 0) < 0 ? errno : 0;
	unmap(io.iov_base);
	if (!err) {
		fails(memfd_seal(fd, ALL_SEALS), EBUSY);
		has_seals(fd, have);
	}
	close_it(ends[0]);
	close_it(ends[1]);
	adds(fd, MEMFD_SEAL_WRITE);
	close_it(fd);
	if (err)
		skip_because("vmsplice: %s", strerror(err));
}

/* Even one to read can be made writable, if its descriptor is open for that. */
static void future_write_leaves_mappings_that_exist(void **state)
{
	char *at, byte;
	int fd;

	(void)state;
	if (!(known_seals() & MEMFD_SEAL_FUTURE_WRITE))
		skip_because("the kernel does not know future-write");
	fd = two_pages();
	at = map(fd, PROT_READ, MAP_SHARED);
	adds(fd, MEMFD_SEAL_FUTURE_WRITE);
	assert_int_equal(
		mprotect(at, (size_t)page_size(), PROT_READ | PROT_WRITE), 0);
	at[0] = 'y';
	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 'y');
	unmap(at);
	close_it(fd);
}

/* With 6.3 it came: who seals "executable" wants the program not to change. */
static void exec_on_an_executable_file_seals_its_bytes_too(void **state)
{
	int fd;
	char *at;

	(void)state;
	if (!(known_seals() & MEMFD_SEAL_EXEC))
		skip_because("the kernel does not know the seal exec");
	if (denies_exec())
		skip_because("vm.memfd_noexec is 2: nothing is executable");
	fd = two_pages();
	at = map(fd, PROT_READ, MAP_SHARED);
	assert_int_equal(fchmod(fd, 0755), 0);
	fails(memfd_seal(fd, MEMFD_SEAL_EXEC), EBUSY);
	has_seals(fd, 0);
	unmap(at);
	adds(fd, MEMFD_SEAL_EXEC);
	has_seals(fd, 0x3e);
	fails(fchmod(fd, 0666), EPERM);
	assert_int_equal(fchmod(fd, 0711), 0);
	close_it(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(seals_add_up_one_by_one),
		promise(names_mean_the_same),
		promise(get_seals_str_cuts_the_text_and_leaves_it_on_failure),
		promise(str_functions_hand_on_whole_numbers),
		promise(names_are_judged_first),
		promise(seal_after_seal_or_where_not_allowed_is_eperm),
		promise(unknown_seal_is_einval_and_sets_none),
		promise(no_memfd_is_einval_and_not_open_is_ebadf),
		promise(write_with_a_writable_mapping_is_ebusy_and_sets_none),
		promise(write_with_io_in_flight_is_ebusy),
		promise(future_write_leaves_mappings_that_exist),
		promise(exec_on_an_executable_file_seals_its_bytes_too),
	};

	return cmocka_run_group_tests_name("seal", tests, NULL, NULL);
}
