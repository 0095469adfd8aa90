/* SPDX-License-Identifier: MIT */

/*
 * For libFuzzer: the conversions, and the functions over them, hold to what the
 * manual says of any string. Each string is put at the end of a page with none
 * after it, and so is each buffer: one byte too far is a crash. What a string
 * means is asked of a second parser that shares nothing with the first.
 *
 * Built with -DTARGET=FLAGS, SEALS or FORMAT.
 */

#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memfd.h"

#include "../unit/traces.h"

#define PATTERN 0xa5a5a5a5
#define ROOM 65536

#define check(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			fprintf(stderr, "line %d: %s\n", __LINE__,             \
				#condition);                                   \
			abort();                                               \
		}                                                              \
	} while (0)

/* ROOM bytes, then a page that cannot be touched. */
static char *fence(void)
{
	char *at = mmap(NULL, ROOM + 4096, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(at != MAP_FAILED);
	check(mprotect(at + ROOM, 4096, PROT_NONE) == 0);
	return at + ROOM;
}

static char *end_of_strings, *end_of_buffers;

/* The oracle: words cut out and compared whole, without regard for speed. */

struct word {
	const char *name;
	unsigned int value;
};

static const struct word flag_words[] = { { "cloexec", 1 },
					  { "allow_sealing", 2 },
					  { "allow_seals", 2 },
					  { "hugetlb", 4 },
					  { "huge_table", 4 },
					  { "noexec_seal", 8 },
					  { "exec", 16 },
					  { "inherit", 0x02000000 },
					  { "huge_64kb", 0x40000004 },
					  { "huge_512kb", 0x4c000004 },
					  { "huge_1mb", 0x50000004 },
					  { "huge_2mb", 0x54000004 },
					  { "huge_8mb", 0x5c000004 },
					  { "huge_16mb", 0x60000004 },
					  { "huge_32mb", 0x64000004 },
					  { "huge_256mb", 0x70000004 },
					  { "huge_512mb", 0x74000004 },
					  { "huge_1gb", 0x78000004 },
					  { "huge_2gb", 0x7c000004 },
					  { "huge_16gb", 0x88000004 },
					  { NULL, 0 } };

static const struct word seal_words[] = {
	{ "seal", 1 },		{ "shrink", 2 },
	{ "grow", 4 },		{ "write", 8 },
	{ "future_write", 16 }, { "exec", 32 },
	{ "immutable", 14 },	{ NULL, 0 }
};

static int word_value(const struct word *words, const char *const *prefixes,
		      char *word, unsigned int *value)
{
	size_t i, length = strlen(word);

	for (i = 0; i < length; i++)
		if (word[i] == '-')
			word[i] = '_';
	if (strcmp(word, "0") == 0) {
		*value = 0;
		return 1;
	}
	if (strncasecmp(word, "0x", 2) == 0) {
		if (length < 3 || length > 10 ||
		    strspn(word + 2, "0123456789abcdefABCDEF") != length - 2)
			return 0;
		*value = (unsigned int)strtoul(word, NULL, 16);
		return 1;
	}
	for (i = 0; i < 2; i++)
		if (strncasecmp(word, prefixes[i], strlen(prefixes[i])) == 0) {
			word += strlen(prefixes[i]);
			break;
		}
	for (; words->name; words++)
		if (strcasecmp(word, words->name) == 0) {
			*value = words->value;
			return 1;
		}
	return 0;
}

/* 1, or 0 and where the word is that is refused. */
static int oracle(int flags, const char *str, unsigned int *value, size_t *end)
{
	static const char *const of_flags[] = { "MFD_", "MEMFD_" };
	static const char *const of_seals[] = { "F_SEAL_", "MEMFD_SEAL_" };
	char *copy = strdup(str), *at = copy, *word;
	unsigned int one;
	int good = 1;

	check(copy);
	*value = 0;
	*end = strlen(str);
	while (good && (word = strsep(&at, ",| \t\n\v\f\r"))) {
		size_t offset = (size_t)(word - copy);

		if (!*word)
			continue;
		good = word_value(flags ? flag_words : seal_words,
				  flags ? of_flags : of_seals, word, &one);
		if (flags && good && *value >> 26 && one >> 26 &&
		    *value >> 26 != one >> 26)
			good = 0;
		if (good)
			*value |= one;
		else
			*end = offset;
	}
	free(copy);
	return good;
}

/* memfd_parse_flags or memfd_parse_seals, against the oracle. */
static int parses(int flags, const char *str, unsigned int *value)
{
	int (*parse)(const char *, unsigned int *, size_t *) =
		flags ? memfd_parse_flags : memfd_parse_seals;
	unsigned int wanted, got = PATTERN, again = PATTERN;
	size_t wanted_end, end = 12345;
	int good = oracle(flags, str, &wanted, &wanted_end);

	errno = UNTOUCHED;
	check(parse(str, &got, &end) == (good ? 0 : -1));
	check(errno == (good ? UNTOUCHED : EINVAL));
	check(end == wanted_end);
	check(got == (good ? wanted : PATTERN));
	check(good ? str[end] == '\0'
		   : str[end] && !strchr(",| \t\n\v\f\r", str[end]));
	/* The same without an end, and the same again. */
	check(parse(str, &again, NULL) == (good ? 0 : -1) && again == got);
	errno = UNTOUCHED;
	check(parse(str, NULL, &end) == -1 && errno == EFAULT);
	*value = got;
	return good;
}

static int next_descriptor(void)
{
	int fd = dup(2);

	close(fd);
	return fd;
}

/* What a _str function says is what its number says. */
static void agree(int named, int named_errno, int plain, int plain_errno)
{
	check(named >= -1 && plain >= -1);
	check((named < 0) == (plain < 0) && named_errno == plain_errno);
}

static void fuzz_flags(const char *str)
{
	unsigned int flags;
	int good = parses(1, str, &flags);
	int before = next_descriptor(), named, named_errno, plain;

	errno = UNTOUCHED;
	named = memfd_new_str("fuzz", str);
	named_errno = errno;
	if (!good) {
		check(named == -1 && named_errno == EINVAL);
		check(memfd_new_sealed_str("fuzz", str, "x", 1) == -1 &&
		      errno == EINVAL);
		check(memfd_new_sealed_copy_str("fuzz", str, -1, 1) == -1 &&
		      errno == EINVAL);
		check(memfd_new_sized_str("fuzz", str, 1, "grow") == -1 &&
		      errno == EINVAL);
		check(next_descriptor() == before);
		return;
	}
	errno = UNTOUCHED;
	plain = memfd_new("fuzz", flags);
	agree(named, named_errno, plain, errno);
	if (named >= 0) {
		check(memfd_get_seals(named) == memfd_get_seals(plain));
		check(fcntl(named, F_GETFD) == fcntl(plain, F_GETFD));
		close(named);
		close(plain);
	}
	errno = UNTOUCHED;
	named = memfd_new_sealed_str("fuzz", str, "x", 1);
	named_errno = errno;
	errno = UNTOUCHED;
	plain = memfd_new_sealed("fuzz", flags, "x", 1);
	agree(named, named_errno, plain, errno);
	if (named >= 0) {
		check(memfd_check_seals(named, MEMFD_SEAL_IMMUTABLE) == 0);
		close(named);
		close(plain);
	}
	/* No file to copy: made with these flags, or refused like any other. */
	errno = UNTOUCHED;
	named = memfd_new_sealed_copy_str("fuzz", str, -1, 1);
	named_errno = errno;
	errno = UNTOUCHED;
	plain = memfd_new_sealed_copy("fuzz", flags, -1, 1);
	agree(named, named_errno, plain, errno);
	check(next_descriptor() == before);
}

static void fuzz_seals(const char *str)
{
	unsigned int seals;
	int good = parses(0, str, &seals);
	int named, named_errno, plain, fd;

	/* A string without a name is refused by what takes seals by name. */
	good = good && str[strspn(str, ",| \t\n\v\f\r")];
	/* The names are judged first: there is no such descriptor. */
	check(memfd_seal_str(-1, str) == -1 &&
	      errno == (good ? EBADF : EINVAL));
	errno = UNTOUCHED;
	named = memfd_new_sized_str("fuzz", NULL, 4096, str);
	named_errno = errno;
	if (good) {
		errno = UNTOUCHED;
		plain = memfd_new_sized("fuzz", 0, 4096, seals);
		agree(named, named_errno, plain, errno);
	} else {
		check(named == -1 && named_errno == EINVAL);
	}
	if (named >= 0) {
		check(memfd_get_seals(named) == memfd_get_seals(plain));
		close(named);
		close(plain);
	}
	check(memfd_check_seals_str(-1, str) == -1 &&
	      errno == (good && seals ? EBADF : EINVAL));
	fd = memfd_new("fuzz", MEMFD_ALLOW_SEALING);
	check(fd >= 0);
	plain = memfd_get_seals(fd);
	errno = UNTOUCHED;
	named = memfd_seal_str(fd, str);
	named_errno = errno;
	if (good) {
		int other = memfd_new("fuzz", MEMFD_ALLOW_SEALING);

		errno = UNTOUCHED;
		plain = memfd_seal(other, seals);
		agree(named, named_errno, plain, errno);
		check(memfd_get_seals(fd) == memfd_get_seals(other));
		close(other);
	} else {
		check(named == -1 && named_errno == EINVAL);
		check(memfd_get_seals(fd) == plain);
	}
	if (good) {
		errno = UNTOUCHED;
		named = memfd_check_seals_str(fd, str);
		named_errno = errno;
		errno = UNTOUCHED;
		plain = memfd_check_seals(fd, seals);
		agree(named, named_errno, plain, errno);
	}
	close(fd);
}

static void fuzz_format(const uint8_t *data, size_t size)
{
	char whole[MEMFD_SEALS_STRLEN], *buf, *word, *rest;
	unsigned int seals = 0, back;
	size_t length, room = 0, end;
	int was = 0;

	memcpy(&seals, data, size < 4 ? size : 4);
	if (size > 4)
		room = data[4] % (MEMFD_SEALS_STRLEN + 1);

	errno = UNTOUCHED;
	length = (size_t)memfd_format_seals(seals, NULL, 0);
	check(errno == UNTOUCHED && length < MEMFD_SEALS_STRLEN);
	check((size_t)memfd_format_seals(seals, whole, sizeof(whole)) ==
	      length);
	check(strlen(whole) == length);
	check(errno == UNTOUCHED);

	/* Cut where the room ends, terminated, and not a byte beyond. */
	buf = end_of_buffers - room;
	memset(end_of_buffers - ROOM, 0x7f, ROOM);
	check((size_t)memfd_format_seals(seals, buf, room) == length);
	check(buf[-1] == 0x7f);
	if (room) {
		size_t kept = length < room ? length : room - 1;

		check(strncmp(buf, whole, kept) == 0 && !buf[kept]);
		check(kept + 1 == room || buf[kept + 1] == 0x7f);
	}

	/* Read back it is the same, and so is what that is written as. */
	check(memfd_parse_seals(whole, &back, &end) == 0);
	check(back == seals && end == length);

	/* Names in the order of the table, then one number at the most. */
	for (rest = whole; length && (word = strsep(&rest, ","));) {
		int i;

		check(*word && was < 7);
		for (i = 0; i < 6; i++) {
			char name[16];

			strcpy(name, seal_words[i].name);
			if (strchr(name, '_'))
				*strchr(name, '_') = '-';
			if (strcmp(word, name) == 0)
				break;
		}
		check(i >= was);
		if (i == 6)
			check(strncmp(word, "0x", 2) == 0 && word[2] != '0' &&
			      !rest);
		was = i + 1;
	}
	/* Of a memfd, too. */
	if (seals & ~0x3fU || !(seals & MEMFD_SEAL_EXEC))
		return;
	end = (size_t)memfd_new("fuzz", MEMFD_NOEXEC_SEAL);
	if ((int)end < 0)
		return;
	check(memfd_seal((int)end, seals) == 0);
	check((size_t)memfd_get_seals_str((int)end, buf, room) == length);
	close((int)end);
}

#define FLAGS 1
#define SEALS 2
#define FORMAT 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *str;

	if (!end_of_strings) {
		end_of_strings = fence();
		end_of_buffers = fence();
	}
	if (TARGET == FORMAT) {
		fuzz_format(data, size);
		return 0;
	}
	size = strnlen((const char *)data, size);
	if (size >= ROOM)
		return 0;
	str = end_of_strings - size - 1;
	memcpy(str, data, size);
	str[size] = '\0';
	if (TARGET == FLAGS)
		fuzz_flags(str);
	else
		fuzz_seals(str);
	return 0;
}
