/* SPDX-License-Identifier: MIT */

/*
 * Names to numbers and back: examples that show the grammar, and comparisons
 * with a second definition of it over all that small changes make of names.
 */

#include "unit.h"

#include <ctype.h>
#include <locale.h>

#include "../shared/grammar.h"

#define UNSET 0xdeadbeef

static int parse(const struct grammar *grammar, const char *str,
		 unsigned int *value, size_t *stop)
{
	errno = UNTOUCHED;
	return grammar == &flag_grammar ? memfd_parse_flags(str, value, stop)
					: memfd_parse_seals(str, value, stop);
}

/* The library makes of the string what the grammar says, in flags and seals. */
static void agrees(const char *str)
{
	static const struct grammar *const grammars[] = { &flag_grammar,
							  &seal_grammar };
	size_t i;

	for (i = 0; i < COUNT(grammars); i++) {
		unsigned int want, value = UNSET, again = UNSET;
		size_t want_stop, stop = UNSET;
		bool good = means(grammars[i], str, &want, &want_stop);
		int ret = parse(grammars[i], str, &value, &stop);

		if (!good)
			want = UNSET;
		if (ret != (good ? 0 : -1) ||
		    errno != (good ? UNTOUCHED : EINVAL) || value != want ||
		    stop != want_stop)
			fail_msg("\"%s\": %d, %s, 0x%x, stop %zu; "
				 "wanted 0x%x, stop %zu",
				 str, ret, strerror(errno), value, stop, want,
				 want_stop);
		if (parse(grammars[i], str, &again, NULL) != ret ||
		    again != value)
			fail_msg("\"%s\": differs without a stop", str);
	}
}

static const char *parser_of(const struct grammar *grammar)
{
	return grammar == &flag_grammar ? "memfd_parse_flags"
					: "memfd_parse_seals";
}

static void parses(const struct grammar *grammar, const char *str,
		   unsigned int want)
{
	unsigned int value = UNSET;
	size_t stop = UNSET;

	if (parse(grammar, str, &value, &stop) < 0 || value != want ||
	    stop != strlen(str))
		fail_msg("\"%s\": 0x%x, stop %zu; wanted 0x%x", str, value,
			 stop, want);
	saw(parser_of(grammar), 0);
	agrees(str);
}

static void refuses(const struct grammar *grammar, const char *str, size_t want)
{
	unsigned int value;
	size_t stop = UNSET;

	if (parse(grammar, str, &value, &stop) == 0 || stop != want)
		fail_msg("\"%s\": refused at %zu, wanted %zu", str, stop, want);
	saw(parser_of(grammar), errno);
	agrees(str);
}

static void flags_are_accepted(void **state)
{
	(void)state;
	parses(&flag_grammar, "", 0);
	parses(&flag_grammar, " ,|\t", 0);
	parses(&flag_grammar, "cloexec,allow-sealing,exec,huge-2mb",
	       0x54000017);
	parses(&flag_grammar, "Allow_Seals Huge-Table NOEXEC_SEAL", 0x0e);
	parses(&flag_grammar, "MFD_CLOEXEC | MFD_ALLOW_SEALING", 0x03);
	parses(&flag_grammar, "MFD_HUGETLB|MFD_HUGE_2MB", 0x54000004);
	parses(&flag_grammar, "MEMFD_HUGE_16GB|MEMFD_INHERIT\n", 0x8a000004);
	parses(&flag_grammar, ",,,|| \t\r\n,cloexec,|,|,   exec||", 0x11);
	parses(&flag_grammar, "exec|0x40", 0x50);
	parses(&flag_grammar, "0x2 0 exec", 0x12);
	parses(&flag_grammar, "huge-2mb,hugetlb,MFD_HUGE_2MB,0x54000004",
	       0x54000004);
}

static void seals_are_accepted(void **state)
{
	(void)state;
	parses(&seal_grammar, "", 0);
	parses(&seal_grammar, "\v\f", 0);
	parses(&seal_grammar, "seal,shrink,grow,write", 0x0f);
	parses(&seal_grammar, "F_SEAL_SEAL | F_SEAL_GROW\t|\tF_SEAL_WRITE",
	       0x0d);
	parses(&seal_grammar, "MEMFD_SEAL_IMMUTABLE,future_write", 0x1e);
	parses(&seal_grammar, "exec|0x40", 0x60);
	parses(&seal_grammar, "0x89abcdef", 0x89abcdef);
	parses(&seal_grammar, "0x00000001,0XABCDEF00", 0xabcdef01);
	/* Seals have no field of sizes. */
	parses(&seal_grammar, "0x80000000,0x78000000", 0xf8000000);
}

static void what_is_refused_is_refused_where_it_is(void **state)
{
	static const struct {
		const char *str;
		size_t stop;
	} refused[] = {
		{ "nope", 0 },
		{ ", |\tnope ", 4 },
		{ "exec,nope,exec", 5 },
		{ "exec|exec|0x1|0||?", 17 },
		/* Almost a name. */
		{ "exe", 0 },
		{ "execx", 0 },
		{ "exec;exec", 0 },
		{ "(exec)", 0 },
		{ "exec=1", 0 },
		{ "exec\xc2\xa0", 0 },
		/* Numbers are 0, or hexadecimal with one to eight digits. */
		{ "0,1", 2 },
		{ "00", 0 },
		{ "-1", 0 },
		{ "010", 0 },
		{ "0x", 0 },
		{ "0x-1", 0 },
		{ "0x1u", 0 },
		{ "0x000000001", 0 },
		{ "0xffffffff,0x100000000", 11 },
		/* A prefix belongs to a name, once, and not to a number. */
		{ "MFD_", 0 },
		{ "exec,MFD_ exec", 5 },
		{ "MFDEXEC", 0 },
		{ "MFD_MEMFD_EXEC", 0 },
		{ "MEMFD_SEAL_F_SEAL_EXEC", 0 },
		{ "MEMFD_0x10", 0 },
		{ "F_SEAL_0", 0 },
		{ "SEAL_EXEC", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(refused); i++) {
		refuses(&flag_grammar, refused[i].str, refused[i].stop);
		refuses(&seal_grammar, refused[i].str, refused[i].stop);
	}
}

static void flags_are_no_seals(void **state)
{
	(void)state;
	refuses(&seal_grammar, "seal,MFD_EXEC", 5);
	refuses(&seal_grammar, "MEMFD_EXEC", 0);
	refuses(&seal_grammar, "cloexec", 0);
	refuses(&flag_grammar, "cloexec,F_SEAL_EXEC", 8);
	refuses(&flag_grammar, "MEMFD_SEAL_EXEC", 0);
	refuses(&flag_grammar, "MFD_SEAL", 0);
}

static void two_huge_page_sizes_are_refused_at_the_second(void **state)
{
	(void)state;
	refuses(&flag_grammar, "huge-2mb,exec,huge-1gb", 14);
	refuses(&flag_grammar, "huge-2mb,0x04000000", 9);
	refuses(&flag_grammar, "0x04000000|huge-2mb,nope", 11);
	refuses(&flag_grammar, "0x80000000,0x78000000", 11);
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

static void null_flags_are_zero(void **state)
{
	unsigned int value = UNSET;
	size_t stop = UNSET;

	(void)state;
	assert_int_equal(succeeds(memfd_parse_flags(NULL, &value, &stop)), 0);
	assert_int_equal(value, 0);
	assert_int_equal(stop, 0);
	value = UNSET;
	assert_int_equal(succeeds(memfd_parse_flags(NULL, &value, NULL)), 0);
	assert_int_equal(value, 0);
}

static void null_seals_and_no_place_for_the_number_are_efault(void **state)
{
	unsigned int value = UNSET;
	size_t stop = 7;

	(void)state;
	fails(memfd_parse_seals(NULL, &value, &stop), EFAULT);
	fails(memfd_parse_seals(NULL, &value, NULL), EFAULT);
	fails(memfd_parse_seals("exec", NULL, &stop), EFAULT);
	fails(memfd_parse_seals(NULL, NULL, NULL), EFAULT);
	fails(memfd_parse_flags("exec", NULL, &stop), EFAULT);
	fails(memfd_parse_flags(NULL, NULL, NULL), EFAULT);
	assert_int_equal(value, UNSET);
	assert_int_equal(stop, 7);
}

static void long_strings_are_read_to_the_end(void **state)
{
	const size_t len = 300000;
	char *str = malloc(len + 1);

	(void)state;
	assert_non_null(str);
	memset(str, ',', len);
	str[len] = '\0';
	memcpy(str + len - 4, "exec", 4);
	parses(&flag_grammar, str, 0x10);
	memcpy(str + len - 4, "exex", 4);
	refuses(&flag_grammar, str, len - 4);
	memset(str, 'x', len);
	refuses(&seal_grammar, str, 0);
	free(str);
}

static void formats_as_documented(void **state)
{
	static const struct word formatted[] = {
		{ "", 0 },
		{ "future-write", 0x10 },
		{ "shrink,grow,write", 0x0e },
		{ "seal,shrink,grow,write,future-write,exec", 0x3f },
		{ "write,0x40", 0x48 },
		{ "0x80000000", 0x80000000 },
		{ "shrink,grow,0xabcdef00", 0xabcdef06 },
		{ "seal,shrink,grow,write,future-write,exec,0xffffffc0",
		  0xffffffff },
	};
	char buf[MEMFD_SEALS_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(formatted); i++) {
		int len = succeeds(memfd_format_seals(formatted[i].value, buf,
						      sizeof(buf)));

		assert_string_equal(buf, formatted[i].name);
		assert_int_equal(len, strlen(buf));
	}
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
	ret = memfd_format_seals(seals, size ? got + 1 : NULL, size);
	if (ret != (int)len || memcmp(got, want, sizeof(got)) != 0)
		fail_msg("0x%08x in %zu bytes: %d, \"%s\"; wanted \"%s\"",
			 seals, size, ret, got + 1, text);
}

static void each_text_is_cut_at_every_size(void **state)
{
	unsigned int seals;
	size_t size;

	(void)state;
	errno = UNTOUCHED;
	for (size = 0; size <= TEXT_MAX + 1; size++)
		for (seals = 0; seals < 0x200; seals++) {
			is_formatted(seals, size);
			is_formatted(seals << 23, size);
			is_formatted(~seals, size);
		}
	is_formatted(0xffffffff, SIZE_MAX);
	assert_int_equal(errno, UNTOUCHED);
}

static void comes_back(unsigned int seals)
{
	char buf[MEMFD_SEALS_STRLEN];
	unsigned int value = ~seals;

	is_formatted(seals, TEXT_MAX);
	if (memfd_format_seals(seals, buf, sizeof(buf)) < 0 ||
	    memfd_parse_seals(buf, &value, NULL) < 0 || value != seals)
		fail_msg("0x%08x: \"%s\", 0x%08x", seals, buf, value);
}

/* All that fill either half; the proofs have all others. */
static void formatted_seals_parse_to_the_same(void **state)
{
	unsigned int half;

	(void)state;
	errno = UNTOUCHED;
	for (half = 0; half <= 0xffff; half++) {
		comes_back(half);
		comes_back(half << 16);
		comes_back(~half);
	}
	assert_int_equal(errno, UNTOUCHED);
}

static void no_buffer_is_efault(void **state)
{
	(void)state;
	fails(memfd_format_seals(0, NULL, 1), EFAULT);
	fails(memfd_format_seals(0x3f, NULL, MEMFD_SEALS_STRLEN), EFAULT);
	fails(memfd_format_seals(0x3f, NULL, SIZE_MAX), EFAULT);
}

/* In Turkish the capital of 'i' is no 'I'. */
static void locale_has_no_say(void **state)
{
	static const char *const locales[] = { "tr_TR.UTF-8", "tr_TR.utf8",
					       "tr_TR" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(locales); i++)
		if (setlocale(LC_ALL, locales[i]))
			break;
	if (i == COUNT(locales))
		skip_because("no Turkish locale is installed");
	parses(&flag_grammar, "INHERIT", 0x02000000);
	parses(&seal_grammar, "F_SEAL_SHRINK|IMMUTABLE", 0x0e);
	refuses(&seal_grammar, "\xc4\xb0mmutable", 0);
	refuses(&seal_grammar, "shr\xc4\xb1nk", 0);
	is_formatted(0x12, TEXT_MAX);
	setlocale(LC_ALL, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(flags_are_accepted),
		promise(seals_are_accepted),
		promise(what_is_refused_is_refused_where_it_is),
		promise(flags_are_no_seals),
		promise(two_huge_page_sizes_are_refused_at_the_second),
		promise(all_strings_of_up_to_three_tokens),
		promise(all_that_differ_from_a_token_in_one_byte),
		promise(null_flags_are_zero),
		promise(null_seals_and_no_place_for_the_number_are_efault),
		promise(long_strings_are_read_to_the_end),
		promise(formats_as_documented),
		promise(each_text_is_cut_at_every_size),
		promise(formatted_seals_parse_to_the_same),
		promise(no_buffer_is_efault),
		promise(locale_has_no_say),
	};

	return cmocka_run_group_tests_name("names", tests, collect_tokens,
					   NULL);
}
