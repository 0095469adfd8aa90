/* SPDX-License-Identifier: MIT */

/*
 * No function is a cancellation point: a thread whose cancellation is pending
 * comes back from each, with what it opened, and still can be cancelled.
 */

#include "unit.h"

#include <pthread.h>

enum outcome { FAILS, SUCCEEDS, OPENS };

/* What the thread calls, and what came of it: it must not assert by itself. */
static struct call {
	const char *text;
	enum outcome wanted;
	int result, cancellable;
} calls[32];

static size_t count;

static void called(int result)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	calls[count].result = result;
	calls[count].cancellable = state == PTHREAD_CANCEL_ENABLE;
	count++;
}

/* If it is a cancellation point, this is the last that is noted. */
#define CALL(wanted, function)                                                 \
	(calls[count] = (struct call){ #function, wanted, -2, 0 },             \
	 called(function))

static void *cancelled(void *arg)
{
	const unsigned int both = MEMFD_CLOEXEC | MEMFD_INHERIT;
	/* On the stack, ASan would still guard it when the thread ends. */
	static unsigned int number;
	int sealed = *(int *)arg;
	int fd;

	pthread_cancel(pthread_self());
	CALL(OPENS, memfd_new("cancel", MEMFD_ALLOW_SEALING));
	fd = calls[0].result;
	CALL(OPENS, memfd_new_str("cancel", "inherit"));
	CALL(FAILS, memfd_new("cancel", both));
	CALL(OPENS, memfd_new_sized("cancel", 0, 1, MEMFD_SEAL_GROW));
	CALL(OPENS, memfd_new_sized_str("cancel", NULL, 1, "grow"));
	CALL(FAILS, memfd_new_sized("cancel", MEMFD_HUGETLB, 1, 0));
	CALL(FAILS, memfd_new_sized("cancel", 0, 1, ~0U));
	CALL(OPENS, memfd_new_sealed("cancel", 0, "x", 1));
	CALL(OPENS, memfd_new_sealed_str("cancel", NULL, "x", 1));
	CALL(OPENS, memfd_new_sealed_copy("cancel", 0, sealed, 1));
	CALL(OPENS, memfd_new_sealed_copy_str("cancel", NULL, sealed, 1));
	CALL(FAILS, memfd_new_sealed_copy("cancel", 0, sealed, 0));
	CALL(SUCCEEDS, memfd_seal(fd, MEMFD_SEAL_GROW));
	CALL(SUCCEEDS, memfd_seal_str(fd, "shrink"));
	CALL(FAILS, memfd_seal(sealed, MEMFD_SEAL_GROW));
	CALL(SUCCEEDS, memfd_get_seals(sealed));
	CALL(SUCCEEDS, memfd_get_seals_str(sealed, NULL, 0));
	CALL(SUCCEEDS, memfd_check_seals(sealed, MEMFD_SEAL_IMMUTABLE));
	CALL(FAILS, memfd_check_seals_str(fd, "write"));
	CALL(SUCCEEDS, memfd_parse_flags("exec", &number, NULL));
	CALL(FAILS, memfd_parse_seals("nope", &number, NULL));
	CALL(SUCCEEDS, memfd_format_seals(~0U, NULL, 0));
	pthread_testcancel();
	return NULL;
}

static void cancelled_thread_returns_from_each_function(void **state)
{
	int sealed = succeeds(memfd_new_sealed("cancel", 0, "x", 1));
	pthread_t thread;
	void *result;
	size_t i;

	(void)state;
	count = 0;
	assert_int_equal(pthread_create(&thread, NULL, cancelled, &sealed), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_true(result == PTHREAD_CANCELED);
	if (calls[count].text)
		fail_msg("%s: is a cancellation point", calls[count].text);
	for (i = 0; i < count; i++) {
		print_message("  %s\n", calls[i].text);
		assert_int_equal(calls[i].result >= 0,
				 calls[i].wanted != FAILS);
		assert_true(calls[i].cancellable);
		if (calls[i].wanted == OPENS)
			close_it(calls[i].result);
	}
	close_it(sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(cancelled_thread_returns_from_each_function),
	};

	return run_twice("cancel", tests);
}
