/* SPDX-License-Identifier: MIT */

/*
 * A kernel for src/memfd.c that may answer anything to anything. Each function
 * stands in for the one of libc. It claims what it may be called with, answers
 * with any result or any errno, and keeps in `seen` what the entries ask about
 * afterwards.
 *
 * It keeps to what is so on every Linux, and README.md lists it: a call that
 * fails gives -1 and sets errno to 1 to 4095, one that succeeds leaves errno
 * alone; a new descriptor is not negative, and not one that is open; nothing
 * moves more bytes than it was asked to, or past the largest off64_t; close(2)
 * closes, whatever it answers.
 */

#ifndef KERNEL_H
#define KERNEL_H

#include "../../src/syscalls.h"

#include <errno.h>
#include <limits.h>

#include "memfd.h"

#include "any.h"

#define MOST 0x7ffff000U
#define FOUR_GIB ((int64_t)1 << 32)
/* What the byte that is watched has in a test, and no other byte. */
#define WATCHED 'x'
#define ALL_SEALED                                                             \
	(MEMFD_SEAL_SEAL | MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW |               \
	 MEMFD_SEAL_WRITE)
#define EXEC_FLAG (unsigned int)MEMFD_EXEC
#define NOEXEC_FLAG (unsigned int)MEMFD_NOEXEC_SEAL

/* What the caller asked for. */
static struct asked {
	const char *name;
	unsigned int flags;
	size_t total;
	/* A file to copy, with at most so many bytes; it is open or not. */
	int source;
	bool source_open;
	uint64_t limit;
} asked;

/* What the kernel and libc are like. */
static struct kernel {
	/* Every call succeeds, and moves all that it is asked to move. */
	bool prompt;
	/* glibc before 2.34 without libpthread keeps no cancel state. */
	bool stubs;
	/* In a test: the errno of failures other than EINTR and EINVAL, */
	int error;
	/* and the number of times that EINTR comes first where it may. */
	unsigned int interrupts;
	/* How many bytes the source has at most, */
	uint64_t source_size;
	/* and how many the kernel can read from where the data are. */
	size_t readable;
} kernel;

/* The new memfd. */
static struct file {
	int fd;
	bool open, sized;
	unsigned int mode;
	off64_t length, position;
} file;

/* What is on its way: `left` bytes, of those that begin at `from`. */
static struct work {
	const char *from;
	size_t left;
	/* How much of the source has been read, and whether all. */
	off64_t read;
	bool end;
	/* One byte, any: its offset, and how often it arrived. */
	off64_t watched;
	unsigned int arrived;
} work;

static int cancel_state;

/* The calls that were made. */
static struct seen {
	unsigned int creates, adds, gets, chmods, sizes, transfers, seeks,
		closes;
	/* The errno of the first that failed, if the library gives up then. */
	int failed;
	int create_failed, get_failed;
	/* The seals that F_ADD_SEALS was asked for, and those that it set. */
	unsigned int tried, added;
	/* What F_GET_SEALS answered last. */
	int told;
} seen;

#ifdef PROOF

#define MADE(count, call) (seen.count++)

/* So that loop contracts can name it. */
static int error_number;

int *__errno_location(void)
{
	return &error_number;
}

#else

/* Each kind of call, by the name that a sandbox has for it. */
static const char *made[32];

#define MADE(count, call) (seen.count++, made[__COUNTER__] = (call))

#endif

static int gives_up(int err)
{
	errno = err;
	if (!seen.failed)
		seen.failed = err;
	return -1;
}

/* Where EINTR is no reason to give up. */
static int gives_up_unless_interrupted(int err)
{
	if (err != EINTR)
		return gives_up(err);
	errno = err;
	return -1;
}

/* The errno of a call, or 0 if it succeeds. */
static int any_error(void)
{
	int err = ANY(int, 0, EINTR, EINVAL, kernel.error);

	ASSUME(err >= 0 && err <= 4095 && (!err || !kernel.prompt));
	return err;
}

/* The same for calls that are made again after EINTR. */
static int any_error_or_eintr(void)
{
	if (!kernel.interrupts)
		return any_error();
	kernel.interrupts--;
	return EINTR;
}

static void claim_own(int fd)
{
	CLAIM(file.open && fd == file.fd,
	      "calls are made on the new descriptor, while it is open");
}

static void claim_uncancelled(void)
{
	CLAIM(cancel_state == PTHREAD_CANCEL_DISABLE || kernel.stubs,
	      "cancellation is held off while a descriptor is open and not yet "
	      "returned");
}

static void claim_unsealed(void)
{
	CLAIM(!(seen.tried & ~(unsigned int)MEMFD_SEAL_SEAL),
	      "nothing is written or sized after the seals");
}

/* memfd_create(2) */

static unsigned int first_flags(unsigned int flags)
{
	unsigned int first = flags;

	if (flags & MEMFD_INHERIT)
		first -= MEMFD_INHERIT;
	else
		first |= MEMFD_CLOEXEC;
	if (!(flags & MEMFD_EXEC) && !(flags & MEMFD_NOEXEC_SEAL))
		first |= MEMFD_NOEXEC_SEAL;
	return first;
}

static int create(const char *name, unsigned int flags)
{
	unsigned int first = first_flags(asked.flags);
	int err = any_error();

	CLAIM(name == asked.name, "the name goes to the kernel as it is");
	CLAIM(seen.creates < 2 && !file.open, "one file is created, or none");
	if (!seen.creates) {
		CLAIM(flags == first,
		      "the kernel gets the caller's flags, MFD_CLOEXEC unless "
		      "MEMFD_INHERIT, and one exec flag at least");
	} else {
		CLAIM(flags == (first & ~(EXEC_FLAG | NOEXEC_FLAG)),
		      "the retry drops those two flags and no other");
		CLAIM(seen.create_failed == EINVAL &&
			      !(asked.flags & MEMFD_NOEXEC_SEAL),
		      "there is a retry after EINVAL only, and not for "
		      "MEMFD_NOEXEC_SEAL");
	}
	MADE(creates, "memfd_create");
	if (err) {
		if (seen.creates == 1)
			seen.create_failed = err;
		if (seen.creates == 1 && err == EINVAL &&
		    !(asked.flags & MEMFD_NOEXEC_SEAL)) {
			errno = err;
			return -1;
		}
		return gives_up(err);
	}
	file.mode = ANY(unsigned, 0, ~0U);
	file.fd = ANY(int, 3, 0, 4);
	ASSUME(file.fd >= 0);
	ASSUME(!asked.source_open || file.fd != asked.source);
	file.open = true;
	return file.fd;
}

/* fcntl(2) */

static int add_seals(unsigned long seals)
{
	int err = any_error();

	MADE(adds, "fcntl F_ADD_SEALS");
	seen.tried |= (unsigned int)seals;
	CLAIM(seals <= 0xffffffff, "seals are an unsigned int");
	if (err)
		return gives_up(err);
	seen.added |= (unsigned int)seals;
	return 0;
}

/* Whether this is hugetlbfs of a kernel that has no seals there. */
static bool seals_are_missing(void)
{
	return asked.flags & MEMFD_HUGETLB &&
	       (seen.get_failed == EINVAL ||
		(!seen.get_failed && seen.told < 0));
}

static int get_seals(void)
{
	MADE(gets, "fcntl F_GET_SEALS");
	seen.get_failed = any_error();
	if (seen.get_failed) {
		seen.told = -1;
		errno = seen.get_failed;
	} else {
		/* In gVisor, any bit may be set. */
		seen.told = ANY(int, 0, MEMFD_SEAL_SEAL, MEMFD_SEAL_EXEC,
				0x7fffffff, -1, -2, INT_MIN);
		/* F_ADD_SEALS failed because this was so. */
		if (seen.told >= 0 && seen.told & MEMFD_SEAL_SEAL &&
		    seen.tried == MEMFD_SEAL_SEAL)
			seen.failed = 0;
	}
	/* After the retry, an unknown answer is a failure. */
	if (seen.creates == 2 && seen.told < 0 && !seals_are_missing())
		seen.failed = seen.get_failed ? seen.get_failed : EINVAL;
	return seen.told;
}

static int control(int fd, int cmd, unsigned long arg, bool right_type)
{
	claim_own(fd);
	CLAIM(right_type, "fcntl is variadic: its argument is unsigned long");
	CLAIM(cmd == F_ADD_SEALS || cmd == F_GET_SEALS,
	      "fcntl is called for seals only");
	return cmd == F_ADD_SEALS ? add_seals(arg) : get_seals();
}

/* fchmod(2), ftruncate(2), lseek(2), close(2) */

static int change_mode(int fd, mode_t mode)
{
	int err = any_error();

	claim_own(fd);
	claim_unsealed();
	CLAIM(mode == 0666 && seen.creates == 2 && !(asked.flags & MEMFD_EXEC),
	      "fchmod takes the execute bits away, on older kernels, unless "
	      "MEMFD_EXEC was asked for");
	MADE(chmods, "fchmod");
	if (err)
		return gives_up(err);
	file.mode = mode;
	return 0;
}

static int set_length(int fd, off64_t length)
{
	int err = any_error_or_eintr();

	claim_own(fd);
	claim_unsealed();
	CLAIM(length >= 0 && (uint64_t)length == asked.total,
	      "the size goes to the kernel as it is");
	MADE(sizes, "ftruncate");
	if (err)
		return gives_up_unless_interrupted(err);
	file.length = length;
	file.sized = true;
	return 0;
}

static off_t seek(int fd, off_t offset, int whence)
{
	int err = any_error();

	claim_own(fd);
	CLAIM(offset == 0 && whence == SEEK_SET, "lseek goes back to 0");
	MADE(seeks, "lseek");
	if (err)
		return gives_up(err);
	file.position = 0;
	return 0;
}

/* Also where all other calls succeed. */
static int close_any(int fd)
{
	int err = ANY(int, EIO, 0, EINTR);

	claim_own(fd);
	claim_uncancelled();
	ASSUME(err >= 0 && err <= 4095);
	MADE(closes, "close");
	file.open = false;
	if (!err)
		return 0;
	errno = err;
	return -1;
}

/* pwrite(2), sendfile(2), pread(2), write(2) */

/* How many bytes a call moves that is asked for `size`, if `most` are there. */
static size_t any_count(size_t size, uint64_t most)
{
	size_t all = size < most ? size : (size_t)most;
	size_t n = ANY(size_t, all, 0, 1, all / 2, all - !!all);

	ASSUME(n <= all && (!kernel.prompt || n == all));
	return n;
}

static void arrive(size_t n)
{
	off64_t to = file.length + (off64_t)n;

	if (work.watched >= file.length && work.watched < to)
		work.arrived++;
	file.length = to;
}

static ssize_t write_at(int fd, const void *buf, size_t size, off64_t offset)
{
	uint64_t most = kernel.readable - (uint64_t)offset;
	int err = any_error_or_eintr();
	size_t n;

	claim_own(fd);
	claim_uncancelled();
	claim_unsealed();
	CLAIM(offset == file.length, "bytes arrive in order, without a gap");
	/* No pointer arithmetic on a null pointer. */
	CLAIM(buf == (offset ? work.from + offset : work.from),
	      "each byte arrives where it belongs");
	CLAIM(size && size == (work.left < MOST ? work.left : MOST),
	      "a write is asked for all that is left, up to 0x7ffff000 bytes");
	MADE(transfers, "pwrite64");
	if (err)
		return gives_up_unless_interrupted(err);
	if (most > (uint64_t)(INT64_MAX - offset))
		most = (uint64_t)(INT64_MAX - offset);
	n = any_count(size, most);
	if (!n && !seen.failed)
		seen.failed = EIO;
	arrive(n);
	work.left -= n;
	return (ssize_t)n;
}

/* Whatever it answers, the copy is right. */
static ssize_t send_file(int fd, int source, off64_t *offset, size_t size)
{
	uint64_t left = asked.limit - (uint64_t)file.length;
	int err = any_error_or_eintr();
	size_t n;

	claim_own(fd);
	claim_uncancelled();
	claim_unsealed();
	CLAIM(source == asked.source && source != fd,
	      "the source is the caller's file");
	CLAIM(offset && *offset == file.length && file.position == *offset,
	      "the source is read from its first byte on, in order, and its "
	      "offset stays where it is");
	CLAIM(size == (left < MOST - 65536 ? (left / 65536 + 1) * 65536 : MOST),
	      "sendfile is asked for more than may come, in whole sectors, up "
	      "to 0x7ffff000 bytes");
	CLAIM(!work.end, "a copy stops at the end");
	MADE(transfers, "sendfile");
	if (err) {
		errno = err;
		return -1;
	}
	n = any_count(size, kernel.source_size - (uint64_t)*offset);
	arrive(n);
	work.read = *offset = file.position = file.length;
	return (ssize_t)n;
}

/* The end of the source is where this gives 0. */
static ssize_t read_at(int source, void *buf, size_t size, off64_t offset)
{
	int err = any_error_or_eintr();
	size_t n;

	claim_uncancelled();
	CLAIM(source == asked.source && source != file.fd,
	      "the source is the caller's file");
	CLAIM(offset == file.length && !work.end,
	      "the source is read from its first byte on, in order, and its "
	      "offset stays where it is");
	CLAIM(size && WRITABLE(buf, size), "a read stays within the buffer");
	CLAIM(size == 4096 && (uintptr_t)buf % 4096 == 0,
	      "the buffer is a block, aligned, and small");
#ifndef PROOF
	/* A test need not take all day. */
	ASSUME(kernel.source_size - (uint64_t)offset <= 4 * 4096);
#endif
	MADE(transfers, "pread64");
	if (err)
		return gives_up_unless_interrupted(err);
	n = any_count(size, kernel.source_size - (uint64_t)offset);
	work.end = !n;
	work.from = buf;
	work.left = n;
	work.read = offset + (off64_t)n;
#ifndef PROOF
	if (work.watched >= offset && work.watched < work.read)
		((char *)buf)[work.watched - offset] = WATCHED;
#endif
	return (ssize_t)n;
}

/* What was read goes to where the file offset is. */
static ssize_t write_next(int fd, const void *buf, size_t size)
{
	int err = any_error_or_eintr();
	size_t n;

	claim_own(fd);
	claim_uncancelled();
	claim_unsealed();
	CLAIM(file.position == file.length,
	      "bytes arrive in order, without a gap");
	CLAIM(buf == work.from && size && size == work.left,
	      "what was read is what is written");
#ifndef PROOF
	/* In a proof, that it is the same buffer is enough. */
	if (work.watched >= file.length && work.watched < work.read)
		CLAIM(((const char *)buf)[work.watched - file.length] ==
			      WATCHED,
		      "what was read is what is written");
#endif
	MADE(transfers, "write");
	work.left = 0;
	if (err)
		return gives_up_unless_interrupted(err);
	n = any_count(size, (uint64_t)(INT64_MAX - file.length));
	if (!n && !seen.failed)
		seen.failed = EIO;
	arrive(n);
	work.read = file.position = file.length;
	return (ssize_t)n;
}

/* pthread_setcancelstate(3) */

static int set_cancel_state(int state, int *old)
{
	CLAIM(state == PTHREAD_CANCEL_ENABLE || state == PTHREAD_CANCEL_DISABLE,
	      "pthread_setcancelstate is given one of its two states");
	if (kernel.stubs)
		return 0;
	if (old)
		*old = cancel_state;
	cancel_state = state;
	return 0;
}

#undef fcntl
#undef ftruncate64
#undef pread64
#undef pwrite64
#undef sendfile64
#define sys_memfd_create create
#define fcntl(fd, cmd, arg)                                                    \
	control(fd, cmd, arg,                                                  \
		__builtin_types_compatible_p(__typeof__(arg), unsigned long))
#define fchmod change_mode
#define ftruncate64 set_length
#define lseek seek
#define close close_any
#define pwrite64 write_at
#define sendfile64 send_file
#define pread64 read_at
#define write write_next
#define pthread_setcancelstate set_cancel_state

#include "../../src/memfd.c"

#endif
