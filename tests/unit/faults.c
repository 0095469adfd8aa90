/* SPDX-License-Identifier: MIT */

/*
 * What becomes of each function if a call that it makes fails, is interrupted,
 * or moves only a part.
 */

#include "fake.h"

/* All of Linux (MIPS has the largest), and those that it keeps to itself. */
static int next_errno(int err)
{
	return err == 180 ? 512 : err < 533 ? err + 1 : 0;
}

/* Whether the function has another way, or only has to repeat the call. */
static int goes_on(const struct call *call, int kernel, int at, int err)
{
	switch (call->calls[kernel][at - 1]) {
	case 'm':
		return at == 1 && err == EINVAL &&
		       !fails_with_einval(call->calls[BEFORE]);
	case 'f':
		return err == EINTR || err == EINVAL;
	case 't':
	case 'w':
	case 'r':
		return err == EINTR;
	default:
		/* Asked only to recognize a sandbox. */
		return call->calls[kernel][at - 1] == 'g';
	}
}

/* What follows on the failure of a call, with nothing left to be done. */
static const char *gives_up(const struct call *call, int kernel, int at)
{
	char failed = call->calls[kernel][at - 1];

	if (failed == 'm')
		return "";
	/* The seal of memfd_new may have been there. */
	return failed == 's' && call->seals == MEMFD_SEAL_SEAL ? "gx" : "x";
}

static void fails_in(const struct call *call, int kernel, int at, int err,
		     int err_after)
{
	const char *made = fake.calls + at;

	/* Each other time, the descriptor is 0. */
	boot(kernel, err % 2);
	fake.fails = at;
	fake.err = err;
	if (goes_on(call, kernel, at, err)) {
		int retried = kernel == AFTER && at == 1;

		is_right(call, succeeds(call->function(call)),
			 retried ? BEFORE : kernel);
		return;
	}
	fake.err_after = err_after;
	fails(call->function(call), err);
	assert_int_equal(fake.cancel_state, PTHREAD_CANCEL_ENABLE);
	assert_false(fake.open);
	if (strcmp(made, gives_up(call, kernel, at)) != 0)
		fail_msg("%s: call %d fails, then %s", call->label, at, made);
	/* Nothing is remembered. */
	goes_as_said(call, kernel, err % 2);
}

static void each_call_fails_with_each_errno(void **state)
{
	size_t i;
	int kernel, at, err;

	(void)state;
	for (i = 0; i < COUNT(calls); i++)
		for (kernel = AFTER; kernel <= BEFORE; kernel++) {
			const char *made = calls[i].calls[kernel];

			if (fails_with_einval(made))
				continue;
			for (at = 1; made[at - 1]; at++)
				for (err = 1; err; err = next_errno(err)) {
					fails_in(&calls[i], kernel, at, err, 0);
					fails_in(&calls[i], kernel, at, err,
						 err == EINTR ? EIO : EINTR);
				}
		}
}

static void each_seals_function_fails_with_each_errno(void **state)
{
	char text[MEMFD_SEALS_STRLEN] = "unchanged";
	int err;

	(void)state;
	for (err = 1; err; err = next_errno(err)) {
		int fd = err % 2;

		boot(AFTER, fd);
		fake.open = 1;
		fake.fails = 1;
		fake.err = fake.err_after = err;
		fails(memfd_seal(fd, MEMFD_SEAL_GROW), err);
		fails(memfd_seal_str(fd, "grow"), err);
		fails(memfd_get_seals(fd), err);
		fails(memfd_get_seals_str(fd, text, sizeof(text)), err);
		fails(memfd_check_seals(fd, MEMFD_SEAL_GROW), err);
		fails(memfd_check_seals_str(fd, "grow"), err);
		assert_string_equal(fake.calls, "ssgggg");
		assert_string_equal(text, "unchanged");
	}
}

static void any_number_of_interruptions_stops_nothing(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(calls); i++) {
		if (fails_with_einval(calls[i].calls[AFTER]))
			continue;
		boot(AFTER, 0);
		fake.interrupts = 70000;
		is_right(&calls[i], succeeds(calls[i].function(&calls[i])),
			 AFTER);
		assert_string_equal(fake.calls, calls[i].calls[AFTER]);
	}
}

/* Also one that is off already, and where it cannot be switched at all. */
static void cancellation_is_as_it_was(void **state)
{
	size_t i;
	int fails;

	(void)state;
	for (i = 0; i < COUNT(calls); i++)
		for (fails = 0; fails < 8; fails++) {
			boot(AFTER, 0);
			fake.fails = fails;
			fake.err = ENOSPC;
			fake.cancel_state = PTHREAD_CANCEL_DISABLE;
			calls[i].function(&calls[i]);
			assert_int_equal(fake.cancel_state,
					 PTHREAD_CANCEL_DISABLE);

			boot(AFTER, 0);
			fake.fails = fails;
			fake.err = ENOSPC;
			fake.no_libpthread = 1;
			calls[i].function(&calls[i]);
		}
}

/* The three ways in which bytes get into a memfd. */
static int (*const ways[])(const struct call *) = { sealed, copied, read_from };

static void arrives(const struct call *call, size_t most, size_t most_read,
		    int interrupts)
{
	boot(AFTER, 0);
	fake.most = most;
	fake.most_read = most_read;
	fake.interrupts = interrupts;
	is_right(call, succeeds(call->function(call)), AFTER);
}

static void each_byte_arrives_however_few_at_a_time(void **state)
{
	static const size_t sizes[] = { 1, 4095, 4096, 4097, 10000 };
	static const size_t most[] = { 1, 1000, 4096, 0 };
	size_t way, size, i, j;

	(void)state;
	for (way = 0; way < COUNT(ways); way++)
		for (size = 0; size < COUNT(sizes); size++) {
			struct call call = { .function = ways[way],
					     .size = sizes[size],
					     .seals = ALL };

			for (i = 0; i < COUNT(most); i++)
				for (j = 0; j < COUNT(most); j++) {
					arrives(&call, most[i], most[j], 0);
					arrives(&call, most[i], most[j], 2);
				}
		}
}

static void write_of_nothing_is_eio(void **state)
{
	static const struct call call = { .size = 10000, .seals = ALL };
	int at;

	(void)state;
	for (at = 2; at < 10; at++) {
		boot(AFTER, 0);
		fake.most = 1000;
		fake.fails = at;
		fails(sealed(&call), EIO);
		assert_int_equal(fake.count, at + 1);
		assert_false(fake.open);
	}
	boot(AFTER, 0);
	fake.fails = 4;
	fails(read_from(&call), EIO);
	assert_string_equal(fake.calls, "mfrwx");
}

/* The end comes before the size that the file once had. */
static void what_is_there_when_it_is_read_is_copied(void **state)
{
	size_t way;

	(void)state;
	for (way = 1; way < COUNT(ways); way++) {
		struct call call = { .size = 10000, .seals = ALL };

		boot(AFTER, 0);
		fake.most = fake.most_read = 1000;
		fake.fails = 7;
		succeeds(ways[way](&call));
		assert_int_equal(fake.size, way == 1 ? 5000 : 2000);
		call.size = (size_t)fake.size;
		is_right(&call, 0, AFTER);
	}
}

static void refused_sendfile_is_finished_by_reading(void **state)
{
	static const struct call call = { .size = 10000, .seals = ALL };
	int at;

	(void)state;
	for (at = 2; at <= 12; at++) {
		boot(AFTER, 0);
		fake.most = 1000;
		fake.fails = at;
		fake.err = EINVAL;
		is_right(&call, succeeds(copied(&call)), AFTER);
		assert_int_equal(fake.calls[at], 'r');
	}
}

/* A sendfile is refused after `sent` bytes, or never. */
static int copy_at_most(size_t size, size_t max, size_t sent, size_t most)
{
	boot(AFTER, 0);
	fake.source_size = size;
	fake.most = fake.most_read = most;
	if (sent != SIZE_MAX) {
		fake.most = sent;
		fake.fails = sent ? 3 : 2;
		fake.err = EINVAL;
	}
	return memfd_new_sealed_copy("fake", 0, SOURCE, max);
}

static void max_counts_to_the_byte(void **state)
{
	static const size_t sizes[] = { 1, 2, 4095, 4096, 4097, 10000 };
	static const size_t most[] = { 1, 1000, 4096, 0 };
	size_t i, j, k;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++)
		for (j = 0; j < COUNT(most); j++)
			for (k = 0; k < 4; k++) {
				size_t size = sizes[i];
				size_t sent = k == 3 ? SIZE_MAX : k * size / 2;
				struct call call = { .size = size,
						     .seals = ALL };

				is_right(&call,
					 succeeds(copy_at_most(size, size, sent,
							       most[j])),
					 AFTER);
				is_right(&call,
					 succeeds(copy_at_most(size, SIZE_MAX,
							       sent, most[j])),
					 AFTER);
				fails(copy_at_most(size, size - 1, sent,
						   most[j]),
				      EFBIG);
				assert_false(fake.open);
				fails(copy_at_most(size, 0, sent, most[j]),
				      EFBIG);
				/* One byte more shows that there is more. */
				assert_true(fake.size <= 1);
			}
}

static void gigabytes_take_as_few_calls_as_can_be(void **state)
{
	static const struct {
		uint64_t size;
		const char *written, *sent;
	} sizes[] = {
		{ MOST, "mws", "mffls" },
		{ MOST + 1U, "mwws", "mfffls" },
		{ 0xc0000000, "mwws", "mfffls" },
		{ 0xffffffff, "mwwws", "mffffls" },
		{ 5ULL << 30, "mwwws", "mffffls" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes) && sizes[i].size <= SIZE_MAX; i++) {
		size_t size = (size_t)sizes[i].size;
		struct call call = { .size = size, .seals = ALL };

		boot(AFTER, 0);
		is_right(&call, succeeds(sealed(&call)), AFTER);
		assert_string_equal(fake.calls, sizes[i].written);
		boot(AFTER, 0);
		is_right(&call, succeeds(copied(&call)), AFTER);
		assert_string_equal(fake.calls, sizes[i].sent);
		is_right(&call, succeeds(copy_at_most(size, size, SIZE_MAX, 0)),
			 AFTER);
		fails(copy_at_most(size, size - 1, SIZE_MAX, 0), EFBIG);

		call.names = "cloexec";
		boot(AFTER, 0);
		is_right(&call, succeeds(sealed(&call)), AFTER);
		boot(AFTER, 0);
		is_right(&call, succeeds(copied(&call)), AFTER);
		boot(AFTER, 0);
		is_right(&call, succeeds(sized(&call)), AFTER);
		boot(AFTER, 0);
		fake.source_size = size;
		fails(memfd_new_sealed_copy_str("fake", "", SOURCE, size - 1),
		      EFBIG);
	}
}

/* Also where size_t has 32 bits, and a file has more. */
static void copy_without_a_limit_has_none(void **state)
{
	const uint64_t size = 5ULL << 30;

	(void)state;
	boot(AFTER, 0);
	fake.source_size = size;
	succeeds(memfd_new_sealed_copy("fake", 0, SOURCE, SIZE_MAX));
	assert_true(fake.size == size);
	if (SIZE_MAX > size)
		return;
	boot(AFTER, 0);
	fake.source_size = size;
	fails(memfd_new_sealed_copy("fake", 0, SOURCE, SIZE_MAX - 1), EFBIG);
}

/* What is read instead of sent goes on where it was, at over 4 GiB. */
static void reading_goes_on_after_gigabytes(void **state)
{
	struct call call = { .seals = ALL };

	(void)state;
	if (SIZE_MAX < (5ULL << 30))
		skip_because("size_t has 32 bits");
	call.size = (size_t)(5ULL << 30);
	boot(AFTER, 0);
	fake.fails = 5;
	fake.err = EINVAL;
	/* The third one moves less than all. */
	fake.source_size = 3ULL * MOST + 10000;
	call.size = (size_t)fake.source_size;
	is_right(&call, succeeds(copied(&call)), AFTER);
	assert_string_equal(fake.calls, "mffffrwrwrwrls");
}

static void size_that_no_file_can_have_is_efbig(void **state)
{
	struct call call = { .add = ALL, .seals = ALL };

	(void)state;
	/* Whatever the kernel says of the largest one. */
	call.size = SIZE_MAX < INT64_MAX ? SIZE_MAX : (size_t)INT64_MAX;
	boot(AFTER, 0);
	is_right(&call, succeeds(sized(&call)), AFTER);
	for (call.size = SIZE_MAX; (int64_t)call.size < 0;
	     call.size = call.size / 4 * 3) {
		boot(AFTER, 0);
		fails(sized(&call), EFBIG);
		assert_string_equal(fake.calls, "mx");
	}
	/* Gigabytes go until the kernel stops it. */
	boot(AFTER, 0);
	call.size = SIZE_MAX;
	fake.fails = 3;
	fake.err = EFBIG;
	fails(sealed(&call), EFBIG);
	assert_string_equal(fake.calls, "mwwx");
}

static void any_descriptor_may_be_copied(void **state)
{
	struct call call = { .size = SIZE, .seals = ALL };
	int fd;

	(void)state;
	boot(AFTER, 1);
	fake.source = 0;
	is_right(&call, succeeds(copied(&call)), AFTER);
	/* One that was not open, so that the new file has its number. */
	for (fd = 0; fd < 2; fd++) {
		boot(AFTER, fd);
		fake.source = fd;
		fails(copied(&call), EBADF);
		assert_string_equal(fake.calls, "mx");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(each_call_fails_with_each_errno),
		promise(each_seals_function_fails_with_each_errno),
		promise(any_number_of_interruptions_stops_nothing),
		promise(cancellation_is_as_it_was),
		promise(each_byte_arrives_however_few_at_a_time),
		promise(write_of_nothing_is_eio),
		promise(what_is_there_when_it_is_read_is_copied),
		promise(refused_sendfile_is_finished_by_reading),
		promise(max_counts_to_the_byte),
		promise(gigabytes_take_as_few_calls_as_can_be),
		promise(copy_without_a_limit_has_none),
		promise(reading_goes_on_after_gigabytes),
		promise(size_that_no_file_can_have_is_efbig),
		promise(any_descriptor_may_be_copied),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
