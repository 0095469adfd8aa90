/* SPDX-License-Identifier: MIT */

/* No function is a cancellation point: a thread gets its descriptor. */

#include "unit.h"

#include <pthread.h>

static int sealable, sealed;

static int new_succeeds(void)
{
	return memfd_new("cancel", 0);
}

static int new_fails(void)
{
	return memfd_new("cancel", MEMFD_CLOEXEC | MEMFD_INHERIT);
}

static int new_str_succeeds(void)
{
	return memfd_new_str("cancel", "allow-sealing");
}

static int new_sealed_succeeds(void)
{
	return memfd_new_sealed("cancel", 0, "x", 1);
}

static int new_sealed_fails_to_write(void)
{
	return memfd_new_sealed("cancel", 0, NULL, 1);
}

static int new_sealed_fails_to_create(void)
{
	return memfd_new_sealed(NULL, 0, "x", 1);
}

static int new_sealed_str_succeeds(void)
{
	return memfd_new_sealed_str("cancel", NULL, "x", 1);
}

static int new_sized_succeeds(void)
{
	return memfd_new_sized("cancel", 0, 1, MEMFD_SEAL_GROW);
}

static int new_sized_fails_to_size(void)
{
	return memfd_new_sized("cancel", MEMFD_HUGETLB, 1, 0);
}

static int new_sized_fails_to_seal(void)
{
	return memfd_new_sized("cancel", 0, 1, ~0U);
}

static int new_sized_str_succeeds(void)
{
	return memfd_new_sized_str("cancel", NULL, 1, "grow");
}

static int new_sealed_copy_succeeds(void)
{
	return memfd_new_sealed_copy("cancel", 0, sealed, 1);
}

static int new_sealed_copy_fails(void)
{
	return memfd_new_sealed_copy("cancel", 0, sealed, 0);
}

static int new_sealed_copy_str_succeeds(void)
{
	return memfd_new_sealed_copy_str("cancel", NULL, sealed, 1);
}

static int seal_succeeds(void)
{
	return memfd_seal(sealable, MEMFD_SEAL_GROW);
}

static int seal_fails(void)
{
	return memfd_seal(sealed, MEMFD_SEAL_GROW);
}

static int seal_str_succeeds(void)
{
	return memfd_seal_str(sealable, "shrink");
}

static int get_seals_succeeds(void)
{
	return memfd_get_seals(sealed);
}

static int get_seals_str_succeeds(void)
{
	return memfd_get_seals_str(sealed, NULL, 0);
}

static int check_seals_succeeds(void)
{
	return memfd_check_seals(sealed, MEMFD_SEAL_IMMUTABLE);
}

static int check_seals_str_fails(void)
{
	return memfd_check_seals_str(sealable, "write");
}

static int parse_flags_succeeds(void)
{
	unsigned int flags;

	return memfd_parse_flags("exec", &flags, NULL);
}

static int parse_seals_fails(void)
{
	unsigned int seals;

	return memfd_parse_seals("nope", &seals, NULL);
}

static int format_seals_succeeds(void)
{
	return memfd_format_seals(~0U, NULL, 0);
}

/* What a thread does once cancellation is pending, and whether it succeeds. */
static const struct call {
	const char *name;
	int (*function)(void);
	enum { FAILS, SUCCEEDS, OPENS } outcome;
} calls[] = {
	{ "new", new_succeeds, OPENS },
	{ "new, refused", new_fails, FAILS },
	{ "new_str", new_str_succeeds, OPENS },
	{ "new_sealed", new_sealed_succeeds, OPENS },
	{ "new_sealed, null data", new_sealed_fails_to_write, FAILS },
	{ "new_sealed, null name", new_sealed_fails_to_create, FAILS },
	{ "new_sealed_str", new_sealed_str_succeeds, OPENS },
	{ "new_sized", new_sized_succeeds, OPENS },
	{ "new_sized, not sized", new_sized_fails_to_size, FAILS },
	{ "new_sized, not sealed", new_sized_fails_to_seal, FAILS },
	{ "new_sized_str", new_sized_str_succeeds, OPENS },
	{ "new_sealed_copy", new_sealed_copy_succeeds, OPENS },
	{ "new_sealed_copy, refused", new_sealed_copy_fails, FAILS },
	{ "new_sealed_copy_str", new_sealed_copy_str_succeeds, OPENS },
	{ "seal", seal_succeeds, SUCCEEDS },
	{ "seal, refused", seal_fails, FAILS },
	{ "seal_str", seal_str_succeeds, SUCCEEDS },
	{ "get_seals", get_seals_succeeds, SUCCEEDS },
	{ "get_seals_str", get_seals_str_succeeds, SUCCEEDS },
	{ "check_seals", check_seals_succeeds, SUCCEEDS },
	{ "check_seals_str, refused", check_seals_str_fails, FAILS },
	{ "parse_flags", parse_flags_succeeds, SUCCEEDS },
	{ "parse_seals, refused", parse_seals_fails, FAILS },
	{ "format_seals", format_seals_succeeds, SUCCEEDS },
};

static int returned, state_after;

static void *cancelled(void *arg)
{
	const struct call *call = arg;

	pthread_cancel(pthread_self());
	returned = call->function();
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state_after);
	pthread_testcancel();
	return NULL;
}

static void cancelled_thread_returns_from_each_function(void **state)
{
	size_t i;

	(void)state;
	sealable = succeeds(memfd_new("cancel", MEMFD_ALLOW_SEALING));
	sealed = succeeds(memfd_new_sealed("cancel", 0, "x", 1));
	for (i = 0; i < COUNT(calls); i++) {
		struct call call = calls[i];
		pthread_t thread;
		void *result;

		returned = -2;
		assert_int_equal(
			pthread_create(&thread, NULL, cancelled, &call), 0);
		assert_int_equal(pthread_join(thread, &result), 0);
		print_message("  %s\n", call.name);
		assert_int_not_equal(returned, -2);
		assert_int_equal(returned >= 0, call.outcome != FAILS);
		assert_true(result == PTHREAD_CANCELED);
		assert_int_equal(state_after, PTHREAD_CANCEL_ENABLE);
		if (call.outcome == OPENS)
			close_it(returned);
	}
	close_it(sealable);
	close_it(sealed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(cancelled_thread_returns_from_each_function),
	};

	return run_twice("cancel", tests);
}
