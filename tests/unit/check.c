/* SPDX-License-Identifier: MIT */

/* memfd_check_seals: what a receiver may believe. */

#include "unit.h"

#include <sys/socket.h>

static void check_is_a_subset_test(void **state)
{
	unsigned int asked, have;
	int fd = succeeds(memfd_new("check", MEMFD_ALLOW_SEALING));

	(void)state;
	assert_int_equal(
		succeeds(memfd_seal(fd, MEMFD_SEAL_SHRINK | MEMFD_SEAL_WRITE)),
		0);
	have = first_seals() | MEMFD_SEAL_SHRINK | MEMFD_SEAL_WRITE;
	for (asked = 1; asked <= 0xff; asked++)
		if (asked & ~have)
			fails(memfd_check_seals(fd, asked), EPERM);
		else
			assert_int_equal(succeeds(memfd_check_seals(fd, asked)),
					 0);
	for (asked = 0x80000000; asked; asked >>= 1)
		if (asked & ~have)
			fails(memfd_check_seals(fd, asked | MEMFD_SEAL_WRITE),
			      EPERM);
	fails(memfd_check_seals(fd, ~0U), EPERM);
	close_it(fd);
}

static void each_missing_seal_is_eperm(void **state)
{
	static const unsigned int of_immutable[] = { MEMFD_SEAL_SHRINK,
						     MEMFD_SEAL_GROW,
						     MEMFD_SEAL_WRITE };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(of_immutable); i++) {
		int fd = succeeds(memfd_new("check", MEMFD_ALLOW_SEALING));

		fails(memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE), EPERM);
		succeeds(memfd_seal(fd,
				    MEMFD_SEAL_IMMUTABLE & ~of_immutable[i]));
		fails(memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE), EPERM);
		fails(memfd_check_seals_str(fd, "immutable"), EPERM);
		succeeds(memfd_seal(fd, of_immutable[i]));
		assert_int_equal(
			succeeds(memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE)),
			0);
		assert_int_equal(
			succeeds(memfd_check_seals_str(fd, "immutable")), 0);
		close_it(fd);
	}
}

static void future_write_is_no_write(void **state)
{
	int fd;

	(void)state;
	if (!knows_seal(MEMFD_SEAL_FUTURE_WRITE))
		skip_because("the kernel does not know future-write");
	fd = succeeds(memfd_new("check", MEMFD_ALLOW_SEALING));
	succeeds(memfd_seal(fd, MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW |
					MEMFD_SEAL_FUTURE_WRITE));
	fails(memfd_check_seals(fd, MEMFD_SEAL_WRITE), EPERM);
	fails(memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE), EPERM);
	close_it(fd);
}

static void empty_question_is_einval(void **state)
{
	int fd = succeeds(memfd_new("check", 0));

	(void)state;
	fails(memfd_check_seals(fd, 0), EINVAL);
	fails(memfd_check_seals_str(fd, ""), EINVAL);
	fails(memfd_check_seals_str(fd, " ,"), EINVAL);
	fails(memfd_check_seals_str(fd, "0"), EINVAL);
	fails(memfd_check_seals(-1, 0), EINVAL);
	close_it(fd);
}

static void names_are_judged_before_the_descriptor(void **state)
{
	int fd = succeeds(memfd_new("check", 0));

	(void)state;
	fails(memfd_check_seals_str(-1, "nope"), EINVAL);
	fails(memfd_check_seals_str(-1, "seal,nope"), EINVAL);
	fails(memfd_check_seals_str(-1, NULL), EFAULT);
	fails(memfd_check_seals_str(-1, "seal"), EBADF);
	fails(memfd_check_seals_str(fd, NULL), EFAULT);
	fails(memfd_check_seals_str(fd, "seal,nope"), EINVAL);
	assert_int_equal(succeeds(memfd_check_seals_str(fd, "F_SEAL_SEAL")), 0);
	close_it(fd);
}

static void reader_may_check(void **state)
{
	int fd = succeeds(memfd_new_sealed("check", 0, "x", 1));
	int reader = reopen(fd, O_RDONLY);

	(void)state;
	assert_int_equal(
		succeeds(memfd_check_seals(reader, MEMFD_SEAL_IMMUTABLE)), 0);
	close_it(fd);
	close_it(reader);
}

/* F_GET_SEALS answers -1, and -1 has every bit. */
static void pipe_and_socket_are_einval(void **state)
{
	int ends[4], i;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends + 2), 0);
	for (i = 0; i < 4; i++) {
		fails(memfd_check_seals(ends[i], MEMFD_SEAL_IMMUTABLE), EINVAL);
		fails(memfd_check_seals(ends[i], MEMFD_SEAL_SEAL), EINVAL);
		fails(memfd_check_seals(ends[i], ~0U), EINVAL);
		fails(memfd_check_seals_str(ends[i], "write"), EINVAL);
		close_it(ends[i]);
	}
}

static void closed_descriptor_is_ebadf(void **state)
{
	int fd = succeeds(memfd_new_sealed("check", 0, "x", 1));

	(void)state;
	close_it(fd);
	fails(memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE), EBADF);
	fails(memfd_check_seals_str(fd, "immutable"), EBADF);
	fails(memfd_check_seals(-1, MEMFD_SEAL_IMMUTABLE), EBADF);
}

static void path_descriptor_is_ebadf(void **state)
{
	int fd = succeeds(memfd_new_sealed("check", 0, "x", 1));
	int path = reopen(fd, O_PATH);

	(void)state;
	fails(memfd_check_seals(path, MEMFD_SEAL_IMMUTABLE), EBADF);
	close_it(path);
	close_it(fd);
}

/* It can have seals, as a memfd has, and answers that they are closed. */
static void ordinary_file_on_tmpfs_is_not_sealed(void **state)
{
	int fd = temporary_file(1);

	(void)state;
	if (fd < 0)
		skip_because("no tmpfs to write to");
	assert_int_equal(succeeds(memfd_get_seals(fd)), MEMFD_SEAL_SEAL);
	assert_int_equal(succeeds(memfd_check_seals(fd, MEMFD_SEAL_SEAL)), 0);
	fails(memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE), EPERM);
	fails(memfd_check_seals_str(fd, "write"), EPERM);
	fails(memfd_seal(fd, MEMFD_SEAL_WRITE), EPERM);
	close_it(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(check_is_a_subset_test),
		promise(each_missing_seal_is_eperm),
		promise(future_write_is_no_write),
		promise(empty_question_is_einval),
		promise(names_are_judged_before_the_descriptor),
		promise(reader_may_check),
		promise(pipe_and_socket_are_einval),
		promise(closed_descriptor_is_ebadf),
		promise(path_descriptor_is_ebadf),
		promise(ordinary_file_on_tmpfs_is_not_sealed),
	};

	return run_twice("check", tests);
}
