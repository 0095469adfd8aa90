/* SPDX-License-Identifier: MIT */

/* A call of each function, to be interrupted or cancelled. */

#ifndef CALLS_H
#define CALLS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "memfd.h"

#include "traces.h"

static const char data[] = "some bytes";
/* A memfd to ask and seal; to copy with sendfile(2), and by reading. */
static int target, source, reluctant;

/* Returns whether all of them are there. */
static inline int open_files(void)
{
	target = memfd_new("target", MEMFD_ALLOW_SEALING);
	source = memfd_new_sealed("source", 0, data, sizeof(data));
	reluctant = open("/proc/self/personality", O_RDONLY | O_CLOEXEC);
	return target >= 0 && memfd_seal(target, MEMFD_SEAL_GROW) == 0 &&
	       source >= 0 && reluctant >= 0;
}

static inline int flags_of(const char *names)
{
	unsigned int flags;

	return memfd_parse_flags(names, &flags, NULL) < 0 ? -1 : (int)flags;
}

static inline int there_and_back(unsigned int seals)
{
	char buf[MEMFD_SEALS_STRLEN];

	memfd_format_seals(seals, buf, sizeof(buf));
	return memfd_parse_seals(buf, &seals, NULL) < 0 ? -1 : (int)seals;
}

static inline int has_by_name(int fd, unsigned int seal)
{
	char buf[MEMFD_SEALS_STRLEN];
	unsigned int seals = 0;

	if (memfd_get_seals_str(fd, buf, sizeof(buf)) < 0)
		return -1;
	return memfd_parse_seals(buf, &seals, NULL) == 0 && seals & seal;
}

/*
 * With at most so many instructions of its own (by gcc on x86-64; those of libc
 * do not count), it opens a memfd with these seals, returns this, or fails with
 * this errno.
 */
#define EVERY_CALL(CALL)                                                       \
	CALL(new, 50, OPENS, 0x01, memfd_new("calls", 0))                      \
	CALL(sealable, 50, OPENS, 0, memfd_new("calls", MEMFD_ALLOW_SEALING))  \
	CALL(no_name, 50, FAILS, EFAULT, memfd_new(NULL, 0))                   \
	CALL(new_str, 420, OPENS, 0, memfd_new_str("calls", "allow-sealing"))  \
	CALL(sized, 120, OPENS, 0x03, memfd_new_sized("calls", 0, 9, 0x03))    \
	CALL(sized_str, 800, OPENS, 0x04,                                      \
	     memfd_new_sized_str("calls", "cloexec", 9, "grow"))               \
	CALL(sealed, 160, OPENS, 0x0f,                                         \
	     memfd_new_sealed("calls", 0, data, sizeof(data)))                 \
	CALL(sealed_str, 480, OPENS, 0x0f,                                     \
	     memfd_new_sealed_str("calls", "cloexec", data, sizeof(data)))     \
	/* Made, filled in vain, and closed. */                                \
	CALL(unreadable, 160, FAILS, EFAULT,                                   \
	     memfd_new_sealed("calls", 0, (void *)8, 8))                       \
	CALL(copy, 170, OPENS, 0x0f,                                           \
	     memfd_new_sealed_copy("calls", 0, source, SIZE_MAX))              \
	CALL(copy_str, 280, OPENS, 0x0f,                                       \
	     memfd_new_sealed_copy_str("calls", "", source, sizeof(data)))     \
	CALL(copy_by_reading, 210, OPENS, 0x0f,                                \
	     memfd_new_sealed_copy("calls", 0, reluctant, SIZE_MAX))           \
	CALL(seal, 15, RETURNS, 0, memfd_seal(target, MEMFD_SEAL_GROW))        \
	CALL(seal_str, 400, RETURNS, 0, memfd_seal_str(target, "F_SEAL_GROW")) \
	CALL(get_seals, 25, RETURNS, 0x04, memfd_get_seals(target) & 0x0f)     \
	CALL(get_seals_str, 800, RETURNS, 1, has_by_name(target, 0x04))        \
	CALL(check, 45, FAILS, EPERM, memfd_check_seals(target, 0x02))         \
	CALL(check_str, 400, RETURNS, 0,                                       \
	     memfd_check_seals_str(target, "grow"))                            \
	CALL(parse, 1200, RETURNS, 0x54000014, flags_of("MFD_HUGE_2MB|exec"))  \
	CALL(format, 700, RETURNS, 0x48, there_and_back(0x48))

#define FUNCTION(label, most, outcome, value, expression)                      \
	static int call_##label(void)                                          \
	{                                                                      \
		return expression;                                             \
	}
EVERY_CALL(FUNCTION)

static const struct call {
	const char *name;
	int (*function)(void);
	enum { OPENS, RETURNS, FAILS } outcome;
	int value;
} calls[] = {
#define ENTRY(label, most, outcome, value, expression)                         \
	{ #expression, call_##label, outcome, value },
	EVERY_CALL(ENTRY)
};

#define CALLS (sizeof(calls) / sizeof(calls[0]))

/* What the call returned, having been made with errno UNTOUCHED. */
static inline int is_right(const struct call *call, int returned)
{
	int good = errno == (call->outcome == FAILS ? call->value : UNTOUCHED);

	if (call->outcome == FAILS)
		return good && returned == -1;
	if (call->outcome == RETURNS)
		return good && returned == call->value;
	if (returned < 0)
		return 0;
	good = good && (memfd_get_seals(returned) & 0x0f) == call->value;
	return close(returned) == 0 && good;
}

static inline int goes_right(const struct call *call)
{
	errno = UNTOUCHED;
	return is_right(call, call->function());
}

#endif
