/* SPDX-License-Identifier: MIT */

/* Proofs about src/names.c. README.md says what they prove together. */

#include "../../src/names.c"

#include <stdlib.h>

#include "../shared/any.h"
#include "../shared/grammar.h"

/* Of the words: memfd-seal-future-write. */
#define LONGEST 23

/* What libc does, as C11 defines it. */

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

#ifndef ANY_LENGTH

static bool among(char c, const char *set)
{
	for (size_t i = 0; set[i]; i++)
		if (set[i] == c)
			return true;
	return false;
}

size_t strspn(const char *s, const char *set)
{
	size_t n = 0;

	while (among(s[n], set))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && !among(s[n], set))
		n++;
	return n;
}

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

/* A whole string, of up to this many bytes. */
#ifndef BYTES
#define BYTES 4
#endif

static void text(const struct grammar *grammar)
{
	static char object[BYTES + 1];
	size_t at = nondet_size_t(), before_stop = nondet_size_t();
	size_t stop = before_stop, wanted_stop;
	unsigned int before = nondet_unsigned(), value = before, wanted;
	int saved = nondet_int();
	const char *s;
	unsigned int *result = nondet_bool() ? &value : NULL;
	bool tell = nondet_bool(), good;

	__CPROVER_havoc_object(object);
	ASSUME(at <= BYTES);
	for (size_t i = 0; i <= BYTES; i++)
		ASSUME(!object[i] == (i == BYTES));
	s = nondet_bool() ? object + at : NULL;
	errno = saved;
	good = (grammar == &flag_grammar
			? memfd_parse_flags(s, result, tell ? &stop : NULL)
			: memfd_parse_seals(s, result, tell ? &stop : NULL)) ==
	       0;
	if (!result || (!s && grammar == &seal_grammar)) {
		CLAIM(!good && errno == EFAULT,
		      "a null pointer is EFAULT, but 0 for flags");
		CLAIM(value == before && stop == before_stop,
		      "EFAULT leaves the outputs alone");
		return;
	}
	CLAIM(good == means(grammar, s ? s : "", &wanted, &wanted_stop),
	      "a string is accepted if the grammar has it");
	CLAIM(stop == (tell ? wanted_stop : before_stop),
	      "*stop is the offset of the first name that is refused, or the "
	      "length");
	CLAIM(value == (good ? wanted : before),
	      "the result is that of the grammar, or untouched");
	CLAIM(errno == (good ? saved : EINVAL),
	      "an unknown name is EINVAL, and success leaves errno as it was");
}

void flags(void)
{
	text(&flag_grammar);
}

void seals(void)
{
	text(&seal_grammar);
}

/* memfd_format_seals(): the text is what is put, piece by piece. */

/*
 * One piece, at any place of any buffer; one byte of that is watched. put.json
 * says what is true after each byte.
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

#else

/*
 * A string of any length: where its names begin and end is what strspn() and
 * strcspn() say, and what they mean is any answer of parse_number() and
 * parse_name(), which are proven above.
 */
static struct {
	char *text;
	size_t len;
	const struct table *known;
	/* Where its first name is, or its end. */
	size_t first;
	/* How far the separators, and the name after them, go. */
	size_t begin, end;
	/* It has been tried as a number and is none. */
	bool no_number;
	/* It is refused: as unknown, or as another size of huge pages. */
	bool unknown, other_size;
	unsigned int all;
} string;

/* Whether a name, or the end of the string, is there. */
static bool a_name_at(size_t at)
{
	return !is_separator(string.text[at]) &&
	       !string.text[at] == (at == string.len);
}

static void any_string(void)
{
	/* Where loops have contracts, no object is 0 at first. */
	string.begin = string.end = 0;
	string.no_number = string.unknown = string.other_size = false;
	string.all = 0;
	string.len = nondet_size_t();
	string.first = nondet_size_t();
	ASSUME(string.len < PTRDIFF_MAX >> 8);
	string.text = malloc(string.len + 1);
	ASSUME(string.text);
	ASSUME(string.first <= string.len && a_name_at(string.first));
}

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
	size_t n = string.end ? nondet_size_t() : string.first;

	CLAIM(s == string.text + string.end && !refused(), IN_TURN);
	CLAIM(is_separators(set), SEPARATED);
	ASSUME(n <= string.len - string.end);
	string.begin = string.end + n;
	ASSUME(a_name_at(string.begin));
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
	unsigned int before = nondet_unsigned(), value = before;
	bool tell = nondet_bool();
	size_t stop, *end = tell ? &stop : NULL;
	int saved = nondet_int();
	int ret;

	any_string();
	string.known = known;
	errno = saved;
	ret = known == &flag_names
		      ? memfd_parse_flags(string.text, &value, end)
		      : memfd_parse_seals(string.text, &value, end);
	if (!refused()) {
		CLAIM(ret == 0 && string.begin == string.len,
		      "a string of known names is accepted");
		CLAIM(value == string.all,
		      "the result is all names or-ed together");
		CLAIM(!tell || stop == string.len,
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
	CLAIM(!tell || stop == string.begin,
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

/*
 * The functions that take names: what they ask of the parser, and of the
 * function for numbers, each of which may answer anything.
 */
struct request {
	enum {
		NOTHING,
		NEW,
		NEW_SIZED,
		NEW_SEALED,
		NEW_SEALED_COPY,
		SEAL,
		CHECK_SEALS,
		GET_SEALS,
	} function;
	const char *name;
	unsigned int flags, seals;
	int fd;
	const void *data;
	size_t size;
};

static struct {
	/* Of the parser: an error, or what the names stand for. */
	int err;
	const char *flag_names, *seal_names;
	unsigned int flags, seals;

	unsigned int calls;
	struct request request;
	int answer;
	/* Of the function: as it left errno. */
	int left;
} seen;

static int any_error(int err)
{
	ASSUME(err);
	errno = seen.err = err;
	return -1;
}

#define FIRST "the names are judged before the descriptor"

int flags_parsed(const char *names, unsigned int *flags, size_t *stop)
{
	(void)stop;
	CLAIM(!seen.calls, FIRST);
	seen.flag_names = names;
	if (nondet_bool())
		return any_error(nondet_int());
	*flags = seen.flags = nondet_unsigned();
	return 0;
}

int seals_parsed(const char *names, unsigned int *seals, size_t *stop)
{
	(void)stop;
	CLAIM(!seen.calls, FIRST);
	seen.seal_names = names;
	if (!names)
		return any_error(EFAULT);
	if (nondet_bool())
		return any_error(nondet_int());
	*seals = seen.seals = nondet_unsigned();
	return 0;
}

static int answer(struct request request)
{
	seen.calls++;
	seen.request = request;
	seen.answer = nondet_int();
	if (seen.answer == -1)
		errno = nondet_int();
	seen.left = errno;
	return seen.answer;
}

int memfd_new(const char *name, unsigned int flags)
{
	return answer((struct request){ NEW, .name = name, .flags = flags });
}

int memfd_seal(int fd, unsigned int seals)
{
	return answer((struct request){ SEAL, .fd = fd, .seals = seals });
}

int memfd_get_seals(int fd)
{
	return answer((struct request){ GET_SEALS, .fd = fd });
}

int memfd_new_sized(const char *name, unsigned int flags, size_t size,
		    unsigned int seals)
{
	return answer((struct request){ NEW_SIZED, .name = name, .flags = flags,
					.size = size, .seals = seals });
}

int memfd_new_sealed(const char *name, unsigned int flags, const void *data,
		     size_t size)
{
	return answer((struct request){ NEW_SEALED, .name = name,
					.flags = flags, .data = data,
					.size = size });
}

int memfd_new_sealed_copy(const char *name, unsigned int flags, int fd,
			  size_t max)
{
	return answer((struct request){ NEW_SEALED_COPY, .name = name,
					.flags = flags, .fd = fd,
					.size = max });
}

int memfd_check_seals(int fd, unsigned int seals)
{
	return answer(
		(struct request){ CHECK_SEALS, .fd = fd, .seals = seals });
}

static bool is_request(struct request wanted)
{
	struct request got = seen.request;

	return got.function == wanted.function && got.name == wanted.name &&
	       got.flags == wanted.flags && got.seals == wanted.seals &&
	       got.fd == wanted.fd && got.data == wanted.data &&
	       got.size == wanted.size;
}

/* Any of them, with any arguments. */
void by_name(void)
{
	const char *name = nondet_pointer(), *flags = NULL, *seals = NULL;
	const void *data = nondet_pointer();
	size_t size = nondet_size_t();
	int fd = nondet_int(), function = nondet_int(), ret;
	bool takes_seals;
	struct request want = { function };

	ASSUME(function > NOTHING && function < GET_SEALS);
	takes_seals = function != NEW && function != NEW_SEALED &&
		      function != NEW_SEALED_COPY;
	any_string();
	if (nondet_bool() && function != SEAL && function != CHECK_SEALS)
		flags = string.text;
	if (nondet_bool() && takes_seals)
		seals = string.text;
	switch (function) {
	case NEW:
		ret = memfd_new_str(want.name = name, flags);
		break;
	case NEW_SIZED:
		ret = memfd_new_sized_str(want.name = name, flags,
					  want.size = size, seals);
		break;
	case NEW_SEALED:
		ret = memfd_new_sealed_str(want.name = name, flags,
					   want.data = data, want.size = size);
		break;
	case NEW_SEALED_COPY:
		ret = memfd_new_sealed_copy_str(want.name = name, flags,
						want.fd = fd, want.size = size);
		break;
	case SEAL:
		ret = memfd_seal_str(want.fd = fd, seals);
		break;
	case CHECK_SEALS:
		ret = memfd_check_seals_str(want.fd = fd, seals);
		break;
	}
	if (!seen.calls) {
		CLAIM(ret == -1,
		      "an unknown name is EINVAL, and nothing is done");
		CLAIM(seen.err || takes_seals, "known names are accepted");
		if (seen.err)
			CLAIM(errno == seen.err, "errno is that of the parser");
		else
			CLAIM(errno == EINVAL && string.first == string.len,
			      "a string of seals without any name is EINVAL");
		return;
	}
	want.flags = seen.flags;
	want.seals = seen.seals;
	CLAIM(!seen.err, "an unknown name is EINVAL, and nothing is done");
	CLAIM(seen.calls == 1 && ret == seen.answer && errno == seen.left,
	      "it returns what the function for numbers returned");
	CLAIM(is_request(want) && seen.flag_names == flags &&
		      seen.seal_names == seals,
	      "all arguments are handed on whole");
	CLAIM(!takes_seals || (seals && string.first < string.len),
	      "a string of seals without any name is EINVAL");
}

static struct {
	unsigned int calls, seals;
	char *buf;
	size_t size;
	int answer;
} formatted;

/* In the place of memfd_format_seals(). */
int any_format(unsigned int seals, char *buf, size_t size)
{
	formatted.calls++;
	formatted.seals = seals;
	formatted.buf = buf;
	formatted.size = size;
	return formatted.answer = nondet_int();
}

void get_seals_str(void)
{
	int fd = nondet_int();
	char *buf = (char *)nondet_pointer();
	size_t size = nondet_size_t();
	int ret;

	errno = nondet_int();
	ret = memfd_get_seals_str(fd, buf, size);
	CLAIM(seen.calls == 1 && seen.request.function == GET_SEALS &&
		      seen.request.fd == fd,
	      "it asks for the seals once");
	ASSUME(seen.answer >= -1);
	if (seen.answer == -1) {
		CLAIM(ret == -1 && errno == seen.left && !formatted.calls,
		      "on failure errno is that of memfd_get_seals");
		return;
	}
	CLAIM(formatted.calls == 1 && ret == formatted.answer &&
		      formatted.seals == (unsigned int)seen.answer &&
		      formatted.buf == buf && formatted.size == size,
	      "all seals are formatted, into the whole buffer");
	CLAIM(errno == seen.left, "success leaves errno as it was");
}

#endif
