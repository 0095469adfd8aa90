/* SPDX-License-Identifier: MIT */

/*
 * The grammar of names, written down a second time, from the contract and with
 * its numbers: src/names.c, include/memfd.h and libc are not used. The proofs,
 * the unit tests and the fuzzer compare the library with it, and the fuzzer
 * takes its dictionary from the strings.
 */

#ifndef GRAMMAR_H
#define GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

struct word {
	const char *name;
	unsigned int value;
};

static const struct word flag_words[] = {
	{ "cloexec", 0x0001 },
	{ "allow-sealing", 0x0002 },
	{ "allow-seals", 0x0002 },
	{ "hugetlb", 0x0004 },
	{ "huge-table", 0x0004 },
	{ "noexec-seal", 0x0008 },
	{ "exec", 0x0010 },
	{ "inherit", 0x02000000 },
	{ "huge-64kb", 16U << 26 | 4 },
	{ "huge-512kb", 19U << 26 | 4 },
	{ "huge-1mb", 20U << 26 | 4 },
	{ "huge-2mb", 21U << 26 | 4 },
	{ "huge-8mb", 23U << 26 | 4 },
	{ "huge-16mb", 24U << 26 | 4 },
	{ "huge-32mb", 25U << 26 | 4 },
	{ "huge-256mb", 28U << 26 | 4 },
	{ "huge-512mb", 29U << 26 | 4 },
	{ "huge-1gb", 30U << 26 | 4 },
	{ "huge-2gb", 31U << 26 | 4 },
	{ "huge-16gb", 34U << 26 | 4 },
	{ NULL, 0 },
};

/* Those of one bit are printed. */
static const struct word seal_words[] = {
	{ "seal", 0x01 },	  { "shrink", 0x02 },
	{ "grow", 0x04 },	  { "write", 0x08 },
	{ "future-write", 0x10 }, { "exec", 0x20 },
	{ "immutable", 0x0e },	  { NULL, 0 },
};

struct grammar {
	const char *prefix[3];
	const struct word *words;
};

static const struct grammar flag_grammar = {
	{ "", "mfd-", "memfd-" },
	flag_words,
};
static const struct grammar seal_grammar = {
	{ "", "f-seal-", "memfd-seal-" },
	seal_words,
};

static inline bool is_separator(char c)
{
	return c == ',' || c == '|' || c == ' ' || (c >= 9 && c <= 13);
}

/* Whether two characters are the same in a name; b is as the list has it. */
static inline bool same(char a, char b)
{
	return a == b || (b >= 'a' && b <= 'z' && a == b - 32) ||
	       (b == '-' && a == '_');
}

/* Whether the characters are the word, after a prefix. */
static inline bool spells(const char *s, size_t len, const char *prefix,
			  const char *word)
{
	size_t n = 0;

	for (; *prefix; prefix++, n++)
		if (n >= len || !same(s[n], *prefix))
			return false;
	for (; *word; word++, n++)
		if (n >= len || !same(s[n], *word))
			return false;
	return n == len;
}

static inline bool digit(char c, unsigned int *value)
{
	if (c >= '0' && c <= '9')
		*value = (unsigned int)(c - '0');
	else if (c >= 'A' && c <= 'F')
		*value = (unsigned int)(c - 'A') + 10;
	else if (c >= 'a' && c <= 'f')
		*value = (unsigned int)(c - 'a') + 10;
	else
		return false;
	return true;
}

static inline bool number(const char *s, size_t len, unsigned int *value)
{
	unsigned long all = 0;

	if (len == 1 && s[0] == '0') {
		*value = 0;
		return true;
	}
	if (len < 3 || len > 10 || s[0] != '0' || (s[1] != 'x' && s[1] != 'X'))
		return false;
	for (size_t i = 2; i < len; i++) {
		unsigned int one;

		if (!digit(s[i], &one))
			return false;
		all = all * 16 + one;
	}
	*value = (unsigned int)all;
	return true;
}

static inline bool named(const struct grammar *grammar, const char *s,
			 size_t len, unsigned int *value)
{
	for (const struct word *word = grammar->words; word->name; word++)
		for (int i = 0; i < 3; i++)
			if (spells(s, len, grammar->prefix[i], word->name)) {
				*value = word->value;
				return true;
			}
	return false;
}

/*
 * Whether a string is accepted, and the number that it stands for. *stop is its
 * length then, and otherwise the offset of the first name that is refused.
 */
static inline bool means(const struct grammar *grammar, const char *s,
			 unsigned int *value, size_t *stop)
{
	size_t at = 0;

	*value = 0;
	while (s[at]) {
		size_t len = 0;
		unsigned int one;

		while (s[at + len] && !is_separator(s[at + len]))
			len++;
		*stop = at;
		if (!len) {
			at++;
			continue;
		}
		if (!number(s + at, len, &one) &&
		    !named(grammar, s + at, len, &one))
			return false;
		/* Two different sizes of huge pages. */
		if (grammar == &flag_grammar && *value >> 26 && one >> 26 &&
		    *value >> 26 != one >> 26)
			return false;
		*value |= one;
		at += len;
	}
	*stop = at;
	return true;
}

/* The longest text, with its null byte. */
#define TEXT_MAX sizeof("seal,shrink,grow,write,future-write,exec,0xffffffc0")

/* The text of seals, and its length. */
static inline size_t text_of(unsigned int seals, char text[TEXT_MAX])
{
	size_t len = 0;

	for (const struct word *word = seal_words; word->name; word++) {
		if (!(seals & word->value) || word->value & (word->value - 1))
			continue;
		seals &= ~word->value;
		if (len)
			text[len++] = ',';
		for (const char *name = word->name; *name; name++)
			text[len++] = *name;
	}
	if (seals) {
		int shift = 28;

		if (len)
			text[len++] = ',';
		text[len++] = '0';
		text[len++] = 'x';
		while (!(seals >> shift))
			shift -= 4;
		for (; shift >= 0; shift -= 4)
			text[len++] = "0123456789abcdef"[seals >> shift & 0xf];
	}
	text[len] = '\0';
	return len;
}

#endif
