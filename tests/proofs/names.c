/* SPDX-License-Identifier: MIT */

/* Proofs about src/names.c. README.md says what they prove together. */

#include "../../src/names.c"

#include <stdlib.h>

#include "../shared/any.h"
#include "../shared/grammar.h"

/* Of the words: memfd-seal-future-write. */
#define LONGEST 23

/*
 * A name of any length, at the end of an object that ends with the character
 * after it; of one that is longer than any that is accepted, the beginning.
 */
static const char *any_word(size_t len)
{
	static char object[LONGEST + 1];

	__CPROVER_havoc_object(object);
	ASSUME(len);
	for (size_t i = 0; i <= LONGEST; i++) {
		bool end = !object[i] || is_separator(object[i]);

		ASSUME(end == (i == LONGEST && len <= LONGEST));
	}
	return object + (len > LONGEST ? 0 : LONGEST - len);
}

static void word(const struct table *known, const struct grammar *grammar)
{
	size_t len = nondet_size_t();
	const char *s = any_word(len);
	unsigned int value, expected;
	bool good = parse_name(known, s, len, &value);

	CLAIM(good == named(grammar, s, len, &expected),
	      "case does not matter, _ is -, and the C prefixes may stay");
	CLAIM(!good || value == expected, "a name has the value of the table");
}

void flag_name(void)
{
	word(&flag_names, &flag_grammar);
}

void seal_name(void)
{
	word(&seal_names, &seal_grammar);
}

void hex(void)
{
	size_t len = nondet_size_t();
	const char *s = any_word(len);
	unsigned int value, expected;
	bool good = parse_number(s, len, &value);

	CLAIM(good == number(s, len, &expected),
	      "0, and 0x with one to eight hex digits, are numbers");
	CLAIM(!good || value == expected,
	      "a number has the value of its digits");
}

/* memfd_format_seals(): the text is what is put, piece by piece. */

/*
 * One piece, at any place of any buffer; one byte of that is watched. The
 * contract of the loop says what is true after each byte.
 */
static struct {
	char s[13];
	size_t len, at, byte;
	char before;
} piece;

void any_piece(void)
{
	size_t size = nondet_size_t(), ret;
	char *buf;

	piece.len = nondet_size_t();
	piece.at = nondet_size_t();
	piece.byte = nondet_size_t();
	__CPROVER_havoc_object(piece.s);
	ASSUME(piece.len < sizeof(piece.s));
	for (size_t n = 0; n < sizeof(piece.s); n++)
		ASSUME(n > piece.len || !piece.s[n] == (n == piece.len));
	ASSUME(piece.at <= PTRDIFF_MAX - sizeof(piece.s));
	ASSUME(piece.byte < size && size < PTRDIFF_MAX >> 8);
	buf = malloc(size);
	ASSUME(buf);
	piece.before = buf[piece.byte];
	ret = put(buf, size, piece.at, piece.s);
	CLAIM(ret == piece.at + piece.len, "a piece of text is counted whole");
	CLAIM(buf[piece.byte] == (piece.byte - piece.at < piece.len &&
						  piece.byte < size - 1
					  ? piece.s[piece.byte - piece.at]
					  : piece.before),
	      "of a piece what fits is written, and nothing else");
}

static struct {
	char *buf;
	size_t size, len, at;
	char text[TEXT_MAX];
	/* What the pieces so far are parsed to. */
	unsigned int parsed;
} format;

#define IN_ORDER                                                               \
	"the names in the order of the table, joined by commas, and what has " \
	"no name as one hex number at the end"

/* In put()'s place: whether the piece is the one that comes next. */
size_t next_piece(char *buf, size_t size, size_t at, const char *s)
{
	unsigned int value;
	size_t len = 0;

	CLAIM(buf == format.buf && size == format.size && at == format.at,
	      "each piece follows the one before");
	for (; s[len]; len++)
		CLAIM(at + len < format.len && s[len] == format.text[at + len],
		      IN_ORDER);
	format.at += len;
	if (!s[0] || (s[0] == ',' && !s[1]))
		return format.at;

	/* parse() takes it apart again at the commas. */
	for (size_t i = 0; i < len; i++)
		CLAIM(!is_separator(s[i]), "no name has a separator");
	CLAIM(parse_number(s, len, &value) ||
		      parse_name(&seal_names, s, len, &value),
	      "parsing what was formatted gives the number back");
	format.parsed |= value;
	return format.at;
}

void pieces(void)
{
	unsigned int seals = nondet_unsigned();
	size_t i = nondet_size_t();
	int saved = nondet_int();
	char before = 0;
	int ret;

	format.size = nondet_size_t();
	format.buf = nondet_bool() ? malloc(format.size) : NULL;
	format.len = text_of(seals, format.text);
	if (format.buf && i < format.size)
		before = format.buf[i];
	errno = saved;
	ret = memfd_format_seals(seals, format.buf, format.size);
	if (!format.buf && format.size) {
		CLAIM(ret == -1 && errno == EFAULT && !format.at,
		      "EFAULT if buf is null and size is not 0");
		return;
	}
	CLAIM(format.at == format.len, IN_ORDER);
	CLAIM(format.parsed == seals,
	      "parsing what was formatted gives the number back");
	CLAIM(ret >= 0 && (size_t)ret == format.len,
	      "it returns the length of the whole text without its null");
	CLAIM(ret <= 127, "MEMFD_SEALS_STRLEN bytes suffice");
	CLAIM(errno == saved, "success leaves errno as it was");
	if (i < format.size) {
		size_t end =
			format.len < format.size ? format.len : format.size - 1;

		CLAIM(format.buf[i] == (i == end ? '\0' : before),
		      "it always terminates the buffer unless size is 0");
	}
}

/*
 * A string of any length: where its names begin and end is what strspn() and
 * strcspn() say, and what they mean is any answer of parse_number() and
 * parse_name(), which are proven above.
 */
static struct {
	char *text;
	size_t len;
	const struct table *known;
	/* How far the separators, and the name after them, go. */
	size_t begin, end;
	/* It has been tried as a number and is none. */
	bool no_number;
	/* It is refused: as unknown, or as another size of huge pages. */
	bool unknown, other_size;
	unsigned int all;
} string;

#define IN_TURN "names are judged from the left, each once, up to the refused"
#define SEPARATED "names are separated by any run of commas, |, or white space"

static bool refused(void)
{
	return string.unknown || string.other_size;
}

static bool is_separators(const char *set)
{
	char c = (char)nondet_int();
	bool there = c == set[0] || c == set[1] || c == set[2] || c == set[3] ||
		     c == set[4] || c == set[5] || c == set[6] || c == set[7];

	return there == is_separator(c) && !set[8];
}

size_t strspn(const char *s, const char *set)
{
	size_t n = nondet_size_t();

	CLAIM(s == string.text + string.end && !refused(), IN_TURN);
	CLAIM(is_separators(set), SEPARATED);
	ASSUME(n <= string.len - string.end);
	string.begin = string.end + n;
	ASSUME(!is_separator(string.text[string.begin]));
	ASSUME(!string.text[string.begin] == (string.begin == string.len));
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = nondet_size_t();

	CLAIM(s == string.text + string.begin && !refused(), IN_TURN);
	CLAIM(is_separators(set), SEPARATED);
	ASSUME(n && n <= string.len - string.begin);
	string.end = string.begin + n;
	ASSUME(string.end == string.len ||
	       is_separator(string.text[string.end]));
	return n;
}

/* In the place of parse_number() and parse_name(). */

static int judge(const char *s, size_t len, unsigned int *value)
{
	CLAIM(s == string.text + string.begin && !refused() &&
		      len == string.end - string.begin,
	      IN_TURN);
	*value = nondet_unsigned();
	if (nondet_bool())
		return 0;
	if (string.known == &flag_names && string.all >> 26 && *value >> 26 &&
	    string.all >> 26 != *value >> 26)
		string.other_size = true;
	else
		string.all |= *value;
	return 1;
}

int any_number(const char *s, size_t len, unsigned int *value)
{
	int good = judge(s, len, value);

	string.no_number = !good;
	return good;
}

int any_name(const struct table *known, const char *s, size_t len,
	     unsigned int *value)
{
	int good = judge(s, len, value);

	CLAIM(known == string.known && string.no_number, IN_TURN);
	string.no_number = false;
	string.unknown = !good;
	return good;
}

static void names(const struct table *known)
{
	bool is_flags = known == &flag_names;
	unsigned int before = nondet_unsigned(), value = before;
	unsigned int *result = nondet_bool() ? &value : NULL;
	size_t before_stop = nondet_size_t(), stop = before_stop;
	size_t *end = nondet_bool() ? &stop : NULL;
	int saved = nondet_int();
	const char *s;
	int ret;

	/* Where loops have contracts, no object is 0 at first. */
	string.begin = string.end = 0;
	string.no_number = string.unknown = string.other_size = false;
	string.all = 0;
	string.known = known;
	string.len = nondet_size_t();
	ASSUME(string.len < PTRDIFF_MAX >> 8);
	string.text = malloc(string.len + 1);
	ASSUME(string.text);
	/* No flags are an empty string, which needs no proof. */
	s = is_flags || nondet_bool() ? string.text : NULL;
	errno = saved;
	ret = is_flags ? memfd_parse_flags(s, result, end)
		       : memfd_parse_seals(s, result, end);
	if (!s || !result) {
		CLAIM(ret == -1 && errno == EFAULT, "a null pointer is EFAULT");
		CLAIM(value == before && stop == before_stop,
		      "EFAULT leaves the outputs alone");
		return;
	}
	if (!refused()) {
		CLAIM(ret == 0 && string.begin == string.len,
		      "a string of known names is accepted");
		CLAIM(value == string.all,
		      "the result is all names or-ed together");
		CLAIM(stop == (end ? string.len : before_stop),
		      "on success *stop is the length of the string");
		CLAIM(errno == saved, "success leaves errno as it was");
		return;
	}
	if (string.unknown)
		CLAIM(ret == -1 && errno == EINVAL,
		      "an unknown name is EINVAL");
	else
		CLAIM(ret == -1 && errno == EINVAL,
		      "two different huge page sizes are EINVAL");
	CLAIM(stop == (end ? string.begin : before_stop),
	      "on failure *stop is the offset of the name that was refused");
	CLAIM(value == before, "on failure the output is untouched");
}

void any_flags(void)
{
	names(&flag_names);
}

void any_seals(void)
{
	names(&seal_names);
}
