/* SPDX-License-Identifier: MIT */

/* Proofs about src/names.c. proofs.py says how they are run. */

#include "../../src/names.c"

#include <stdbool.h>
#include <stdlib.h>

#define CLAIM(cond, text) __CPROVER_assert(cond, text)

bool nondet_bool(void);
char nondet_char(void);
int nondet_int(void);
unsigned int nondet_unsigned(void);
size_t nondet_size(void);
void *nondet_pointer(void);

/* libc's, as C11 7.24.5 defines them. */

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

static bool in(char c, const char *set)
{
	for (; *set; set++)
		if (*set == c)
			return true;
	return false;
}

size_t strspn(const char *s, const char *set)
{
	size_t n = 0;

	while (in(s[n], set))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && !in(s[n], set))
		n++;
	return n;
}

/* The functions below: what they were called with. */

static struct {
	unsigned int calls;
	const char *name;
	unsigned int number;
	const void *data;
	size_t size;
	int fd;
	int answer;
	int err;
} below;

static int answer(void)
{
	below.calls++;
	below.answer = nondet_int();
	if (below.answer == -1) {
		below.err = nondet_int();
		errno = below.err;
	}
	return below.answer;
}

int memfd_new(const char *name, unsigned int flags)
{
	below.name = name;
	below.number = flags;
	return answer();
}

/* A string of up to N bytes, any but null, in an object that ends with it. */
#define STRING_OF(n) case n: s = malloc(n + 1); break
static char *any_string(size_t len)
{
	char *s = NULL;

	switch (len) {
	STRING_OF(0);
	STRING_OF(1);
	STRING_OF(2);
	STRING_OF(3);
	STRING_OF(4);
	}
	__CPROVER_assume(s);
	for (size_t i = 0; i < len; i++)
		__CPROVER_assume(s[i]);
	s[len] = '\0';
	return s;
}

void new_str(void)
{
	const char *name = nondet_pointer();
	const char *flags = nondet_bool() ? NULL : any_string(2);
	int saved = nondet_int();
	int ret;

	errno = saved;
	ret = memfd_new_str(name, flags);
	if (below.calls) {
		CLAIM(below.calls == 1 && below.name == name,
		      "memfd_new_str hands its name on");
		CLAIM(ret == below.answer,
		      "memfd_new_str returns what memfd_new returned");
		CLAIM(errno == (ret == -1 ? below.err : saved),
		      "memfd_new_str leaves errno as memfd_new did");
	} else {
		CLAIM(ret == -1 && errno == EINVAL && flags,
		      "memfd_new_str is EINVAL for an unknown name");
	}
}
