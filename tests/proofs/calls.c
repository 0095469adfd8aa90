/* SPDX-License-Identifier: MIT */

/*
 * src/memfd.c over any kernel: one function an entry. proofs.py proves them,
 * and tests/unit/calls.c runs them.
 */

#include "../shared/kernel.h"

#include <stdlib.h>

static struct {
	int errno_before, cancel_before;
} saved;

static unsigned int any_flags(void)
{
	return ANY(unsigned, 0, MEMFD_ALLOW_SEALING, MEMFD_EXEC,
		   MEMFD_EXEC | MEMFD_ALLOW_SEALING, MEMFD_NOEXEC_SEAL,
		   MEMFD_NOEXEC_SEAL | MEMFD_ALLOW_SEALING,
		   MEMFD_EXEC | MEMFD_NOEXEC_SEAL, MEMFD_INHERIT, MEMFD_CLOEXEC,
		   MEMFD_CLOEXEC | MEMFD_INHERIT, MEMFD_HUGE_2MB,
		   MEMFD_HUGE_2MB | MEMFD_EXEC, 0x01000000, ~0U);
}

/* Around what is moved at once, and what a file can have. */
static size_t any_size(void)
{
	return ANY(size_t, 16, 0, 4096, MOST, MOST + 1, (size_t)(FOUR_GIB + 5),
		   SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX);
}

static size_t any_limit(void)
{
	return ANY(size_t, SIZE_MAX, 0, 1, 15, 16, 17, 4095, 4096, 4097, 65535,
		   65536, MOST - 65537, MOST - 65536, MOST - 1, MOST, MOST + 1,
		   (size_t)(FOUR_GIB + 4), (size_t)(FOUR_GIB + 5),
		   SIZE_MAX - 1);
}

/* The caller's bytes, of which the kernel can read so many. */
static const char *any_data(void)
{
#ifdef PROOF
	const char *data;

	kernel.readable = nondet_size_t();
	data = nondet_bool() ? malloc(kernel.readable) : NULL;
#else
	const char *data = ANY(pointer, "data", NULL);
	size_t most = 3U * (size_t)MOST;

	kernel.readable =
		ANY(bool, true, false) ? asked.total : asked.total / 2;
	if (kernel.readable > most)
		kernel.readable = most;
#endif
	if (!data)
		kernel.readable = 0;
	return data;
}

static unsigned int any_seals(void)
{
	return ANY(unsigned, ALL_SEALED, 0, MEMFD_SEAL_SEAL, MEMFD_SEAL_GROW,
		   0x80000001, ~0U);
}

/* Everything that a call may find. Flags and seals are the entry's. */
static void begin(void)
{
	/* goto-instrument makes them anything, and a test runs again. */
	asked = (struct asked){ 0 };
	kernel = (struct kernel){ 0 };
	file = (struct file){ 0 };
	work = (struct work){ 0 };
	seen = (struct seen){ 0 };
	kernel.prompt = ANY(bool, false, true);
	kernel.stubs = ANY(bool, false, true);
#ifndef PROOF
	/* All others of Linux, one a run, and the last that it may have. */
	kernel.error = (int)(run.number % 134);
	if (!kernel.error || kernel.error == EINTR || kernel.error == EINVAL)
		kernel.error = 4095;
	kernel.interrupts = kernel.prompt ? 0 : ANY(unsigned, 0, 100);
#endif
	asked.name = ANY(pointer, "name", NULL);
	asked.flags = any_flags();
	work.watched = ANY(int64_t, 0, 1, 4095, 4096, MOST, FOUR_GIB);
	ASSUME(work.watched >= 0);
	errno = saved.errno_before = ANY(int, 12345, 0);
	cancel_state = saved.cancel_before = ANY(bool, true, false)
						     ? PTHREAD_CANCEL_ENABLE
						     : PTHREAD_CANCEL_DISABLE;
}

static unsigned int calls(void)
{
	return seen.creates + seen.adds + seen.gets + seen.chmods + seen.sizes +
	       seen.transfers + seen.seeks + seen.closes;
}

/* `own` is the errno of the library itself, where no call failed. */
static void claim_failure(int ret, int own)
{
	CLAIM(ret == -1, "failure is -1");
	CLAIM(!file.open, "a failure leaves nothing open");
	CLAIM(errno == (seen.failed ? seen.failed : own) && errno,
	      "errno is that of what failed first, not of the close");
	CLAIM(cancel_state == saved.cancel_before,
	      "the cancel state is as it was");
}

static void claim_success(int ret)
{
	CLAIM(file.open && ret == file.fd && !seen.closes,
	      "success is the new descriptor");
	CLAIM(errno == saved.errno_before, "success leaves errno as it was");
	CLAIM(cancel_state == saved.cancel_before,
	      "the cancel state is as it was");
	CLAIM(!seen.failed, "no call that failed is ignored");
	CLAIM(file.position == 0, "the file offset is 0");
}

/* memfd_new, or the part of it in the others: asked.flags has what it gets. */

static bool is_default(void)
{
	return !(asked.flags &
		 (MEMFD_EXEC | MEMFD_NOEXEC_SEAL | MEMFD_ALLOW_SEALING));
}

/* Whom an exec seal set by vm.memfd_noexec does not suit. */
static bool minds_exec_seal(void)
{
	return asked.flags & MEMFD_EXEC || !(asked.flags & MEMFD_ALLOW_SEALING);
}

static int own_of_new(void)
{
	if (asked.flags & MEMFD_CLOEXEC && asked.flags & MEMFD_INHERIT)
		return EINVAL;
	if (seen.creates == 2 && minds_exec_seal() && seen.told >= 0 &&
	    seen.told & MEMFD_SEAL_EXEC)
		return EINVAL;
	return 0;
}

static void claim_new(void)
{
	CLAIM(!(asked.flags & MEMFD_CLOEXEC && asked.flags & MEMFD_INHERIT),
	      "MEMFD_CLOEXEC with MEMFD_INHERIT is EINVAL");
	if (seen.creates == 2) {
		CLAIM(!minds_exec_seal() ||
			      (seen.gets == 1 &&
			       (seals_are_missing() ||
				(seen.told >= 0 &&
				 !(seen.told & MEMFD_SEAL_EXEC)))),
		      "what vm.memfd_noexec sealed behind a sandbox is not "
		      "taken for an older kernel's, and not what the sandbox "
		      "does not tell");
		CLAIM(asked.flags & MEMFD_EXEC || file.mode == 0666,
		      "an older kernel's memfd loses its execute bits");
	} else if (is_default()) {
		CLAIM(seen.added & MEMFD_SEAL_SEAL ||
			      (seen.told >= 0 && seen.told & MEMFD_SEAL_SEAL),
		      "nobody can seal what was not asked to be sealable");
	}
}

static void new_any(void)
{
	int ret;

	begin();
	ret = memfd_new(asked.name, asked.flags);
	if (ret < 0) {
		claim_failure(ret, own_of_new());
		CLAIM(seen.gets || !seen.tried,
		      "sealing that is closed already is no failure");
	} else {
		claim_success(ret);
		claim_new();
		CLAIM(seen.tried == (is_default() && seen.creates == 1
					     ? MEMFD_SEAL_SEAL
					     : 0),
		      "memfd_new sets F_SEAL_SEAL where it added "
		      "MFD_NOEXEC_SEAL, and nothing else");
	}
	if (kernel.prompt && seen.creates == 1 && ret >= 0)
		CLAIM(calls() == (is_default() ? 2 : 1),
		      "memfd_new makes one call, and two by default");
	if (seen.creates == 2)
		CLAIM(!seen.adds && seen.gets <= minds_exec_seal() &&
			      seen.chmods <= !(asked.flags & MEMFD_EXEC),
		      "memfd_new makes only calls of libmemfd_sandbox(7)");
	else
		CLAIM(seen.adds <= is_default() && !seen.chmods &&
			      seen.gets <= (seen.tried && !seen.added),
		      "memfd_new makes only calls of libmemfd_sandbox(7)");
}

/* The descriptor is the caller's: it may be of anything. */
static void begin_with_descriptor(void)
{
	begin();
	file.fd = ANY(int, 3, 0, -1);
	file.open = true;
}

static void seal(void)
{
	unsigned int seals = any_seals();
	int ret;

	begin_with_descriptor();
	ret = memfd_seal(file.fd, seals);
	CLAIM(calls() == 1 && seen.adds == 1, "memfd_seal makes one call");
	CLAIM(seen.tried == seals, "the seals go to the kernel as they are");
	CLAIM(ret == (seen.failed ? -1 : 0), "memfd_seal is 0 or -1");
	CLAIM(errno == (seen.failed ? seen.failed : saved.errno_before),
	      "memfd_seal leaves errno to the kernel");
}

/* The errno after F_GET_SEALS. */
static int get_error(void)
{
	if (seen.get_failed)
		return seen.get_failed;
	return seen.told < 0 ? EINVAL : saved.errno_before;
}

static void get_seals_of_any_file(void)
{
	int ret;

	begin_with_descriptor();
	ret = memfd_get_seals(file.fd);
	CLAIM(calls() == 1 && seen.gets == 1, "memfd_get_seals makes one call");
	CLAIM(ret == (seen.told < 0 ? -1 : seen.told),
	      "memfd_get_seals tells all that the kernel told, and -1 for any "
	      "negative number");
	CLAIM(errno == get_error(),
	      "memfd_get_seals leaves errno to the kernel, and is EINVAL for a "
	      "negative number that is no error");
}

static void check_seals(void)
{
	unsigned int wanted = any_seals();
	int ret, err;

	begin_with_descriptor();
	ret = memfd_check_seals(file.fd, wanted);
	CLAIM(calls() == seen.gets && seen.gets <= 1,
	      "memfd_check_seals makes one call at most");
	if (!wanted)
		err = EINVAL;
	else if (seen.told < 0)
		err = get_error();
	else
		err = (wanted & (unsigned int)seen.told) == wanted ? 0 : EPERM;
	CLAIM(ret == (err ? -1 : 0),
	      "memfd_check_seals is 0 if every seal asked for is set, and -1 "
	      "if one is missing, none asked for, or the question refused");
	CLAIM(errno == (err ? err : saved.errno_before),
	      "memfd_check_seals is EINVAL for no seals, EPERM for one that is "
	      "missing, and what the kernel answers otherwise");
}

static void sized(void)
{
	unsigned int flags, seals = any_seals();
	int ret;

	begin();
	flags = asked.flags;
	if (seals)
		asked.flags |= MEMFD_ALLOW_SEALING;
	asked.total = any_size();
	ret = memfd_new_sized(asked.name, flags, asked.total, seals);
	if (ret < 0) {
		int own = own_of_new();

		claim_failure(ret, own ? own : EFBIG);
		CLAIM(seen.failed || own || asked.total > INT64_MAX,
		      "memfd_new_sized is EFBIG for more than a file can have");
		return;
	}
	claim_success(ret);
	claim_new();
	CLAIM(file.sized && file.length >= 0 &&
		      (uint64_t)file.length == asked.total,
	      "memfd_new_sized gives the file its size");
	if (seals)
		CLAIM(seen.added == seals && seen.tried == seals,
		      "memfd_new_sized sets the seals asked for, and no other");
	if (kernel.prompt && seen.creates == 1)
		CLAIM(calls() == (seals || is_default() ? 3 : 2),
		      "memfd_new_sized makes three calls, two for no seals");
}

static void sealed(void)
{
	unsigned int flags;
	const char *bytes;
	int ret;

	begin();
	flags = asked.flags;
	asked.flags |= MEMFD_ALLOW_SEALING;
	asked.total = any_size();
	bytes = any_data();
	ASSUME(!kernel.prompt || kernel.readable >= asked.total);
	work.from = bytes;
	work.left = asked.total;
	ret = memfd_new_sealed(asked.name, flags, bytes, asked.total);
	CLAIM(!(flags & MEMFD_HUGETLB) || (ret == -1 && !calls()),
	      "MEMFD_HUGETLB is EINVAL, at size 0 too");
	if (ret < 0) {
		claim_failure(ret,
			      flags & MEMFD_HUGETLB ? EINVAL : own_of_new());
		return;
	}
	claim_success(ret);
	claim_new();
	CLAIM((uint64_t)file.length == asked.total && !work.left,
	      "all bytes arrive");
	CLAIM(work.arrived == ((uint64_t)work.watched < asked.total),
	      "each byte arrives once");
	CLAIM(seen.added == ALL_SEALED && seen.tried == ALL_SEALED,
	      "nothing is returned without seal, shrink, grow and write");
	if (kernel.prompt && seen.creates == 1 && asked.total <= MOST)
		CLAIM(calls() == (asked.total ? 3 : 2),
		      "memfd_new_sealed makes three calls, two for size 0");
}

static void copied(void)
{
	unsigned int flags;
	size_t max;
	int ret;

	begin();
	flags = asked.flags;
	asked.flags |= MEMFD_ALLOW_SEALING;
	asked.source = ANY(int, 4, 0, -1);
	asked.source_open = ANY(bool, true, false);
	max = any_limit();
	/* A file may have more bytes than a size_t can tell. */
	asked.limit = max == SIZE_MAX ? UINT64_MAX : max;
	kernel.source_size = ANY(uint64_t, 16, 0, 4096, 4097, MOST, MOST + 1ULL,
				 FOUR_GIB + 5);
	ASSUME(kernel.source_size <= INT64_MAX);
	ASSUME(!kernel.prompt || asked.source_open);
	ret = memfd_new_sealed_copy(asked.name, flags, asked.source, max);
	CLAIM(!(flags & MEMFD_HUGETLB) || (ret == -1 && !calls()),
	      "MEMFD_HUGETLB is EINVAL, at size 0 too");
	if (ret < 0) {
		int own = own_of_new();

		if (flags & MEMFD_HUGETLB)
			own = EINVAL;
		else if (file.fd == asked.source && !asked.source_open)
			own = own ? own : EBADF;
		else if (!own && (uint64_t)work.read > asked.limit)
			own = EFBIG;
		claim_failure(ret, own);
		CLAIM(seen.failed || errno != EFBIG ||
			      asked.limit != UINT64_MAX,
		      "SIZE_MAX is no limit");
		return;
	}
	claim_success(ret);
	claim_new();
	CLAIM(work.end && work.read == file.length,
	      "the whole content is copied, to its end");
	CLAIM((uint64_t)file.length <= asked.limit, "more than max is EFBIG");
	CLAIM(seen.added == ALL_SEALED && seen.tried == ALL_SEALED,
	      "nothing is returned without seal, shrink, grow and write");
	if (kernel.prompt && seen.creates == 1 && kernel.source_size <= MOST)
		CLAIM(calls() == 5, "memfd_new_sealed_copy makes five calls");
}

/* The entries, and the function that each is about. */
#define ENTRIES(ENTRY)                                                         \
	ENTRY(memfd_new, new_any)                                              \
	ENTRY(memfd_seal, seal)                                                \
	ENTRY(memfd_get_seals, get_seals_of_any_file)                          \
	ENTRY(memfd_check_seals, check_seals)                                  \
	ENTRY(memfd_new_sized, sized)                                          \
	ENTRY(memfd_new_sealed, sealed)                                        \
	ENTRY(memfd_new_sealed_copy, copied)
