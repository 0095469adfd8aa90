/* SPDX-License-Identifier: MIT */

/*
 * No function is a cancellation point: a thread whose cancellation is pending
 * comes back from each, with what it opened, and still can be cancelled.
 */

#include "unit.h"

#include <pthread.h>

#include "../shared/calls.h"

static const struct call *at;
static size_t right;

/* It must not assert by itself; to check closes, which may be cancelled. */
static void *cancelled(void *arg)
{
	int state;

	pthread_cancel(pthread_self());
	for (at = calls; at < calls + CALLS; at++) {
		int result;

		errno = UNTOUCHED;
		result = at->function();
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
		if (!is_right(at, result) || state != PTHREAD_CANCEL_ENABLE)
			break;
		right++;
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	}
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	return arg;
}

static void cancelled_thread_returns_from_each_function(void **state)
{
	pthread_t thread;
	void *result;

	(void)state;
	right = 0;
	if (access("/proc/self", F_OK) < 0)
		skip_because("/proc is not mounted");
	assert_true(open_files());
	assert_int_equal(pthread_create(&thread, NULL, cancelled, NULL), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_true(result == PTHREAD_CANCELED);
	if (right < CALLS)
		fail_msg("%s: is a cancellation point, or goes wrong",
			 at->name);
	close_it(target);
	close_it(source);
	close_it(reluctant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(cancelled_thread_returns_from_each_function),
	};

	return cmocka_run_group_tests_name("cancel", tests, NULL, NULL);
}
