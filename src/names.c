/* SPDX-License-Identifier: MIT */

/* Convert names to numbers and back, and the functions that take names. */

#include <errno.h>
#include <string.h>

#include "memfd.h"

#define SEPARATORS ",| \t\n\v\f\r"

/*
 * The names of flags or of seals, in lower case and with '-'. They are stored
 * in arrays, because the loader would have to relocate pointers.
 */
struct table {
	char prefix[2][12];
	/* Bits that hold one value together: two values cannot be or-ed. */
	unsigned int field;
	struct {
		unsigned int value;
		char name[16];
	} name[22];
};

static const struct table flag_names = {
	{ "mfd-", "memfd-" },
	0xfc000000,
	{
		{ MEMFD_CLOEXEC, "cloexec" },
		{ MEMFD_ALLOW_SEALING, "allow-sealing" },
		{ MEMFD_ALLOW_SEALING, "allow-seals" },
		{ MEMFD_HUGETLB, "hugetlb" },
		{ MEMFD_HUGETLB, "huge-table" },
		{ MEMFD_NOEXEC_SEAL, "noexec-seal" },
		{ MEMFD_EXEC, "exec" },
		{ MEMFD_INHERIT, "inherit" },
		{ MEMFD_HUGE_64KB, "huge-64kb" },
		{ MEMFD_HUGE_512KB, "huge-512kb" },
		{ MEMFD_HUGE_1MB, "huge-1mb" },
		{ MEMFD_HUGE_2MB, "huge-2mb" },
		{ MEMFD_HUGE_8MB, "huge-8mb" },
		{ MEMFD_HUGE_16MB, "huge-16mb" },
		{ MEMFD_HUGE_32MB, "huge-32mb" },
		{ MEMFD_HUGE_256MB, "huge-256mb" },
		{ MEMFD_HUGE_512MB, "huge-512mb" },
		{ MEMFD_HUGE_1GB, "huge-1gb" },
		{ MEMFD_HUGE_2GB, "huge-2gb" },
		{ MEMFD_HUGE_16GB, "huge-16gb" },
	},
};

static const struct table seal_names = {
	{ "f-seal-", "memfd-seal-" },
	0,
	{
		{ MEMFD_SEAL_SEAL, "seal" },
		{ MEMFD_SEAL_SHRINK, "shrink" },
		{ MEMFD_SEAL_GROW, "grow" },
		{ MEMFD_SEAL_WRITE, "write" },
		{ MEMFD_SEAL_FUTURE_WRITE, "future-write" },
		{ MEMFD_SEAL_EXEC, "exec" },
		/* After the seals that it consists of, so never printed. */
		{ MEMFD_SEAL_IMMUTABLE, "immutable" },
	},
};

static const char hex_digits[] = "0123456789abcdef";

/* Convert a character to how the tables write it, in every locale. */
static char fold(char c)
{
	if (c == '_')
		return '-';
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/*
 * The length of name if s begins with it, else 0. Stops at the end of a word,
 * because no name contains a separator.
 */
static size_t begins(const char *s, const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (fold(s[i]) != name[i])
			return 0;
	return i;
}

/* Numbers are "0", and "0x" with one to eight hexadecimal digits. */
static int parse_number(const char *s, size_t len, unsigned int *value)
{
	size_t i;

	*value = 0;
	if (len == 1 && *s == '0')
		return 1;
	if (len < 3 || len > 10 || !begins(s, "0x"))
		return 0;
	for (i = 2; i < len; i++) {
		const char *digit = strchr(hex_digits, fold(s[i]));

		if (!digit)
			return 0;
		*value = *value << 4 | (unsigned int)(digit - hex_digits);
	}
	return 1;
}

static int parse_name(const struct table *known, const char *s, size_t len,
		      unsigned int *value)
{
	size_t i, prefix = 0;

	for (i = 0; i < 2 && !prefix; i++)
		prefix = begins(s, known->prefix[i]);
	s += prefix;
	len -= prefix;
	for (i = 0; len && known->name[i].value; i++)
		if (begins(s, known->name[i].name) == len) {
			*value = known->name[i].value;
			return 1;
		}
	return 0;
}

static int parse(const struct table *known, const char *names,
		 unsigned int *value, size_t *stop)
{
	unsigned int all = 0;
	size_t at, len;

	if (!names || !value) {
		errno = EFAULT;
		return -1;
	}
	for (at = strspn(names, SEPARATORS); names[at];
	     at += len, at += strspn(names + at, SEPARATORS)) {
		unsigned int one, other;

		len = strcspn(names + at, SEPARATORS);
		if (!parse_number(names + at, len, &one) &&
		    !parse_name(known, names + at, len, &one))
			break;
		other = all & known->field;
		if (other && one & known->field &&
		    other != (one & known->field))
			break;
		all |= one;
	}
	if (stop)
		*stop = at;
	if (names[at]) {
		errno = EINVAL;
		return -1;
	}
	*value = all;
	return 0;
}

int memfd_parse_flags(const char *names, unsigned int *flags, size_t *stop)
{
	return parse(&flag_names, names ? names : "", flags, stop);
}

int memfd_parse_seals(const char *names, unsigned int *seals, size_t *stop)
{
	return parse(&seal_names, names, seals, stop);
}

/*
 * Write s at offset at, as far as it fits with a null byte after it. Returns
 * the offset of what follows.
 */
static size_t put(char *buf, size_t size, size_t at, const char *s)
{
	for (; *s; s++, at++)
		if (at + 1 < size)
			buf[at] = *s;
	return at;
}

int memfd_format_seals(unsigned int seals, char *buf, size_t size)
{
	char hex[sizeof("0xffffffff")];
	size_t i, at = 0;

	if (!buf && size) {
		errno = EFAULT;
		return -1;
	}
	for (i = 0; seal_names.name[i].value; i++) {
		unsigned int value = seal_names.name[i].value;

		if ((seals & value) == value) {
			at = put(buf, size, at, at ? "," : "");
			at = put(buf, size, at, seal_names.name[i].name);
			seals &= ~value;
		}
	}
	if (seals) {
		i = sizeof(hex) - 1;
		hex[i] = '\0';
		for (; seals; seals >>= 4)
			hex[--i] = hex_digits[seals & 0xf];
		hex[--i] = 'x';
		hex[--i] = '0';
		at = put(buf, size, at, at ? "," : "");
		at = put(buf, size, at, hex + i);
	}
	if (size)
		buf[at < size ? at : size - 1] = '\0';
	return (int)at;
}

/* Parse the seals of a _str function, which must name at least one. */
static int seals_named(const char *names, unsigned int *seals)
{
	if (memfd_parse_seals(names, seals, NULL) < 0)
		return -1;
	if (names[strspn(names, SEPARATORS)])
		return 0;
	errno = EINVAL;
	return -1;
}

int memfd_new_str(const char *name, const char *flags)
{
	unsigned int number;

	if (memfd_parse_flags(flags, &number, NULL) < 0)
		return -1;
	return memfd_new(name, number);
}

int memfd_seal_str(int fd, const char *seals)
{
	unsigned int number;

	if (seals_named(seals, &number) < 0)
		return -1;
	return memfd_seal(fd, number);
}

int memfd_get_seals_str(int fd, char *buf, size_t size)
{
	int seals = memfd_get_seals(fd);

	if (seals < 0)
		return -1;
	return memfd_format_seals((unsigned int)seals, buf, size);
}

int memfd_new_sized_str(const char *name, const char *flags, size_t size,
			const char *seals)
{
	unsigned int flag_bits, seal_bits;

	if (memfd_parse_flags(flags, &flag_bits, NULL) < 0 ||
	    seals_named(seals, &seal_bits) < 0)
		return -1;
	return memfd_new_sized(name, flag_bits, size, seal_bits);
}

int memfd_new_sealed_str(const char *name, const char *flags, const void *data,
			 size_t size)
{
	unsigned int number;

	if (memfd_parse_flags(flags, &number, NULL) < 0)
		return -1;
	return memfd_new_sealed(name, number, data, size);
}

int memfd_new_sealed_copy_str(const char *name, const char *flags, int fd,
			      size_t max)
{
	unsigned int number;

	if (memfd_parse_flags(flags, &number, NULL) < 0)
		return -1;
	return memfd_new_sealed_copy(name, number, fd, max);
}

int memfd_check_seals_str(int fd, const char *seals)
{
	unsigned int number;

	if (seals_named(seals, &number) < 0)
		return -1;
	return memfd_check_seals(fd, number);
}
