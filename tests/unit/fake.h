/* SPDX-License-Identifier: MIT */

/*
 * The library's sources over a fake kernel, for answers that the running kernel
 * cannot be made to give. The fake kernel has one memfd and one file to copy.
 * It checks each call that it gets and records it as a letter:
 *
 * m memfd_create   s F_ADD_SEALS   g F_GET_SEALS   c fchmod   t ftruncate
 * w pwrite   f sendfile   r pread   l lseek   x close
 */

#ifndef FAKE_H
#define FAKE_H

#include "../../src/syscalls.h"

#include "unit.h"

#define EXEC_FLAGS_OF_6_3 ((unsigned int)(MEMFD_NOEXEC_SEAL | MEMFD_EXEC))
/* The most that Linux moves at once. */
#define MOST 0x7ffff000
/* The descriptor of the file to copy, unless a test says otherwise. */
#define SOURCE 3

static struct fake {
	/*
	 * How this kernel differs from Linux 6.18: the flags that it does not
	 * know; whether it seals like MFD_NOEXEC_SEAL where neither exec flag
	 * is given (vm.memfd_noexec 1); whether MFD_NOEXEC_SEAL alone leaves
	 * sealing closed (proposed in 2024).
	 */
	unsigned int unknown_flags;
	int noexec, keeps_closed;
	/* The descriptor that it gives. */
	int fd;
	/* The file to copy: its descriptor, its size, and if it can be sent. */
	int source;
	uint64_t source_size;
	int no_sendfile;
	/* What may be written, or NULL if it must be what the source holds. */
	const char *data;
	/* The most that one call moves, if not 0. */
	size_t most, most_read;
	/* How often each call that EINTR must not stop is interrupted. */
	int interrupts;
	/*
	 * The call of this number, counted from 1, fails with err, or moves
	 * nothing if that is 0. All calls after it fail with err_after.
	 */
	int fails, err, err_after;
	/* pthread_setcancelstate does nothing: glibc 2.33, no libpthread. */
	int no_libpthread;

	/* What has happened. */
	char calls[64];
	int count, interrupted;
	unsigned int asked[2];
	int cancel_state;
	/* The memfd. */
	int open;
	unsigned int seals, mode;
	uint64_t size, offset;
} fake;

/* Record a call. Returns whether it is refused, with errno set. */
static int refused(char call)
{
	if (fake.count < (int)sizeof(fake.calls) - 1)
		fake.calls[fake.count] = call;
	fake.count++;
	if (fake.count == fake.fails && fake.err)
		errno = fake.err;
	else if (fake.fails && fake.count > fake.fails && fake.err_after)
		errno = fake.err_after;
	else
		return 0;
	return 1;
}

static int interrupted(void)
{
	if (fake.interrupted == fake.interrupts) {
		fake.interrupted = 0;
		return 0;
	}
	fake.interrupted++;
	errno = EINTR;
	return 1;
}

static void is_the_memfd(int fd)
{
	assert_true(fake.open);
	assert_int_equal(fd, fake.fd);
}

static void cancellation_point(void)
{
	if (!fake.no_libpthread)
		assert_int_equal(fake.cancel_state, PTHREAD_CANCEL_DISABLE);
}

static size_t moved(uint64_t wanted, size_t most)
{
	if (fake.count == fake.fails)
		return 0;
	if (!most || most > MOST)
		most = MOST;
	return wanted < most ? (size_t)wanted : most;
}

static char source_byte(uint64_t at)
{
	return (char)(at * 7 + (at >> 8));
}

static int fake_memfd_create(const char *name, unsigned int flags)
{
	assert_string_equal(name, "fake");
	assert_false(fake.open);
	assert_int_equal(flags & MEMFD_INHERIT, 0);
	fake.asked[fake.count > 0] = flags;
	if (refused('m'))
		return -1;
	if (flags & fake.unknown_flags) {
		errno = EINVAL;
		return -1;
	}
	if (fake.noexec && !(flags & EXEC_FLAGS_OF_6_3))
		flags |= MEMFD_NOEXEC_SEAL;
	fake.open = 1;
	fake.mode = 0777;
	fake.seals = flags & MEMFD_ALLOW_SEALING ? 0 : MEMFD_SEAL_SEAL;
	if (flags & MEMFD_NOEXEC_SEAL) {
		fake.mode = 0666;
		if (!fake.keeps_closed)
			fake.seals = 0;
		fake.seals |= MEMFD_SEAL_EXEC;
	}
	return fake.fd;
}

static int fake_fchmod(int fd, mode_t mode)
{
	is_the_memfd(fd);
	if (refused('c'))
		return -1;
	fake.mode = mode;
	return 0;
}

static int fake_fcntl(int fd, int command, unsigned long seals)
{
	is_the_memfd(fd);
	if (command == F_GET_SEALS)
		return refused('g') ? -1 : (int)fake.seals;
	assert_int_equal(command, F_ADD_SEALS);
	if (refused('s'))
		return -1;
	if (fake.seals & MEMFD_SEAL_SEAL) {
		errno = EPERM;
		return -1;
	}
	fake.seals |= (unsigned int)seals;
	return 0;
}

static int fake_ftruncate64(int fd, off64_t size)
{
	is_the_memfd(fd);
	assert_true(size >= 0);
	assert_int_equal(fake.seals & MEMFD_SEAL_GROW, 0);
	if (interrupted() || refused('t'))
		return -1;
	fake.size = (uint64_t)size;
	return 0;
}

/* Each byte comes once, in order, before the seals. */
static ssize_t fake_pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	const char *bytes = data;
	size_t i, n;

	is_the_memfd(fd);
	cancellation_point();
	assert_int_equal(fake.seals & MEMFD_SEAL_WRITE, 0);
	assert_true(size > 0 && size <= MOST);
	assert_true((uint64_t)at == fake.size);
	if (interrupted() || refused('w'))
		return -1;
	n = moved(size, fake.most);
	/* No byte is looked at here: there may be more than there is memory. */
	if (fake.data)
		assert_true((uintptr_t)data ==
			    (uintptr_t)fake.data + (uintptr_t)fake.size);
	for (i = 0; !fake.data && i < n; i++)
		if (bytes[i] != source_byte(fake.size + i))
			fail_msg("byte %llu is wrong",
				 (unsigned long long)fake.size + i);
	fake.size += n;
	return (ssize_t)n;
}

static ssize_t fake_sendfile64(int fd, int source, off64_t *at, size_t size)
{
	size_t n;

	is_the_memfd(fd);
	cancellation_point();
	assert_int_equal(source, fake.source);
	assert_int_equal(fake.seals & MEMFD_SEAL_WRITE, 0);
	assert_true(size > 0 && size <= MOST);
	assert_true((uint64_t)*at == fake.size);
	if (interrupted() || refused('f'))
		return -1;
	if (fake.no_sendfile) {
		errno = EINVAL;
		return -1;
	}
	n = moved(fake.source_size - fake.size, fake.most);
	if (n > size)
		n = size;
	*at += (off64_t)n;
	fake.size += n;
	fake.offset += n;
	return (ssize_t)n;
}

static ssize_t fake_pread64(int source, void *buf, size_t size, off64_t at)
{
	char *bytes = buf;
	size_t i, n;

	cancellation_point();
	assert_int_equal(source, fake.source);
	assert_true(size > 0);
	assert_true((uint64_t)at == fake.size);
	if (interrupted() || refused('r'))
		return -1;
	n = moved(fake.source_size - fake.size, fake.most_read);
	if (n > size)
		n = size;
	for (i = 0; i < n; i++)
		bytes[i] = source_byte(fake.size + i);
	return (ssize_t)n;
}

static off_t fake_lseek(int fd, off_t offset, int whence)
{
	is_the_memfd(fd);
	assert_int_equal(offset, 0);
	assert_int_equal(whence, SEEK_SET);
	if (refused('l'))
		return -1;
	fake.offset = 0;
	return 0;
}

/* As on Linux, a descriptor is gone even if closing it is said to fail. */
static int fake_close(int fd)
{
	is_the_memfd(fd);
	cancellation_point();
	fake.open = 0;
	return refused('x') ? -1 : 0;
}

static int fake_setcancelstate(int state, int *old)
{
	assert_true(state == PTHREAD_CANCEL_ENABLE ||
		    state == PTHREAD_CANCEL_DISABLE);
	if (fake.no_libpthread)
		return 0;
	if (old)
		*old = fake.cancel_state;
	fake.cancel_state = state;
	return 0;
}

/* Some of them are macros already, of musl's or of src/syscalls.h. */
#undef fcntl
#undef ftruncate64
#undef pread64
#undef pwrite64
#undef sendfile64
#define sys_memfd_create fake_memfd_create
#define fchmod fake_fchmod
/* The argument is variadic, so its type matters. */
#define fcntl(fd, command, seals)                                              \
	(assert_true(__builtin_types_compatible_p(__typeof__(seals),           \
						  unsigned long)),             \
	 fake_fcntl(fd, command, seals))
#define ftruncate64 fake_ftruncate64
#define pwrite64 fake_pwrite64
#define sendfile64 fake_sendfile64
#define pread64 fake_pread64
#define lseek fake_lseek
#define close fake_close
#define pthread_setcancelstate fake_setcancelstate

#include "../../src/memfd.c"
#include "../../src/names.c"

#undef sys_memfd_create
#undef fchmod
#undef fcntl
#undef ftruncate64
#undef pwrite64
#undef sendfile64
#undef pread64
#undef lseek
#undef close
#undef pthread_setcancelstate

/* What is called, and how it goes. */

/*
 * Linux 6.18; before 6.3; where MFD_NOEXEC_SEAL alone leaves sealing closed;
 * and where a sandbox refuses the exec flags while vm.memfd_noexec is 1.
 */
enum { AFTER, BEFORE, CLOSED, SANDBOX, KERNELS };

static char data[16];

struct call {
	const char *label;
	int (*function)(const struct call *call);
	unsigned int flags;
	const char *names;
	/* The seals that memfd_new_sized is given. */
	unsigned int add;
	/* The file that comes out: its size, and its seals without exec. */
	size_t size;
	unsigned int seals;
	/* What it calls on each. It fails with EINVAL then if they end in !. */
	const char *calls[KERNELS];
};

static int new (const struct call *call)
{
	return call->names ? memfd_new_str("fake", call->names)
			   : memfd_new("fake", call->flags);
}

static int sized(const struct call *call)
{
	return call->names ? memfd_new_sized_str("fake", call->names,
						 call->size, "immutable|seal")
			   : memfd_new_sized("fake", call->flags, call->size,
					     call->add);
}

static int sealed(const struct call *call)
{
	fake.data = data;
	return call->names ? memfd_new_sealed_str("fake", call->names, data,
						  call->size)
			   : memfd_new_sealed("fake", call->flags, data,
					      call->size);
}

static int copied(const struct call *call)
{
	fake.source_size = call->size;
	return call->names ? memfd_new_sealed_copy_str("fake", call->names,
						       fake.source, SIZE_MAX)
			   : memfd_new_sealed_copy("fake", call->flags,
						   fake.source, SIZE_MAX);
}

static int read_from(const struct call *call)
{
	fake.no_sendfile = 1;
	return copied(call);
}

#define SEAL MEMFD_SEAL_SEAL
#define ALL (MEMFD_SEAL_SEAL | MEMFD_SEAL_IMMUTABLE)
#define CLOEXEC MEMFD_CLOEXEC
#define ALLOW MEMFD_ALLOW_SEALING
#define HUGETLB MEMFD_HUGETLB
#define NOEXEC MEMFD_NOEXEC_SEAL
#define EXEC MEMFD_EXEC
#define INHERIT MEMFD_INHERIT
#define SIZE sizeof(data)

/* clang-format off */
static const struct call calls[] = {
	{ "new", new, 0, NULL, 0, 0, SEAL,
	  { "ms", "mmgc", "msg", "mmgx!" } },
	{ "new: cloexec", new, CLOEXEC, NULL, 0, 0, SEAL,
	  { "ms", "mmgc", "msg", "mmgx!" } },
	{ "new: inherit", new, INHERIT, NULL, 0, 0, SEAL,
	  { "ms", "mmgc", "msg", "mmgx!" } },
	{ "new: hugetlb", new, HUGETLB, NULL, 0, 0, SEAL,
	  { "ms", "mmgc", "msg", "mmgx!" } },
	{ "new: allow-sealing", new, ALLOW, NULL, 0, 0, 0,
	  { "m", "mmc", "m", "mmc" } },
	{ "new: exec", new, EXEC, NULL, 0, 0, SEAL,
	  { "m", "mmg", "m", "mmgx!" } },
	{ "new: exec, allow-sealing", new, EXEC | ALLOW, NULL, 0, 0, 0,
	  { "m", "mmg", "m", "mmgx!" } },
	{ "new: noexec-seal", new, NOEXEC, NULL, 0, 0, 0,
	  { "m", "m!", NULL, "m!" } },
	{ "new: noexec-seal, allow-sealing", new, NOEXEC | ALLOW, NULL, 0, 0, 0,
	  { "m", "m!", "m", "m!" } },
	{ "new: cloexec, inherit", new, CLOEXEC | INHERIT, NULL, 0, 0, 0,
	  { "!", "!", "!", "!" } },
	{ "new: unknown", new, 0x01000000, NULL, 0, 0, 0,
	  { "mm!", "mm!", "mm!", "mm!" } },
	{ "new: unknown, inherit", new, 0x01000000 | INHERIT, NULL, 0, 0, 0,
	  { "mm!", "mm!", "mm!", "mm!" } },
	{ "new_str", new, INHERIT, "inherit", 0, 0, SEAL,
	  { "ms", "mmgc", "msg", "mmgx!" } },

	{ "new_sized: no seals", sized, 0, NULL, 0, SIZE, SEAL,
	  { "mst", "mmgct", "msgt", "mmgx!" } },
	{ "new_sized: no seals, allow-sealing", sized, ALLOW, NULL, 0, SIZE, 0,
	  { "mt", "mmct", "mt", "mmct" } },
	{ "new_sized: no seals, exec", sized, EXEC, NULL, 0, SIZE, SEAL,
	  { "mt", "mmgt", "mt", "mmgx!" } },
	{ "new_sized: no seals, noexec-seal", sized, NOEXEC, NULL, 0, SIZE, 0,
	  { "mt", "m!", NULL, "m!" } },
	{ "new_sized", sized, 0, NULL, ALL, SIZE, ALL,
	  { "mts", "mmcts", "mts", "mmcts" } },
	{ "new_sized: size 0", sized, INHERIT, NULL, 4, 0, 4,
	  { "mts", "mmcts", "mts", "mmcts" } },
	{ "new_sized: hugetlb, exec", sized, HUGETLB | EXEC, NULL, 6, SIZE, 6,
	  { "mts", "mmgts", "mts", "mmgx!" } },
	{ "new_sized_str", sized, INHERIT, "inherit", 0, SIZE, ALL,
	  { "mts", "mmcts", "mts", "mmcts" } },

	{ "new_sealed", sealed, 0, NULL, 0, SIZE, ALL,
	  { "mws", "mmcws", "mws", "mmcws" } },
	{ "new_sealed: size 0", sealed, 0, NULL, 0, 0, ALL,
	  { "ms", "mmcs", "ms", "mmcs" } },
	{ "new_sealed: inherit", sealed, INHERIT, NULL, 0, SIZE, ALL,
	  { "mws", "mmcws", "mws", "mmcws" } },
	{ "new_sealed: exec", sealed, EXEC, NULL, 0, SIZE, ALL,
	  { "mws", "mmgws", "mws", "mmgx!" } },
	{ "new_sealed: noexec-seal", sealed, NOEXEC, NULL, 0, SIZE, ALL,
	  { "mws", "m!", "mws", "m!" } },
	{ "new_sealed: hugetlb, exec, size 0", sealed, HUGETLB | EXEC, NULL,
	  0, 0, ALL, { "!", "!", "!", "!" } },
	{ "new_sealed_str", sealed, INHERIT, "inherit", 0, SIZE, ALL,
	  { "mws", "mmcws", "mws", "mmcws" } },

	{ "new_sealed_copy", copied, 0, NULL, 0, SIZE, ALL,
	  { "mffls", "mmcffls", "mffls", "mmcffls" } },
	{ "new_sealed_copy: size 0", copied, INHERIT, NULL, 0, 0, ALL,
	  { "mfls", "mmcfls", "mfls", "mmcfls" } },
	{ "new_sealed_copy: exec", copied, EXEC, NULL, 0, SIZE, ALL,
	  { "mffls", "mmgffls", "mffls", "mmgx!" } },
	{ "new_sealed_copy: noexec-seal", copied, NOEXEC, NULL, 0, SIZE, ALL,
	  { "mffls", "m!", "mffls", "m!" } },
	{ "new_sealed_copy: hugetlb", copied, HUGETLB, NULL, 0, 0, ALL,
	  { "!", "!", "!", "!" } },
	{ "new_sealed_copy, by reading", read_from, 0, NULL, 0, SIZE, ALL,
	  { "mfrwrls", "mmcfrwrls", "mfrwrls", "mmcfrwrls" } },
	{ "new_sealed_copy, by reading: size 0", read_from, EXEC, NULL, 0, 0,
	  ALL, { "mfrls", "mmgfrls", "mfrls", "mmgx!" } },
	{ "new_sealed_copy_str", copied, INHERIT, "inherit", 0, SIZE, ALL,
	  { "mffls", "mmcffls", "mffls", "mmcffls" } },
};
/* clang-format on */

static int fails_with_einval(const char *made)
{
	return made[strlen(made) - 1] == '!';
}

/* Start the kernel anew. */
static void boot(int kernel, int fd)
{
	memset(&fake, 0, sizeof(fake));
	fake.unknown_flags = 0x01000000;
	if (kernel == BEFORE || kernel == SANDBOX)
		fake.unknown_flags |= EXEC_FLAGS_OF_6_3;
	fake.noexec = kernel == SANDBOX;
	fake.keeps_closed = kernel == CLOSED;
	fake.fd = fd;
	fake.source = SOURCE;
	fake.cancel_state = PTHREAD_CANCEL_ENABLE;
}

/* The flags that memfd_create(2) gets, at first or, on the retry, then. */
static void asks_right(const struct call *call)
{
	unsigned int flags = call->flags & ~(unsigned int)MEMFD_INHERIT;

	if (!(call->flags & MEMFD_INHERIT))
		flags |= MEMFD_CLOEXEC;
	if (call->seals & ~(unsigned int)MEMFD_SEAL_SEAL)
		flags |= MEMFD_ALLOW_SEALING;
	assert_int_equal(fake.asked[0], flags & EXEC_FLAGS_OF_6_3
						? flags
						: flags | MEMFD_NOEXEC_SEAL);
	if (fake.calls[1] == 'm')
		assert_int_equal(fake.asked[1], flags & ~EXEC_FLAGS_OF_6_3);
}

/* The promises that hold whatever a call that succeeded went through. */
static void is_right(const struct call *call, int fd, int kernel)
{
	unsigned int seals = call->seals;

	if (kernel != BEFORE && !(call->flags & MEMFD_EXEC))
		seals |= MEMFD_SEAL_EXEC;
	asks_right(call);
	assert_int_equal(fd, fake.fd);
	assert_true(fake.open);
	assert_int_equal(fake.seals, seals);
	assert_int_equal(fake.mode, call->flags & MEMFD_EXEC ? 0777 : 0666);
	assert_true(fake.size == call->size);
	assert_true(fake.offset == 0);
	assert_int_equal(fake.cancel_state, PTHREAD_CANCEL_ENABLE);
}

/* The function makes exactly these calls, and its promises hold. */
static void goes_as_said(const struct call *call, int kernel, int fd)
{
	char made[sizeof(fake.calls)];

	boot(kernel, fd);
	if (!fails_with_einval(call->calls[kernel])) {
		is_right(call, succeeds(call->function(call)), kernel);
		snprintf(made, sizeof(made), "%s", fake.calls);
	} else {
		fails(call->function(call), EINVAL);
		assert_false(fake.open);
		snprintf(made, sizeof(made), "%.60s!", fake.calls);
	}
	if (strcmp(made, call->calls[kernel]) != 0)
		fail_msg("%s: calls %s, wanted %s", call->label, made,
			 call->calls[kernel]);
}

#endif
