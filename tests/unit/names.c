/* SPDX-License-Identifier: MIT */

/* Names to numbers and back. */

#include "unit.h"

#include <ctype.h>
#include <locale.h>

#define UNSET 0xdeadbeef

typedef int parse_function(const char *str, unsigned int *value, size_t *end);

static void parses(parse_function *parse, const char *str, unsigned int want)
{
	unsigned int value = UNSET;
	size_t end = UNSET;

	assert_int_equal(succeeds(parse(str, &value, &end)), 0);
	if (value != want || end != strlen(str))
		fail_msg("\"%s\": 0x%x, end %zu; wanted 0x%x", str, value, end,
			 want);
	value = UNSET;
	assert_int_equal(succeeds(parse(str, &value, NULL)), 0);
	assert_int_equal(value, want);
}

static void refuses(parse_function *parse, const char *str, size_t want)
{
	unsigned int value = UNSET;
	size_t end = UNSET;

	fails(parse(str, &value, &end), EINVAL);
	if (end != want)
		fail_msg("\"%s\": refused at %zu, wanted %zu", str, end, want);
	fails(parse(str, &value, NULL), EINVAL);
	assert_int_equal(value, UNSET);
}

struct named {
	const char *name;
	unsigned int value;
};

static const struct named flag_names[] = {
	{ "cloexec", 0x0001 },	      { "allow-sealing", 0x0002 },
	{ "allow-seals", 0x0002 },    { "hugetlb", 0x0004 },
	{ "huge-table", 0x0004 },     { "noexec-seal", 0x0008 },
	{ "exec", 0x0010 },	      { "inherit", 0x02000000 },
	{ "huge-64kb", 0x40000004 },  { "huge-512kb", 0x4c000004 },
	{ "huge-1mb", 0x50000004 },   { "huge-2mb", 0x54000004 },
	{ "huge-8mb", 0x5c000004 },   { "huge-16mb", 0x60000004 },
	{ "huge-32mb", 0x64000004 },  { "huge-256mb", 0x70000004 },
	{ "huge-512mb", 0x74000004 }, { "huge-1gb", 0x78000004 },
	{ "huge-2gb", 0x7c000004 },   { "huge-16gb", 0x88000004 },
};

static const struct named seal_names[] = {
	{ "seal", 0x01 },	  { "shrink", 0x02 }, { "grow", 0x04 },
	{ "write", 0x08 },	  { "exec", 0x20 },   { "immutable", 0x0e },
	{ "future-write", 0x10 },
};

/* Lower, upper and mixed case, each with '-', '_' and both in turn. */
static void every_spelling(parse_function *parse, const char *prefix,
			   const struct named *named)
{
	char plain[32], str[32];
	int letters, hyphens;
	size_t i;

	snprintf(plain, sizeof(plain), "%s%s", prefix, named->name);
	for (letters = 0; letters < 3; letters++)
		for (hyphens = 0; hyphens < 3; hyphens++) {
			for (i = 0; i <= strlen(plain); i++) {
				char c = plain[i];

				if (letters == 1 || (letters == 2 && i % 2))
					c = (char)toupper(c);
				if (c == '-' &&
				    (hyphens == 1 || (hyphens == 2 && i % 2)))
					c = '_';
				str[i] = c;
			}
			parses(parse, str, named->value);
		}
}

static void every_spelling_of_a_flag(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(flag_names); i++) {
		every_spelling(memfd_parse_flags, "", &flag_names[i]);
		every_spelling(memfd_parse_flags, "mfd-", &flag_names[i]);
		every_spelling(memfd_parse_flags, "memfd-", &flag_names[i]);
	}
}

static void every_spelling_of_a_seal(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(seal_names); i++) {
		every_spelling(memfd_parse_seals, "", &seal_names[i]);
		every_spelling(memfd_parse_seals, "f-seal-", &seal_names[i]);
		every_spelling(memfd_parse_seals, "memfd-seal-",
			       &seal_names[i]);
	}
}

static void pasted_expressions(void **state)
{
	(void)state;
	parses(memfd_parse_flags, "MFD_CLOEXEC | MFD_ALLOW_SEALING", 0x03);
	parses(memfd_parse_flags, "MFD_CLOEXEC|MFD_ALLOW_SEALING", 0x03);
	parses(memfd_parse_flags, "MFD_HUGETLB | MFD_HUGE_2MB", 0x54000004);
	parses(memfd_parse_flags, "MEMFD_HUGE_16GB|MEMFD_INHERIT\n",
	       0x8a000004);
	parses(memfd_parse_seals, "F_SEAL_SEAL | F_SEAL_GROW\t|\tF_SEAL_WRITE",
	       0x0d);
	parses(memfd_parse_seals, "MEMFD_SEAL_IMMUTABLE | MEMFD_SEAL_SEAL",
	       0x0f);
}

static void each_separator_and_runs_of_them(void **state)
{
	static const char separators[] = ",| \t\n\v\f\r";
	char str[64];
	const char *one, *two;

	(void)state;
	for (one = separators; *one; one++) {
		snprintf(str, sizeof(str), "cloexec%cexec", *one);
		parses(memfd_parse_flags, str, 0x11);
		snprintf(str, sizeof(str), "%cseal%cgrow%c", *one, *one, *one);
		parses(memfd_parse_seals, str, 0x05);
		snprintf(str, sizeof(str), "%c", *one);
		parses(memfd_parse_flags, str, 0);
		parses(memfd_parse_seals, str, 0);
		for (two = separators; *two; two++) {
			snprintf(str, sizeof(str), "%c%cexec%c%cexec%c%c", *one,
				 *two, *two, *one, *one, *two);
			parses(memfd_parse_flags, str, 0x10);
			parses(memfd_parse_seals, str, 0x20);
			strcat(str, "!");
			refuses(memfd_parse_flags, str, 14);
			refuses(memfd_parse_seals, str, 14);
		}
	}
	parses(memfd_parse_flags, ",,,|| \t\r\n,cloexec,|,|,   exec||", 0x11);
}

static void no_other_byte_separates(void **state)
{
	char flags[] = "exec?cloexec", seals[] = "exec?seal";
	int c;

	(void)state;
	for (c = 1; c < 256; c++) {
		if (strchr(",| \t\n\v\f\r", c))
			continue;
		flags[4] = seals[4] = (char)c;
		refuses(memfd_parse_flags, flags, 0);
		refuses(memfd_parse_seals, seals, 0);
	}
}

/* Nor does a byte over 127 count as the one below it. */
static void bytes_over_127_are_no_letters(void **state)
{
	static const char *const names[] = { "exec", "0x1f", "F_SEAL_SEAL" };
	char str[16];
	size_t i, at;

	(void)state;
	for (i = 0; i < COUNT(names); i++)
		for (at = 0; names[i][at]; at++) {
			strcpy(str, names[i]);
			str[at] = (char)(str[at] | 0x80);
			refuses(memfd_parse_seals, str, 0);
			refuses(memfd_parse_flags, str, 0);
		}
}

static void empty_is_zero(void **state)
{
	(void)state;
	parses(memfd_parse_flags, "", 0);
	parses(memfd_parse_seals, "", 0);
}

static void numbers(void **state)
{
	static const struct named numbers[] = {
		{ "0", 0 },
		{ "0,0", 0 },
		{ "0x0", 0 },
		{ "0x00000000", 0 },
		{ "0X1f", 0x1f },
		{ "0x1F,0X20", 0x3f },
		{ "0x00000001", 1 },
		{ "0xabcdef", 0xabcdef },
		{ "0xABCDEF", 0xabcdef },
		{ "0x01234567", 0x01234567 },
		{ "0x89abcdef", 0x89abcdef },
		{ "0xffffffff", 0xffffffff },
		{ "0xFFFFFFFF", 0xffffffff },
		{ "0x80000000", 0x80000000 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(numbers); i++) {
		parses(memfd_parse_flags, numbers[i].name, numbers[i].value);
		parses(memfd_parse_seals, numbers[i].name, numbers[i].value);
	}
	parses(memfd_parse_flags, "exec|0x40", 0x50);
	parses(memfd_parse_seals, "exec|0x40", 0x60);
	parses(memfd_parse_flags, "0x2 0 exec", 0x12);
}

/* In flags and in seals alike. */
static void refused_in_both(void **state)
{
	static const struct {
		const char *str;
		size_t end;
	} refused[] = {
		{ "nope", 0 },
		{ " nope", 1 },
		{ ", |\tnope ", 4 },
		{ "exec,nope", 5 },
		{ "exec,nope,exec", 5 },
		{ "exec nope more", 5 },
		{ "exec|exec|0x1|0||?", 17 },
		/* Numbers. */
		{ "00", 0 },
		{ "0x", 0 },
		{ "0X", 0 },
		{ "0 0x", 2 },
		{ "0x123456789", 0 },
		{ "0x000000001", 0 },
		{ "0xg", 0 },
		{ "0x1g", 0 },
		{ "0x-1", 0 },
		{ "0x_1", 0 },
		{ "0x1-", 0 },
		{ "0x1u", 0 },
		{ "0x 1", 0 },
		{ "0xx1", 0 },
		{ "x1", 0 },
		{ "1", 0 },
		{ "8", 0 },
		{ "16", 0 },
		{ "010", 0 },
		{ "-1", 0 },
		{ "+0", 0 },
		{ "-0x1", 0 },
		{ "0,1", 2 },
		{ "0b1", 0 },
		{ "0xffffffff,0x100000000", 11 },
		/* Almost a name. */
		{ "exe", 0 },
		{ "execx", 0 },
		{ "exec-", 0 },
		{ "exec_", 0 },
		{ "-exec", 0 },
		{ "_exec", 0 },
		{ "e", 0 },
		{ "exec\xc2\xa0", 0 },
		{ "\xff", 0 },
		{ "exec;", 0 },
		{ "exec;exec", 0 },
		{ "exec+exec", 0 },
		{ "(exec)", 0 },
		{ "~exec", 0 },
		{ "!exec", 0 },
		{ "exec=1", 0 },
		{ "exec,\"exec\"", 5 },
		/* A prefix belongs to a name, once. */
		{ "MFD_", 0 },
		{ "mfd-", 0 },
		{ "MEMFD_", 0 },
		{ "MEMFD", 0 },
		{ "F_SEAL_", 0 },
		{ "f-seal-", 0 },
		{ "MEMFD_SEAL_", 0 },
		{ "exec,MFD_", 5 },
		{ "MFD_ exec", 0 },
		{ "F_SEAL_ exec", 0 },
		{ "MFD_MFD_EXEC", 0 },
		{ "MFD_MEMFD_EXEC", 0 },
		{ "MEMFD_MFD_EXEC", 0 },
		{ "MEMFD_MEMFD_EXEC", 0 },
		{ "F_SEAL_F_SEAL_EXEC", 0 },
		{ "F_SEAL_MEMFD_SEAL_EXEC", 0 },
		{ "MEMFD_SEAL_F_SEAL_EXEC", 0 },
		{ "MFD_F_SEAL_EXEC", 0 },
		{ "MFDEXEC", 0 },
		{ "MFD__EXEC", 0 },
		{ "F_SEALEXEC", 0 },
		{ "MFD_0x1", 0 },
		{ "MFD_0", 0 },
		{ "MEMFD_0x10", 0 },
		{ "F_SEAL_0x1", 0 },
		{ "MEMFD_SEAL_0", 0 },
		{ "SEAL_EXEC", 0 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(refused); i++) {
		refuses(memfd_parse_flags, refused[i].str, refused[i].end);
		refuses(memfd_parse_seals, refused[i].str, refused[i].end);
	}
}

static void every_beginning_of_a_name_is_refused(void **state)
{
	char str[32];
	size_t i, len;

	(void)state;
	for (i = 0; i < COUNT(flag_names); i++)
		for (len = strlen(flag_names[i].name); len; len--) {
			snprintf(str, sizeof(str), "%sx", flag_names[i].name);
			refuses(memfd_parse_flags, str, 0);
			str[len - 1] = '\0';
			if (len > 1)
				refuses(memfd_parse_flags, str, 0);
		}
	for (i = 0; i < COUNT(seal_names); i++)
		for (len = strlen(seal_names[i].name); len > 1; len--) {
			snprintf(str, sizeof(str), "%s", seal_names[i].name);
			str[len - 1] = '\0';
			refuses(memfd_parse_seals, str, 0);
		}
}

static void seals_are_no_flags(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(seal_names); i++)
		if (strcmp(seal_names[i].name, "exec") != 0)
			refuses(memfd_parse_flags, seal_names[i].name, 0);
	refuses(memfd_parse_flags, "cloexec,F_SEAL_EXEC", 8);
	refuses(memfd_parse_flags, "MEMFD_SEAL_EXEC", 0);
	refuses(memfd_parse_flags, "MFD_SEAL", 0);
}

static void flags_are_no_seals(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(flag_names); i++)
		if (strcmp(flag_names[i].name, "exec") != 0)
			refuses(memfd_parse_seals, flag_names[i].name, 0);
	refuses(memfd_parse_seals, "seal,MFD_EXEC", 5);
	refuses(memfd_parse_seals, "MEMFD_EXEC", 0);
	refuses(memfd_parse_seals, "F_SEAL_CLOEXEC", 0);
}

static void two_huge_page_sizes_are_refused_at_the_second(void **state)
{
	char str[64];
	size_t i, j;

	(void)state;
	for (i = 8; i < COUNT(flag_names); i++)
		for (j = 8; j < COUNT(flag_names); j++) {
			unsigned int one = flag_names[i].value;
			unsigned int two = flag_names[j].value;

			snprintf(str, sizeof(str), "%s,exec,%s",
				 flag_names[i].name, flag_names[j].name);
			if (i == j)
				parses(memfd_parse_flags, str, one | 0x10);
			else
				refuses(memfd_parse_flags, str,
					strlen(flag_names[i].name) + 6);
			snprintf(str, sizeof(str), "0x%08x|%s", one,
				 flag_names[j].name);
			if (i == j)
				parses(memfd_parse_flags, str, one);
			else
				refuses(memfd_parse_flags, str, 11);
			snprintf(str, sizeof(str), "0x%08x 0x%08x nope", one,
				 two & ~4U);
			refuses(memfd_parse_flags, str, i == j ? 22 : 11);
		}
	parses(memfd_parse_flags, "cloexec,allow-sealing,exec,huge-2mb",
	       0x54000017);
	parses(memfd_parse_flags, "huge-2mb,hugetlb,MFD_HUGE_2MB,0x54000004",
	       0x54000004);
	refuses(memfd_parse_flags, "huge-2mb,0x04000000", 9);
	refuses(memfd_parse_flags, "0x04000000,huge-2mb", 11);
	refuses(memfd_parse_flags, "0x80000000,0x78000000", 11);
	/* Seals have no such field. */
	parses(memfd_parse_seals, "0x80000000,0x78000000", 0xf8000000);
}

static void null_flags_are_zero(void **state)
{
	unsigned int value = UNSET;
	size_t end = UNSET;

	(void)state;
	assert_int_equal(succeeds(memfd_parse_flags(NULL, &value, &end)), 0);
	assert_int_equal(value, 0);
	assert_int_equal(end, 0);
	value = UNSET;
	assert_int_equal(succeeds(memfd_parse_flags(NULL, &value, NULL)), 0);
	assert_int_equal(value, 0);
}

static void null_seals_are_efault(void **state)
{
	unsigned int value = UNSET;
	size_t end = 7;

	(void)state;
	fails(memfd_parse_seals(NULL, &value, &end), EFAULT);
	fails(memfd_parse_seals(NULL, &value, NULL), EFAULT);
	assert_int_equal(value, UNSET);
	assert_int_equal(end, 7);
}

static void nowhere_to_put_the_number_is_efault(void **state)
{
	size_t end = 7;

	(void)state;
	fails(memfd_parse_flags("exec", NULL, &end), EFAULT);
	fails(memfd_parse_flags(NULL, NULL, NULL), EFAULT);
	fails(memfd_parse_seals("exec", NULL, &end), EFAULT);
	fails(memfd_parse_seals(NULL, NULL, NULL), EFAULT);
	assert_int_equal(end, 7);
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
	parses(memfd_parse_flags, str, 0x10);
	memcpy(str + len - 4, "exex", 4);
	refuses(memfd_parse_flags, str, len - 4);
	memset(str, 'x', len);
	refuses(memfd_parse_seals, str, 0);
	free(str);
}

static void formats_as_documented(void **state)
{
	static const struct named formatted[] = {
		{ "", 0 },
		{ "seal", 0x01 },
		{ "shrink", 0x02 },
		{ "grow", 0x04 },
		{ "write", 0x08 },
		{ "future-write", 0x10 },
		{ "exec", 0x20 },
		{ "shrink,grow,write", 0x0e },
		{ "seal,shrink,grow,write", 0x0f },
		{ "seal,shrink,grow,write,future-write,exec", 0x3f },
		{ "write,0x40", 0x48 },
		{ "0x40", 0x40 },
		{ "0x80000000", 0x80000000 },
		{ "shrink,grow,0xabcdef00", 0xabcdef06 },
		{ "0xffffffc0", 0xffffffc0 },
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

static void truncates_at_every_size(void **state)
{
	static const unsigned int values[] = { 0,    0x01,	 0x3f,
					       0x48, 0x80000000, 0xffffffff };
	char whole[MEMFD_SEALS_STRLEN], room[1 + MEMFD_SEALS_STRLEN],
		*buf = room + 1;
	size_t i, size;

	(void)state;
	for (i = 0; i < COUNT(values); i++) {
		int len = memfd_format_seals(values[i], whole, sizeof(whole));

		assert_int_equal(
			succeeds(memfd_format_seals(values[i], NULL, 0)), len);
		for (size = 0; size <= (size_t)len + 3; size++) {
			size_t at, fits = size <= (size_t)len ? size
							      : (size_t)len + 1;

			memset(room, '#', sizeof(room));
			assert_int_equal(succeeds(memfd_format_seals(
						 values[i], buf, size)),
					 len);
			assert_int_equal(room[0], '#');
			for (at = 0; at < MEMFD_SEALS_STRLEN; at++)
				if (at + 1 < fits)
					assert_int_equal(buf[at], whole[at]);
				else
					assert_int_equal(buf[at],
							 at + 1 == fits ? '\0'
									: '#');
		}
	}
}

static void no_buffer_is_efault(void **state)
{
	(void)state;
	fails(memfd_format_seals(0, NULL, 1), EFAULT);
	fails(memfd_format_seals(0x3f, NULL, MEMFD_SEALS_STRLEN), EFAULT);
	fails(memfd_format_seals(0x3f, NULL, SIZE_MAX), EFAULT);
}

/* Without succeeds and parses, which would take most of the time. */
static void comes_back(unsigned int seals)
{
	char buf[MEMFD_SEALS_STRLEN];
	unsigned int value = ~seals;
	int len = memfd_format_seals(seals, buf, sizeof(buf));

	if (len < 0 || len >= MEMFD_SEALS_STRLEN || buf[len] ||
	    memfd_parse_seals(buf, &value, NULL) < 0 || value != seals)
		fail_msg("0x%08x: %d, \"%s\", 0x%08x", seals, len, buf, value);
}

static void formatted_seals_parse_to_the_same(void **state)
{
	uint32_t seed = 0x2545f491, x = seed;
	unsigned int i;

	(void)state;
	errno = UNTOUCHED;
	for (i = 0; i <= 0xffff; i++) {
		comes_back(i);
		comes_back(i << 16);
		comes_back(~i);
	}
	print_message("  a million numbers of xorshift32, seed 0x%08x\n",
		      (unsigned int)seed);
	for (i = 0; i < 1000000; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		comes_back(x);
	}
	assert_int_equal(errno, UNTOUCHED);
}

/* In Turkish the capital of 'i' is no 'I'. */
static void locale_has_no_say(void **state)
{
	static const char *const locales[] = { "tr_TR.UTF-8", "tr_TR.utf8",
					       "tr_TR" };
	char buf[MEMFD_SEALS_STRLEN];
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(locales); i++)
		if (setlocale(LC_ALL, locales[i]))
			break;
	if (i == COUNT(locales))
		skip_because("no Turkish locale is installed");
	parses(memfd_parse_flags, "INHERIT", 0x02000000);
	parses(memfd_parse_seals, "F_SEAL_SHRINK|IMMUTABLE", 0x0e);
	refuses(memfd_parse_seals, "\xc4\xb0mmutable", 0);
	refuses(memfd_parse_seals, "shr\xc4\xb1nk", 0);
	assert_int_equal(memfd_format_seals(0x12, buf, sizeof(buf)), 19);
	assert_string_equal(buf, "shrink,future-write");
	setlocale(LC_ALL, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(every_spelling_of_a_flag),
		promise(every_spelling_of_a_seal),
		promise(pasted_expressions),
		promise(each_separator_and_runs_of_them),
		promise(no_other_byte_separates),
		promise(bytes_over_127_are_no_letters),
		promise(empty_is_zero),
		promise(numbers),
		promise(refused_in_both),
		promise(every_beginning_of_a_name_is_refused),
		promise(seals_are_no_flags),
		promise(flags_are_no_seals),
		promise(two_huge_page_sizes_are_refused_at_the_second),
		promise(null_flags_are_zero),
		promise(null_seals_are_efault),
		promise(nowhere_to_put_the_number_is_efault),
		promise(long_strings_are_read_to_the_end),
		promise(formats_as_documented),
		promise(truncates_at_every_size),
		promise(no_buffer_is_efault),
		promise(formatted_seals_parse_to_the_same),
		promise(locale_has_no_say),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
