/* SPDX-License-Identifier: MIT */

/* One `ok` line for each thing tried: https://testanything.org/ */

#ifndef TAP_H
#define TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "traces.h"

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3))) static inline void
ok(int passed, const char *format, ...)
{
	va_list args;

	printf("%sok %d - ", passed ? "" : "not ", ++tap_count);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	tap_failed += !passed;
}

/* A tool or a right that is missing: in CI that is a failure. */
static inline void skip(const char *what, const char *reason)
{
	const char *ci = getenv("CI");

	if (ci && !strcmp(ci, "true"))
		ok(0, "%s: %s", what, reason);
	else
		printf("ok %d - %s # SKIP %s\n", ++tap_count, what, reason);
	fflush(stdout);
}

/* What a test needs to begin at all. */
static inline void need(int good, const char *what)
{
	if (good)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static inline int done_testing(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed != 0;
}

#endif
