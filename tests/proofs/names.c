/* SPDX-License-Identifier: MIT */

/* Proofs about src/names.c. README.md says what they prove together. */

#include "../../src/names.c"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define CLAIM(cond, text) __CPROVER_assert(cond, text)

bool nondet_bool(void);
int nondet_int(void);
unsigned int nondet_unsigned(void);
size_t nondet_size(void);
void *nondet_pointer(void);

/*
 * The grammar, written down a second time, from the contract and with its
 * numbers: what src/names.c and include/memfd.h say is not used.
 */

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

/* Of the words: memfd-seal-future-write. */
#define LONGEST 23

static bool is_separator(char c)
{
	return c == ',' || c == '|' || c == ' ' || (c >= 9 && c <= 13);
}

/* Whether two characters are the same in a name; b is as the list has it. */
static bool same(char a, char b)
{
	return a == b || (b >= 'a' && b <= 'z' && a == b - 32) ||
	       (b == '-' && a == '_');
}

/* Whether the characters are the word, after a prefix. */
static bool spells(const char *s, size_t len, const char *prefix,
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

static bool digit(char c, unsigned int *value)
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

static bool number(const char *s, size_t len, unsigned int *value)
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

static bool named(const struct grammar *grammar, const char *s, size_t len,
		  unsigned int *value)
{
	for (const struct word *word = grammar->words; word->name; word++)
		for (int i = 0; i < 3; i++)
			if (spells(s, len, grammar->prefix[i], word->name)) {
				*value = word->value;
				return true;
			}
	return false;
}

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
	__CPROVER_assume(len);
	for (size_t i = 0; i <= LONGEST; i++) {
		bool end = !object[i] || is_separator(object[i]);

		__CPROVER_assume(end == (i == LONGEST && len <= LONGEST));
	}
	return object + (len > LONGEST ? 0 : LONGEST - len);
}

static void word(const struct table *known, const struct grammar *grammar)
{
	size_t len = nondet_size();
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
	size_t len = nondet_size();
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

/* What it means: whether it is accepted, and as which number. */
static bool means(const struct grammar *grammar, const char *s,
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
		if (len && !number(s + at, len, &one) &&
		    !named(grammar, s + at, len, &one))
			return false;
		if (len)
			*value |= one;
		at += len ? len : 1;
	}
	*stop = at;
	return true;
}

static void text(const struct grammar *grammar)
{
	static char object[BYTES + 1];
	size_t at = nondet_size(), stop = nondet_size(), wanted_stop;
	unsigned int before = nondet_unsigned(), value = before, wanted;
	int saved = nondet_int();
	const char *s;
	bool good;

	__CPROVER_havoc_object(object);
	__CPROVER_assume(at <= BYTES);
	for (size_t i = 0; i <= BYTES; i++)
		__CPROVER_assume(!object[i] == (i == BYTES));
	s = object + at;
	errno = saved;
	good = (grammar == &flag_grammar
			? memfd_parse_flags(s, &value, &stop)
			: memfd_parse_seals(s, &value, &stop)) == 0;
	CLAIM(good == means(grammar, s, &wanted, &wanted_stop),
	      "a string is accepted if the grammar has it");
	CLAIM(stop == wanted_stop, "*stop is the offset of the first name that "
				   "is refused, or the length");
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

void null(void)
{
	size_t before = nondet_size(), stop = before;
	size_t *where = nondet_bool() ? &stop : NULL;
	unsigned int value = 1;
	int saved = nondet_int();

	errno = saved;
	CLAIM(memfd_parse_flags(NULL, &value, where) == 0 && value == 0 &&
		      errno == saved && (!where || stop == 0),
	      "a null pointer is 0 for flags, and its length is 0");
	value = 1;
	stop = before;
	CLAIM(memfd_parse_seals(NULL, &value, where) == -1 && errno == EFAULT,
	      "a null pointer is EFAULT for seals");
	CLAIM(value == 1 && stop == before, "EFAULT leaves the outputs alone");
	errno = saved;
	CLAIM(memfd_parse_seals(nondet_bool() ? "" : "seal", NULL, where) ==
			      -1 &&
		      errno == EFAULT,
	      "a null pointer to the result is EFAULT");
	errno = saved;
	CLAIM(memfd_parse_flags(nondet_bool() ? NULL : "exec", NULL, where) ==
			      -1 &&
		      errno == EFAULT,
	      "a null pointer to the result is EFAULT");
	CLAIM(stop == before, "EFAULT leaves the outputs alone");
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
	size_t size = nondet_size(), ret;
	char *buf;

	piece.len = nondet_size();
	piece.at = nondet_size();
	piece.byte = nondet_size();
	__CPROVER_havoc_object(piece.s);
	__CPROVER_assume(piece.len < sizeof(piece.s));
	for (size_t n = 0; n < sizeof(piece.s); n++)
		__CPROVER_assume(n > piece.len ||
				 !piece.s[n] == (n == piece.len));
	__CPROVER_assume(piece.at <= PTRDIFF_MAX - sizeof(piece.s));
	__CPROVER_assume(piece.byte < size && size < PTRDIFF_MAX >> 8);
	buf = malloc(size);
	__CPROVER_assume(buf);
	piece.before = buf[piece.byte];
	ret = put(buf, size, piece.at, piece.s);
	CLAIM(ret == piece.at + piece.len, "a piece of text is counted whole");
	CLAIM(buf[piece.byte] == (piece.byte - piece.at < piece.len &&
						  piece.byte < size - 1
					  ? piece.s[piece.byte - piece.at]
					  : piece.before),
	      "of a piece what fits is written, and nothing else");
}

void no_room(void)
{
	CLAIM(put(NULL, 0, 5, "future-write") == 17,
	      "a piece of text is counted whole");
}

static struct {
	char *buf;
	size_t size;
	/* What has not been put yet, and what the pieces so far are worth. */
	unsigned int rest, parsed;
	size_t len;
	bool comma;
} format;

#define IN_ORDER                                                               \
	"the names in the order of the table, joined by commas, and what has " \
	"no name as one hex number at the end"

/* In put()'s place: whether the piece is the one that comes next. */
size_t next_piece(char *buf, size_t size, size_t at, const char *s)
{
	const char *expected = NULL;
	unsigned int value = 0;
	size_t len = 0;

	CLAIM(buf == format.buf && size == format.size && at == format.len,
	      "each piece follows the one before");
	if (!*s)
		return at;
	if (*s == ',') {
		CLAIM(!s[1] && format.len && !format.comma && format.rest,
		      IN_ORDER);
		format.comma = true;
		format.len++;
		return at + 1;
	}
	CLAIM(format.rest && format.comma == (format.len > 0), IN_ORDER);
	format.comma = false;
	for (size_t i = 0; i < 6 && !expected; i++)
		if (format.rest >> i & 1) {
			expected = seal_words[i].name;
			value = seal_words[i].value;
		}
	for (; s[len]; len++)
		CLAIM(expected ? s[len] == expected[len] : len < 10, IN_ORDER);
	if (expected) {
		CLAIM(!expected[len], IN_ORDER);
	} else {
		CLAIM(number(s, len, &value) && value == format.rest &&
			      s[1] == 'x' && s[2] != '0',
		      IN_ORDER);
		for (size_t i = 0; i < len; i++)
			CLAIM(s[i] < 'A' || s[i] > 'F', IN_ORDER);
	}
	format.rest &= ~value;
	format.len += len;

	/* parse() takes it apart again at the commas. */
	for (size_t i = 0; i < len; i++)
		CLAIM(!is_separator(s[i]), "no name has a separator");
	CLAIM(parse_number(s, len, &value) ||
		      parse_name(&seal_names, s, len, &value),
	      "parsing what was formatted gives the number back");
	format.parsed |= value;
	return at + len;
}

void pieces(void)
{
	unsigned int seals = nondet_unsigned();
	size_t i = nondet_size();
	int saved = nondet_int();
	char before = 0;
	int ret;

	format.size = nondet_size();
	format.buf = format.size ? malloc(format.size) : NULL;
	format.rest = seals;
	format.parsed = 0;
	format.len = 0;
	format.comma = false;
	__CPROVER_assume(!format.size || format.buf);
	if (i < format.size)
		before = format.buf[i];
	errno = saved;
	ret = memfd_format_seals(seals, format.buf, format.size);
	CLAIM(!format.rest && !format.comma, IN_ORDER);
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

void no_buffer(void)
{
	size_t size = nondet_size();

	__CPROVER_assume(size);
	CLAIM(memfd_format_seals(nondet_unsigned(), NULL, size) == -1 &&
		      errno == EFAULT,
	      "EFAULT if buf is null and size is not 0");
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
	string.len = nondet_size();
	string.first = nondet_size();
	__CPROVER_assume(string.len < PTRDIFF_MAX >> 8);
	string.text = malloc(string.len + 1);
	__CPROVER_assume(string.text);
	__CPROVER_assume(string.first <= string.len && a_name_at(string.first));
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
	size_t n = string.end ? nondet_size() : string.first;

	CLAIM(s == string.text + string.end && !refused(), IN_TURN);
	CLAIM(is_separators(set), SEPARATED);
	__CPROVER_assume(n <= string.len - string.end);
	string.begin = string.end + n;
	__CPROVER_assume(a_name_at(string.begin));
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = nondet_size();

	CLAIM(s == string.text + string.begin && !refused(), IN_TURN);
	CLAIM(is_separators(set), SEPARATED);
	__CPROVER_assume(n && n <= string.len - string.begin);
	string.end = string.begin + n;
	__CPROVER_assume(string.end == string.len ||
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
static struct {
	/* Of the parser: an error, or what the names stand for. */
	int err;
	const char *flag_names, *seal_names;
	unsigned int flags, seals;

	unsigned int calls;
	const char *name;
	int fd;
	const void *data;
	size_t size;
	unsigned int got_flags, got_seals;
	int answer;
	/* Of the function: as it left errno. */
	int left;
} seen;

#define FIRST "the names are judged before the descriptor"

int flags_parsed(const char *names, unsigned int *flags, size_t *stop)
{
	CLAIM(!seen.calls, FIRST);
	(void)stop;
	seen.flag_names = names;
	if (nondet_bool()) {
		seen.err = nondet_int();
		__CPROVER_assume(seen.err);
		errno = seen.err;
		return -1;
	}
	*flags = seen.flags = nondet_unsigned();
	return 0;
}

int seals_parsed(const char *names, unsigned int *seals, size_t *stop)
{
	CLAIM(!seen.calls, FIRST);
	(void)stop;
	seen.seal_names = names;
	if (!names || nondet_bool()) {
		seen.err = names ? nondet_int() : EFAULT;
		__CPROVER_assume(seen.err);
		errno = seen.err;
		return -1;
	}
	*seals = seen.seals = nondet_unsigned();
	return 0;
}

static int answer(void)
{
	seen.calls++;
	seen.answer = nondet_int();
	if (seen.answer == -1)
		errno = nondet_int();
	seen.left = errno;
	return seen.answer;
}

int memfd_new(const char *name, unsigned int flags)
{
	seen.name = name;
	seen.got_flags = flags;
	return answer();
}

int memfd_seal(int fd, unsigned int seals)
{
	seen.fd = fd;
	seen.got_seals = seals;
	return answer();
}

int memfd_get_seals(int fd)
{
	seen.fd = fd;
	return answer();
}

int memfd_new_sized(const char *name, unsigned int flags, size_t size,
		    unsigned int seals)
{
	seen.name = name;
	seen.got_flags = flags;
	seen.size = size;
	seen.got_seals = seals;
	return answer();
}

int memfd_new_sealed(const char *name, unsigned int flags, const void *data,
		     size_t size)
{
	seen.name = name;
	seen.got_flags = flags;
	seen.data = data;
	seen.size = size;
	return answer();
}

int memfd_new_sealed_copy(const char *name, unsigned int flags, int fd,
			  size_t max)
{
	seen.name = name;
	seen.got_flags = flags;
	seen.fd = fd;
	seen.size = max;
	return answer();
}

int memfd_check_seals(int fd, unsigned int seals)
{
	seen.fd = fd;
	seen.got_seals = seals;
	return answer();
}

static const char *maybe_null(void)
{
	return nondet_bool() ? string.text : NULL;
}

static void result(int ret, const char *flags, const char *seals,
		   bool takes_seals, bool whole)
{
	if (seen.calls) {
		CLAIM(!seen.err,
		      "an unknown name is EINVAL, and nothing is done");
		CLAIM(seen.calls == 1 && ret == seen.answer &&
			      errno == seen.left,
		      "it returns what the function for numbers returned");
		CLAIM(whole && seen.got_flags == seen.flags &&
			      seen.got_seals == seen.seals &&
			      seen.flag_names == flags &&
			      seen.seal_names == seals,
		      "all arguments are handed on whole");
		CLAIM(!takes_seals || (seals && string.first < string.len),
		      "a string of seals without any name is EINVAL");
		return;
	}
	CLAIM(ret == -1, "an unknown name is EINVAL, and nothing is done");
	CLAIM(seen.err || takes_seals, "known names are accepted");
	if (seen.err)
		CLAIM(errno == seen.err, "errno is that of the parser");
	else if (takes_seals)
		CLAIM(errno == EINVAL && string.first == string.len,
		      "a string of seals without any name is EINVAL");
}

void new_str(void)
{
	const char *name = nondet_pointer(), *flags;

	any_string();
	flags = maybe_null();
	result(memfd_new_str(name, flags), flags, NULL, false,
	       seen.name == name);
}

void seal_str(void)
{
	int fd = nondet_int();
	const char *seals;

	any_string();
	seals = maybe_null();
	result(memfd_seal_str(fd, seals), NULL, seals, true, seen.fd == fd);
}

void check_seals_str(void)
{
	int fd = nondet_int();
	const char *seals;

	any_string();
	seals = maybe_null();
	result(memfd_check_seals_str(fd, seals), NULL, seals, true,
	       seen.fd == fd);
}

void new_sized_str(void)
{
	const char *name = nondet_pointer(), *flags, *seals;
	size_t size = nondet_size();

	any_string();
	flags = maybe_null();
	seals = maybe_null();
	result(memfd_new_sized_str(name, flags, size, seals), flags, seals,
	       true, seen.name == name && seen.size == size);
}

void new_sealed_str(void)
{
	const char *name = nondet_pointer(), *flags;
	const void *data = nondet_pointer();
	size_t size = nondet_size();

	any_string();
	flags = maybe_null();
	result(memfd_new_sealed_str(name, flags, data, size), flags, NULL,
	       false,
	       seen.name == name && seen.data == data && seen.size == size);
}

void new_sealed_copy_str(void)
{
	const char *name = nondet_pointer(), *flags;
	size_t max = nondet_size();
	int fd = nondet_int();

	any_string();
	flags = maybe_null();
	result(memfd_new_sealed_copy_str(name, flags, fd, max), flags, NULL,
	       false, seen.name == name && seen.fd == fd && seen.size == max);
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
	char *buf = nondet_pointer();
	size_t size = nondet_size();
	int ret;

	errno = nondet_int();
	ret = memfd_get_seals_str(fd, buf, size);
	CLAIM(seen.calls == 1 && seen.fd == fd, "it asks for the seals once");
	__CPROVER_assume(seen.answer >= -1);
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
