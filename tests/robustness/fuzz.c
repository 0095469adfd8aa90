/* SPDX-License-Identifier: MIT */

/*
 * For libFuzzer: the input as a string of flags and of seals, and its first
 * bytes as a mask of seals and the size of a buffer, against the grammar. Each
 * string, and each buffer, ends where a page does that has none after it: one
 * byte too far is a crash.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "memfd.h"

#include "../shared/grammar.h"
#include "../shared/traces.h"

#define UNSET 0xa5a5a5a5
#define ROOM 65536

#define check(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "line %d: %s\n", __LINE__,             \
				#condition);                                   \
			abort();                                               \
		}                                                              \
	} while (0)

/* The end of ROOM bytes, after which a page cannot be touched. */
static char *fence(void)
{
	char *at = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(at != MAP_FAILED);
	check(mprotect(at + ROOM, 4096, PROT_NONE) == 0);
	return at + ROOM;
}

static void parses(const struct grammar *grammar, const char *str)
{
	unsigned int wanted, got = UNSET;
	size_t wanted_stop, stop;
	bool good = means(grammar, str, &wanted, &wanted_stop);

	errno = UNTOUCHED;
	check((grammar == &flag_grammar
		       ? memfd_parse_flags(str, &got, &stop)
		       : memfd_parse_seals(str, &got, &stop)) ==
	      (good ? 0 : -1));
	check(errno == (good ? UNTOUCHED : EINVAL));
	check(stop == wanted_stop);
	check(got == (good ? wanted : UNSET));
}

static void formats(unsigned int seals, char *end, size_t room)
{
	char whole[TEXT_MAX], *buf = end - room;
	size_t length = text_of(seals, whole);
	unsigned int back;

	memset(buf - 1, 0x7f, room + 1);
	errno = UNTOUCHED;
	check((size_t)memfd_format_seals(seals, buf, room) == length);
	check(errno == UNTOUCHED);
	check(buf[-1] == 0x7f);
	if (room) {
		size_t kept = length < room ? length : room - 1;

		check(memcmp(buf, whole, kept) == 0 && !buf[kept]);
		check(kept + 1 == room || buf[kept + 1] == 0x7f);
	}
	check(memfd_parse_seals(whole, &back, NULL) == 0 && back == seals);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *strings, *buffers;
	unsigned int seals = 0;
	char *str;

	if (!strings) {
		strings = fence();
		buffers = fence();
	}
	memcpy(&seals, data, size < 4 ? size : 4);
	formats(seals, buffers, size > 4 ? data[4] % (TEXT_MAX + 2) : 0);

	size = strnlen((const char *)data, size);
	if (size >= ROOM)
		return 0;
	str = strings - size - 1;
	memcpy(str, data, size);
	str[size] = '\0';
	parses(&flag_grammar, str);
	parses(&seal_grammar, str);
	return 0;
}
