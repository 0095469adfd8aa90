/* SPDX-License-Identifier: MIT */
#ifndef MEMFD_H
#define MEMFD_H

/*
 * libmemfd: memory file descriptors with safe defaults, and their seals.
 *
 * A memfd is an anonymous file in memory (memfd_create(2), Linux 3.17); a seal
 * promises what can no longer happen to it (F_ADD_SEALS in fcntl(2)). Every
 * descriptor here is a plain int, owned and closed by whoever called.
 *
 * One rule for all functions: failure is -1 with errno set, and nothing was
 * created, sealed, written or left open; success leaves errno as it was. All
 * are thread-safe and async-signal-safe, and none is a cancellation point.
 *
 * memfd_new(3), memfd_seal(3), memfd_parse_flags(3) and libmemfd(7) say the
 * rest.
 */

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a new memfd is. With none of these it is close-on-exec, not executable,
 * and cannot be sealed. The bits are the kernel's own, so MFD_* constants of
 * <sys/mman.h> may be passed too; MEMFD_INHERIT alone never reaches the kernel.
 * Source: memfd_create(2); the kernel's userspace-api/mfd_noexec.rst.
 */
enum memfd_flags {
	/* Close on exec: the default, for who wants to say so. Linux 3.17. */
	MEMFD_CLOEXEC = 0x0001,
	/* Allow memfd_seal. Linux 3.17. */
	MEMFD_ALLOW_SEALING = 0x0002,
	/* Back with huge pages, of the default size. Linux 4.14. */
	MEMFD_HUGETLB = 0x0004,
	/* Sealed as not executable; allows sealing. Linux 6.3. */
	MEMFD_NOEXEC_SEAL = 0x0008,
	/* Executable: 0777. EACCES if vm.memfd_noexec is 2. Linux 3.17. */
	MEMFD_EXEC = 0x0010,
	/* Stay open across exec. Not with MEMFD_CLOEXEC. Linux 3.17. */
	MEMFD_INHERIT = 0x02000000,
	/* Huge pages of one size, MEMFD_HUGETLB included. Linux 4.14. */
	MEMFD_HUGE_64KB = 0x40000004,
	MEMFD_HUGE_512KB = 0x4c000004,
	MEMFD_HUGE_1MB = 0x50000004,
	MEMFD_HUGE_2MB = 0x54000004,
	MEMFD_HUGE_8MB = 0x5c000004,
	MEMFD_HUGE_16MB = 0x60000004,
	MEMFD_HUGE_32MB = 0x64000004,
	MEMFD_HUGE_256MB = 0x70000004,
	MEMFD_HUGE_512MB = 0x74000004,
	MEMFD_HUGE_1GB = 0x78000004,
	MEMFD_HUGE_2GB = 0x7c000004
	/* MEMFD_HUGE_16GB does not fit an int; it follows. */
};

/* Huge pages of 16 GiB, MEMFD_HUGETLB included. Linux 4.14. */
#define MEMFD_HUGE_16GB 0x88000004U

/*
 * What can no longer happen to a memfd. The values are the kernel's F_SEAL_*.
 * Source: F_ADD_SEALS in fcntl(2); the kernel's userspace-api/mfd_noexec.rst.
 */
enum memfd_seals {
	/* No further seal can be set. Linux 3.17. */
	MEMFD_SEAL_SEAL = 0x01,
	/* The file cannot get shorter. Linux 3.17. */
	MEMFD_SEAL_SHRINK = 0x02,
	/* The file cannot get longer. Linux 3.17. */
	MEMFD_SEAL_GROW = 0x04,
	/* The bytes cannot be written, only cut off. Linux 3.17. */
	MEMFD_SEAL_WRITE = 0x08,
	/* No new writer: mappings that exist can still write. Linux 5.1. */
	MEMFD_SEAL_FUTURE_WRITE = 0x10,
	/* The execute bits of the mode cannot change. Linux 6.3. */
	MEMFD_SEAL_EXEC = 0x20,
	/* Shrink, grow, write: bytes and size cannot change. Linux 3.17. */
	MEMFD_SEAL_IMMUTABLE = 0x0e
};

/* Bytes, with the null, that hold any text of memfd_format_seals. */
enum memfd_str { MEMFD_STR_MAX = 128 };

/*
 * Make a memfd: close-on-exec, not executable, not sealable, unless flags say
 * otherwise.
 *
 * name: at most 249 bytes, any; seen in /proc/self/fd, need not be unique
 * flags: MEMFD_* flags or-ed together, or 0
 *
 * Return: the descriptor. Errors: EINVAL (unknown bit or contradiction, name
 * too long, MEMFD_NOEXEC_SEAL before Linux 6.3), EFAULT (null name), EMFILE,
 * ENFILE, ENOMEM, EACCES (MEMFD_EXEC under vm.memfd_noexec 2), ENODEV (no such
 * huge page size), ENOSYS (no memfds or no hugetlbfs).
 *
 * Where the kernel has it, a sealable memfd starts with MEMFD_SEAL_EXEC set:
 * mask seals, never compare them for equality.
 */
int memfd_new(const char *name, unsigned int flags);

/*
 * Add seals: all of them, or on failure none.
 *
 * fd: a memfd, open for writing, made with MEMFD_ALLOW_SEALING
 * seals: MEMFD_SEAL_* or-ed together
 *
 * Return: 0. Errors: EPERM (sealing not allowed or closed by MEMFD_SEAL_SEAL,
 * or fd not open for writing), EBUSY (MEMFD_SEAL_WRITE, or MEMFD_SEAL_EXEC on
 * an executable file, while it has a writable shared mapping or I/O is in
 * flight), EINVAL (not a memfd, or a seal that this kernel does not know),
 * EBADF.
 */
int memfd_seal(int fd, unsigned int seals);

/*
 * Tell which seals are set. To verify what a peer sent use memfd_check_seals.
 *
 * Return: a mask of MEMFD_SEAL_*. Errors: EINVAL (a file that cannot have
 * seals), EBADF.
 */
int memfd_get_seals(int fd);

/*
 * Make a memfd that holds size bytes from data and can never change: sealed
 * with seal, shrink, grow and write. The file offset is 0.
 *
 * name, flags: as for memfd_new; MEMFD_ALLOW_SEALING is implied
 * data: may be null where size is 0
 * size: in bytes
 *
 * Return: the descriptor. Errors: those of memfd_new, EINVAL for
 * MEMFD_HUGETLB (hugetlbfs has no write(2)), EFAULT (bad data), ENOSPC or
 * ENOMEM (no memory), EFBIG with SIGXFSZ (RLIMIT_FSIZE), EIO.
 */
int memfd_new_sealed(const char *name, unsigned int flags, const void *data,
		     size_t size);

/*
 * Verify that all the seals asked for are set (others may be, too): what a
 * receiver does before it trusts a descriptor. MEMFD_SEAL_IMMUTABLE asks "can
 * nobody change its bytes or its size any more?"
 *
 * fd: any descriptor, whatever it is open for
 * seals: MEMFD_SEAL_* or-ed together, not 0
 *
 * Return: 0 if every one is set. Errors: EPERM (one is missing), EINVAL (a
 * file that cannot have seals, or seals is 0), EBADF.
 */
int memfd_check_seals(int fd, unsigned int seals);

/*
 * memfd_new with its flags by name: "allow-sealing,huge-2mb". Null is 0;
 * memfd_parse_flags tells what else is accepted, and an unknown name is EINVAL.
 *
 * Return and other errors: as memfd_new.
 */
int memfd_new_str(const char *name, const char *flags);

/*
 * memfd_seal with its seals by name: "shrink,grow", "F_SEAL_GROW|F_SEAL_SEAL".
 * An unknown name is EINVAL, null is EFAULT, whatever fd is.
 *
 * Return and other errors: as memfd_seal.
 */
int memfd_seal_str(int fd, const char *seals);

/*
 * The names of the seals that are set: memfd_get_seals, then memfd_format_seals
 * into buf. MEMFD_STR_MAX bytes suffice.
 *
 * Return: the length of the whole text without its null. Errors: EINVAL (a file
 * that cannot have seals), EBADF, EFAULT (buf is null and size is not 0).
 */
int memfd_get_seals_str(int fd, char *buf, size_t size);

/*
 * memfd_new_sealed with its flags by name, as for memfd_new_str.
 *
 * Return and other errors: as memfd_new_sealed.
 */
int memfd_new_sealed_str(const char *name, const char *flags, const void *data,
			 size_t size);

/*
 * memfd_check_seals with its seals by name: "immutable". An unknown name or no
 * name at all is EINVAL, null is EFAULT, whatever fd is.
 *
 * Return and other errors: as memfd_check_seals.
 */
int memfd_check_seals_str(int fd, const char *seals);

/*
 * Turn names of flags into their number.
 *
 * str: names ("cloexec", "allow-sealing", "huge-2mb"; C constants too, case
 * and _ or - aside) and 0x numbers, separated by commas, | or white space;
 * null or empty is 0
 * flags: where the number goes; untouched on failure
 * end: null, or where the length of str goes, or on EINVAL the offset of the
 * name that was refused
 *
 * Return: 0. Errors: EINVAL (unknown name, or a second, different huge page
 * size), EFAULT (flags is null).
 */
int memfd_parse_flags(const char *str, unsigned int *flags, size_t *end);

/*
 * Turn names of seals ("seal", "shrink", "grow", "write", "future-write",
 * "exec", "immutable") into their number, as memfd_parse_flags does; but a
 * null str is EFAULT.
 */
int memfd_parse_seals(const char *str, unsigned int *seals, size_t *end);

/*
 * Write the names of seals, joined by commas, bits without a name as one hex
 * number at the end: "shrink,grow,0x40".
 *
 * buf: gets at most size bytes with the null; may be null where size is 0
 * size: in bytes; MEMFD_STR_MAX suffices
 *
 * Return: the length of the whole text without its null, as snprintf(3) does.
 * Errors: EFAULT (buf is null and size is not 0).
 */
int memfd_format_seals(unsigned int seals, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

/*
 * Define MEMFD_GENERIC before the include to give numbers or names to the same
 * function, in C11 or later. Needs no library of its own: a string, or a null
 * pointer, goes to the _str function.
 */
#if defined(MEMFD_GENERIC) && defined(__STDC_VERSION__) && !defined(__cplusplus)
#if __STDC_VERSION__ >= 201112L
#define MEMFD_GENERIC_(arg, function)                                          \
	_Generic((arg),                                                        \
		char *: function##_str,                                        \
		const char *: function##_str,                                  \
		void *: function##_str,                                        \
		default: function)
#define memfd_new(name, flags) MEMFD_GENERIC_(flags, memfd_new)(name, flags)
#define memfd_seal(fd, seals) MEMFD_GENERIC_(seals, memfd_seal)(fd, seals)
#define memfd_new_sealed(name, flags, data, size)                              \
	MEMFD_GENERIC_(flags, memfd_new_sealed)(name, flags, data, size)
#define memfd_check_seals(fd, seals)                                           \
	MEMFD_GENERIC_(seals, memfd_check_seals)(fd, seals)
#endif
#endif

#endif
