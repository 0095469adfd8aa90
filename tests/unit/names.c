/* SPDX-License-Identifier: MIT */

/*
 * Names to numbers and back: examples, and comparisons with a second definition
 * of the grammar over all that small changes make of names.
 */

#include "unit.h"

#include <ctype.h>

#include "../shared/grammar.h"

/* Where a parser has left the number alone, having refused the string. */
#define REFUSED 0xdeadbeef

static int parse(const struct grammar *grammar, const char *str,
		 unsigned int *value, size_t *stop)
{
	errno = UNTOUCHED;
	return grammar == &flag_grammar ? memfd_parse_flags(str, value, stop)
					: memfd_parse_seals(str, value, stop);
}

static void gives(const struct grammar *grammar, const char *str,
		  unsigned int want, size_t want_stop)
{
	unsigned int value = REFUSED, again = REFUSED;
	size_t stop = SIZE_MAX;
	int ret = parse(grammar, str, &value, &stop);

	if (ret != (want == REFUSED ? -1 : 0) ||
	    errno != (want == REFUSED ? EINVAL : UNTOUCHED) || value != want ||
	    stop != want_stop)
		fail_msg("\"%s\": %d, %s, 0x%x, stop %zu; "
			 "wanted 0x%x, stop %zu",
			 str, ret, strerror(errno), value, stop, want,
			 want_stop);
	if (parse(grammar, str, &again, NULL) != ret || again != value)
		fail_msg("\"%s\": differs without a stop", str);
}

/* The library makes of the string what the grammar says, in flags and seals. */
static void agrees(const char *str)
{
	static const struct grammar *const grammars[] = { &flag_grammar,
							  &seal_grammar };
	unsigned int want;
	size_t i, stop;

	for (i = 0; i < COUNT(grammars); i++) {
		bool good = means(grammars[i], str, &want, &stop);

		gives(grammars[i], str, good ? want : REFUSED, stop);
	}
}

static const struct {
	const struct grammar *grammar;
	const char *str;
	unsigned int value;
	size_t stop;
} examples[] = {
	{ &flag_grammar, "", 0, 0 },
	{ &flag_grammar, " ,|\t\n\v\f\r", 0, 8 },
	{ &flag_grammar, "cloexec,allow-sealing,exec,huge-2mb", 0x54000017,
	  35 },
	{ &flag_grammar, "MFD_CLOEXEC | MFD_ALLOW_SEALING", 0x03, 31 },
	{ &flag_grammar, "Allow_Seals Huge-Table MEMFD_NOEXEC_SEAL", 0x0e, 40 },
	{ &flag_grammar, ",,|| \t\r\n,exec|0x40,|,|,   inherit||", 0x02000050,
	  35 },
	{ &flag_grammar, "nope", REFUSED, 0 },
	{ &flag_grammar, "exec|exec|0x1|0||?", REFUSED, 17 },
	/* Almost a name, or a number. */
	{ &flag_grammar, "exec;exec", REFUSED, 0 },
	{ &flag_grammar, "exec\xc2\xa0", REFUSED, 0 },
	{ &flag_grammar, "cloexec,F_SEAL_EXEC", REFUSED, 8 },
	{ &flag_grammar, "0,1", REFUSED, 2 },
	{ &flag_grammar, "010", REFUSED, 0 },
	{ &flag_grammar, "0xffffffff,0x100000000", REFUSED, 11 },
	/* A prefix belongs to a name, once, and not to a number. */
	{ &flag_grammar, "exec,MFD_ exec", REFUSED, 5 },
	{ &flag_grammar, "MFD_MEMFD_EXEC", REFUSED, 0 },
	{ &flag_grammar, "MEMFD_0x10", REFUSED, 0 },
	/* Two sizes of huge pages. */
	{ &flag_grammar, "huge-2mb,hugetlb,MFD_HUGE_2MB,0x54000004", 0x54000004,
	  40 },
	{ &flag_grammar, "huge-2mb,exec,huge-1gb", REFUSED, 14 },
	{ &flag_grammar, "0x04000000|huge-2mb,nope", REFUSED, 11 },
	{ &seal_grammar, "F_SEAL_SEAL\t|\tMEMFD_SEAL_IMMUTABLE future_write",
	  0x1f, 47 },
	{ &seal_grammar, "0x00000001,0XABCDEF00", 0xabcdef01, 21 },
	/* No sizes. */
	{ &seal_grammar, "0x80000000,0x78000000", 0xf8000000, 21 },
	{ &seal_grammar, "seal,MFD_EXEC", REFUSED, 5 },
	{ &seal_grammar, "cloexec", REFUSED, 0 },
};

static void examples_give_these_numbers(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(examples); i++) {
		gives(examples[i].grammar, examples[i].str, examples[i].value,
		      examples[i].stop);
		agrees(examples[i].str);
	}
}

/*
 * What strings are made of here. The numbers hold the size of huge-2mb, a part
 * of it, and all sizes at once.
 */
static const char *const parts[] = {
	"mfd-", "memfd-",     "f-seal-",    "memfd-seal-", "0",	   "0x",
	"0x40", "0x54000000", "0x04000000", "0xffffffff",  "00",   "-",
	",",	"|",	      " ",	    "\t",	   "\n",   "\v",
	"\f",	"\r",	      " | ",	    "e",	   "\x80",
};
static const char *tokens[COUNT(parts) + COUNT(flag_words) + COUNT(seal_words)];
static size_t token_count;

static int collect_tokens(void **state)
{
	const struct word *word;

	(void)state;
	for (token_count = 0; token_count < COUNT(parts); token_count++)
		tokens[token_count] = parts[token_count];
	for (word = flag_words; word->name; word++)
		tokens[token_count++] = word->name;
	for (word = seal_words; word->name; word++)
		tokens[token_count++] = word->name;
	return 0;
}

/* Write the token as it is, in capitals with '_', or so at each other place. */
static void spell(char *str, const char *token, int way)
{
	size_t at;

	for (at = 0; token[at]; at++) {
		str[at] = token[at];
		if (way == 1 || (way == 2 && at % 2)) {
			str[at] = (char)toupper(str[at]);
			if (str[at] == '-')
				str[at] = '_';
		}
	}
	str[at] = '\0';
}

/* The first as it is, the second in capitals, the third in both. */
static void all_strings_of_up_to_three_tokens(void **state)
{
	char str[64];
	size_t i, j, k;

	(void)state;
	for (i = 0; i < token_count; i++) {
		char *second = str + strlen(tokens[i]);

		spell(str, tokens[i], 0);
		agrees(str);
		for (j = 0; j < token_count; j++) {
			char *third = second + strlen(tokens[j]);

			spell(second, tokens[j], 1);
			agrees(str);
			for (k = 0; k < token_count; k++) {
				spell(third, tokens[k], 2);
				agrees(str);
			}
		}
	}
}

/* As it is, cut off, continued, and with any byte in the place of another. */
static void differs_in_a_byte(const char *prefix, const char *token, int way)
{
	char plain[32], str[32];
	size_t len, at;
	int c;

	snprintf(plain, sizeof(plain), "%s%s", prefix, token);
	len = strlen(plain);
	for (at = 0; at <= len; at++) {
		spell(str, plain, way);
		str[len + 1] = '\0';
		for (c = 0; c < 256; c++) {
			str[at] = (char)c;
			agrees(str);
		}
	}
}

static void all_that_differ_from_a_token_in_one_byte(void **state)
{
	size_t i;
	int way;

	(void)state;
	for (i = 0; i < token_count; i++)
		differs_in_a_byte("", tokens[i], (int)i % 3);
	for (i = 0; i < 4; i++)
		for (way = 0; way < 3; way++)
			differs_in_a_byte(tokens[i], "exec", way);
	for (way = 0; way < 3; way++)
		differs_in_a_byte("0x", "89abcdef", way);
}

static void numbers_and_stops_are_left_alone_on_failure(void **state)
{
	unsigned int value = REFUSED;
	size_t stop = 7;

	(void)state;
	fails(memfd_parse_seals(NULL, &value, &stop), EFAULT);
	fails(memfd_parse_seals(NULL, &value, NULL), EFAULT);
	fails(memfd_parse_seals("exec", NULL, &stop), EFAULT);
	fails(memfd_parse_flags("exec", NULL, &stop), EFAULT);
	fails(memfd_parse_seals("nope", &value, NULL), EINVAL);
	fails(memfd_parse_flags("nope", &value, NULL), EINVAL);
	assert_int_equal(value, REFUSED);
	assert_int_equal(stop, 7);
	succeeds(memfd_parse_flags(NULL, &value, &stop));
	assert_int_equal(value, 0);
	assert_int_equal(stop, 0);
	succeeds(memfd_parse_seals("exec", &value, NULL));
	assert_int_equal(value, 0x20);
}

/* As far as there is room, terminated, and with nothing around it touched. */
static void is_formatted(unsigned int seals, size_t size)
{
	char text[TEXT_MAX], want[TEXT_MAX + 3], got[TEXT_MAX + 3];
	size_t len = text_of(seals, text);
	int ret;

	memset(want, '#', sizeof(want));
	memset(got, '#', sizeof(got));
	if (size) {
		size_t kept = len < size ? len : size - 1;

		memcpy(want + 1, text, kept);
		want[1 + kept] = '\0';
	}
	errno = UNTOUCHED;
	ret = memfd_format_seals(seals, size ? got + 1 : NULL, size);
	if (ret != (int)len || errno != UNTOUCHED ||
	    memcmp(got, want, sizeof(got)) != 0)
		fail_msg("0x%08x in %zu bytes: %d, \"%s\"; wanted \"%s\"",
			 seals, size, ret, got + 1, text);
	/* And back. */
	gives(&seal_grammar, text, seals, len);
}

static void each_text_is_cut_at_every_size(void **state)
{
	unsigned int seals;
	size_t size;

	(void)state;
	for (size = 0; size <= TEXT_MAX + 1; size++)
		for (seals = 0; seals < 0x200; seals++) {
			is_formatted(seals, size);
			is_formatted(seals << 12, size);
			is_formatted(seals << 23, size);
			is_formatted(~seals, size);
		}
	is_formatted(0xffffffff, SIZE_MAX);
}

static void formats_into_a_buffer_only(void **state)
{
	char buf[MEMFD_SEALS_STRLEN];

	(void)state;
	assert_int_equal(succeeds(memfd_format_seals(0x48, buf, sizeof(buf))),
			 10);
	assert_string_equal(buf, "write,0x40");
	fails(memfd_format_seals(0, NULL, 1), EFAULT);
	fails(memfd_format_seals(0x3f, NULL, SIZE_MAX), EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(examples_give_these_numbers),
		promise(all_strings_of_up_to_three_tokens),
		promise(all_that_differ_from_a_token_in_one_byte),
		promise(numbers_and_stops_are_left_alone_on_failure),
		promise(each_text_is_cut_at_every_size),
		promise(formats_into_a_buffer_only),
	};

	return cmocka_run_group_tests_name("names", tests, collect_tokens,
					   NULL);
}
