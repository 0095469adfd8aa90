/* SPDX-License-Identifier: MIT */

/* memfd_new_sealed under short, interrupted and failing writes. */

#include "fake.h"

#define DATA "a sentence of which each byte is to arrive"

static ssize_t one_byte(const char *data, size_t size, off64_t offset)
{
	assert_true(size > 0);
	fake.content[offset] = *data;
	return 1;
}

static ssize_t interrupted(const char *data, size_t size, off64_t offset)
{
	if (fake.writes % 3) {
		errno = EINTR;
		return -1;
	}
	return one_byte(data, size, offset);
}

static ssize_t nothing(const char *data, size_t size, off64_t offset)
{
	(void)data;
	(void)size;
	(void)offset;
	return 0;
}

static int stops_with;

static ssize_t stops_after_three(const char *data, size_t size, off64_t offset)
{
	if (fake.writes <= 3)
		return one_byte(data, size, offset);
	errno = stops_with;
	return stops_with ? -1 : 0;
}

static void with_writes(ssize_t (*write)(const char *, size_t, off64_t))
{
	memset(&fake, 0, sizeof(fake));
	fake.write = write;
}

static void short_writes_go_on(void **state)
{
	(void)state;
	with_writes(one_byte);
	close_it(succeeds(memfd_new_sealed("faults", 0, DATA, sizeof(DATA))));
	assert_memory_equal(fake.content, DATA, sizeof(DATA));
	assert_int_equal(fake.writes, sizeof(DATA));
	assert_int_equal(fake.seals & 0x0f, 0x0f);
}

static void interrupted_writes_go_on(void **state)
{
	(void)state;
	with_writes(interrupted);
	close_it(succeeds(memfd_new_sealed("faults", 0, DATA, sizeof(DATA))));
	assert_memory_equal(fake.content, DATA, sizeof(DATA));
	assert_int_equal(fake.writes, 3 * sizeof(DATA));
}

static void write_of_nothing_is_eio(void **state)
{
	(void)state;
	with_writes(nothing);
	fails_closed(memfd_new_sealed("faults", 0, DATA, sizeof(DATA)), EIO);
	assert_int_equal(fake.writes, 1);
	with_writes(stops_after_three);
	stops_with = 0;
	fails_closed(memfd_new_sealed("faults", 0, DATA, sizeof(DATA)), EIO);
	assert_int_equal(fake.writes, 4);
}

static void failing_write_is_the_error(void **state)
{
	static const int errors[] = { ENOSPC, ENOMEM, EFBIG, EFAULT,
				      EIO,    EPERM,  EAGAIN };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(errors); i++) {
		with_writes(stops_after_three);
		stops_with = errors[i];
		fails_closed(memfd_new_sealed("faults", 0, DATA, sizeof(DATA)),
			     errors[i]);
		assert_int_equal(fake.writes, 4);
		assert_int_equal(fake.seals & MEMFD_SEAL_WRITE, 0);
	}
}

static void failing_close_does_not_hide_the_error(void **state)
{
	(void)state;
	with_writes(stops_after_three);
	stops_with = ENOSPC;
	fake.close_errno = EINTR;
	fails_closed(memfd_new_sealed("faults", 0, DATA, sizeof(DATA)), ENOSPC);
}

/* Takes what Linux takes at most, without a look at the bytes. */
static ssize_t at_most(const char *data, size_t size, off64_t offset)
{
	static off64_t next;

	if (fake.writes == 1)
		next = 0;
	assert_true(offset == next);
	assert_true((uintptr_t)data ==
		    (uintptr_t)fake.content + (uintptr_t)offset);
	assert_true(size <= 0x7ffff000);
	next += (off64_t)size;
	return (ssize_t)size;
}

static void gigabytes_take_as_few_writes_as_can_be(void **state)
{
	(void)state;
	with_writes(at_most);
	close_it(succeeds(
		memfd_new_sealed("faults", 0, fake.content, 0x7ffff000UL)));
	assert_int_equal(fake.writes, 1);
	with_writes(at_most);
	close_it(succeeds(
		memfd_new_sealed("faults", 0, fake.content, 0x7ffff001UL)));
	assert_int_equal(fake.writes, 2);
	with_writes(at_most);
	close_it(succeeds(
		memfd_new_sealed("faults", 0, fake.content, 0xc0000000UL)));
	assert_int_equal(fake.writes, 2);
#if SIZE_MAX > 0xffffffff
	with_writes(at_most);
	close_it(succeeds(
		memfd_new_sealed("faults", 0, fake.content, 5UL << 30)));
	assert_int_equal(fake.writes, 3);
#endif
}

/* A thread with a cancellation pending comes to each cancellation point. */
struct call {
	int (*function)(void);
	int state, result, state_after;
};

static int succeeds_to_fill(void)
{
	with_writes(one_byte);
	return memfd_new_sealed("faults", 0, DATA, sizeof(DATA));
}

static int fails_to_fill(void)
{
	with_writes(stops_after_three);
	stops_with = ENOSPC;
	return memfd_new_sealed("faults", 0, DATA, sizeof(DATA));
}

static int fails_to_seal(void)
{
	with_writes(NULL);
	fake.add_seals_errno = EPERM;
	return memfd_new_sealed("faults", 0, DATA, sizeof(DATA));
}

static int fails_to_close_sealing(void)
{
	with_writes(NULL);
	fake.add_seals_errno = EPERM;
	return memfd_new("faults", 0);
}

static int fails_to_chmod(void)
{
	with_writes(NULL);
	fake.unknown_flags = BEFORE_EXEC_FLAGS;
	fake.chmod_errno = EPERM;
	return memfd_new("faults", 0);
}

static void *cancelled(void *arg)
{
	struct call *call = arg;

	pthread_setcancelstate(call->state, NULL);
	pthread_cancel(pthread_self());
	call->result = call->function();
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &call->state_after);
	pthread_testcancel();
	return NULL;
}

static void cancelled_thread_leaks_no_descriptor(void **state)
{
	static int (*const functions[])(
		void) = { succeeds_to_fill, fails_to_fill, fails_to_seal,
			  fails_to_close_sealing, fails_to_chmod };
	static const int states[] = { PTHREAD_CANCEL_ENABLE,
				      PTHREAD_CANCEL_DISABLE };
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(functions); i++)
		for (j = 0; j < COUNT(states); j++) {
			struct call call = { functions[i], states[j], -2, -2 };
			pthread_t thread;
			void *result;

			assert_int_equal(pthread_create(&thread, NULL,
							cancelled, &call),
					 0);
			assert_int_equal(pthread_join(thread, &result), 0);
			/* Neither lost on the way nor heard before the end. */
			assert_true(result == PTHREAD_CANCELED);
			assert_int_equal(call.state_after, call.state);
			if (functions[i] == succeeds_to_fill)
				close_it(call.result);
			else
				assert_int_equal(call.result, -1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(short_writes_go_on),
		promise(interrupted_writes_go_on),
		promise(write_of_nothing_is_eio),
		promise(failing_write_is_the_error),
		promise(failing_close_does_not_hide_the_error),
		promise(gigabytes_take_as_few_writes_as_can_be),
		promise(cancelled_thread_leaks_no_descriptor),
	};

	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
