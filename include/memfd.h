/* SPDX-License-Identifier: MIT */
#ifndef MEMFD_H
#define MEMFD_H

/*
 * libmemfd: memory file descriptors (memfds) with safe defaults, and their
 * seals.
 *
 * A memfd is an anonymous file in memory (memfd_create(2), Linux 3.17). A seal
 * prevents an operation on it from then on (F_ADD_SEALS in fcntl(2)).
 * Descriptors are plain ints; the caller owns and closes the ones it creates.
 *
 * On error, every function returns -1, sets errno, and has had no effect: no
 * file, seal or descriptor is left. On success, errno is unchanged. All
 * functions are thread-safe and async-signal-safe, and none is a cancellation
 * point. A signal handler must not leave one with siglongjmp(3): that leaks the
 * descriptor, and may leave cancellation disabled.
 *
 * The full reference is in the manual: libmemfd(7), which says what to call for
 * which purpose, and a page for each function in section 3.
 */

#include <stddef.h>

/** The version of this header. */
#define MEMFD_VERSION_MAJOR 1
#define MEMFD_VERSION_MINOR 0
#define MEMFD_VERSION_PATCH 0

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Flags for a new memfd. Without any, it is closed on exec, cannot be executed
 * (but see MEMFD_NOEXEC_SEAL for huge pages), and cannot be sealed.
 *
 * The values are the kernel's, so MFD_* constants of <sys/mman.h> work as well.
 * Source: memfd_create(2) and userspace-api/mfd_noexec.rst of the kernel.
 */
enum memfd_flags {
	/** Close on exec. This is the default. Linux 3.17. */
	MEMFD_CLOEXEC = 0x0001,
	/** Seals can be added. Linux 3.17. */
	MEMFD_ALLOW_SEALING = 0x0002,
	/** Use huge pages of the default size. Linux 4.14. */
	MEMFD_HUGETLB = 0x0004,
	/**
	 * Not executable, sealed with MEMFD_SEAL_EXEC; more seals can be added.
	 * On huge pages, the kernel does not enforce that seal: fchmod(2) can
	 * make the file executable. Linux 6.3.
	 */
	MEMFD_NOEXEC_SEAL = 0x0008,
	/** Executable, with mode 0777; see vm.memfd_noexec. Linux 3.17. */
	MEMFD_EXEC = 0x0010,
	/**
	 * Stay open across exec; excludes MEMFD_CLOEXEC. The library handles
	 * this flag and does not pass it to the kernel. Linux 3.17.
	 */
	MEMFD_INHERIT = 0x02000000,
	/**
	 * Use huge pages of this size. Unlike MFD_HUGE_64KB, the value includes
	 * MEMFD_HUGETLB. At most one size can be given. Linux 4.14.
	 */
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
	/* MEMFD_HUGE_16GB, which does not fit an int, follows as a macro. */
};

/** Use huge pages of 16 GiB; includes MEMFD_HUGETLB. Linux 4.14. */
#define MEMFD_HUGE_16GB 0x88000004U

/**
 * Seals. Each prevents an operation on a memfd, and cannot be removed. The
 * values are the kernel's F_SEAL_*.
 *
 * Source: F_ADD_SEALS in fcntl(2) and userspace-api/mfd_noexec.rst of the
 * kernel.
 */
enum memfd_seals {
	/** No further seals can be added. Linux 3.17. */
	MEMFD_SEAL_SEAL = 0x01,
	/** The file cannot get smaller. Linux 3.17. */
	MEMFD_SEAL_SHRINK = 0x02,
	/** The file cannot get larger. Linux 3.17. */
	MEMFD_SEAL_GROW = 0x04,
	/**
	 * The bytes cannot be overwritten, but the file can be cut off: use
	 * MEMFD_SEAL_IMMUTABLE for content that is final. Linux 3.17.
	 */
	MEMFD_SEAL_WRITE = 0x08,
	/** Only mappings that exist already can write. Linux 5.1. */
	MEMFD_SEAL_FUTURE_WRITE = 0x10,
	/**
	 * The execute bits of the mode cannot change. On an executable file,
	 * this also sets shrink, grow, write and future-write. On huge pages,
	 * the kernel reports this seal but does not enforce it. Linux 6.3.
	 */
	MEMFD_SEAL_EXEC = 0x20,
	/** Shrink, grow and write: content and size are final. Linux 3.17. */
	MEMFD_SEAL_IMMUTABLE = 0x0e
};

/** Sizes of buffers, in bytes. */
enum memfd_sizes {
	/** Enough for any text of memfd_format_seals, with its null byte. */
	MEMFD_SEALS_STRLEN = 128
};

/**
 * Create an empty memfd. Linux 3.17.
 *
 * name: any bytes, at most 249; shown in /proc/self/fd, need not be unique
 * flags: MEMFD_* flags or-ed together, or 0
 *
 * Return: the descriptor. Errors: EINVAL (a flag that this kernel does not
 * know, flags that exclude each other, or a name that is too long), EFAULT
 * (name is NULL), EMFILE, ENFILE, ENOMEM, EACCES (MEMFD_EXEC while
 * vm.memfd_noexec is 2 in this PID namespace or an ancestor; a security module,
 * since Linux 6.19), ENODEV (this machine has no huge pages of this size),
 * ENOENT (MEMFD_HUGETLB without a size, and it has no default size), ENOSYS (a
 * kernel without memfds or without hugetlbfs), and whatever a sandbox answers.
 *
 * Since Linux 6.3, a memfd that is not executable starts with MEMFD_SEAL_EXEC
 * set. Test seals with a mask (memfd_check_seals), never for equality.
 */
int memfd_new(const char *name, unsigned int flags);

/**
 * Add seals to a memfd: all of them or, on error, none. Linux 3.17.
 *
 * fd: open for writing, created with MEMFD_ALLOW_SEALING
 * seals: MEMFD_SEAL_* or-ed together
 *
 * Return: 0. Errors: EPERM (sealing was not allowed, or has been closed by
 * MEMFD_SEAL_SEAL, or fd is not open for writing), EBUSY (MEMFD_SEAL_WRITE, or
 * MEMFD_SEAL_EXEC on an executable file, while a shared mapping made through a
 * descriptor open for writing exists or I/O is in progress), EINVAL (a file
 * that cannot have seals, or a seal that this kernel does not know), EBADF (fd
 * is not open, or opened with O_PATH).
 *
 * If somebody else may have sealed the file, before or meanwhile, use
 * memfd_seal(fd, seals) == 0 ||
 * (errno == EPERM && memfd_check_seals(fd, seals) == 0).
 */
int memfd_seal(int fd, unsigned int seals);

/**
 * Get the seals of a memfd. To verify a descriptor that you received, use
 * memfd_check_seals. Never compare the result for equality. Linux 3.17.
 *
 * fd: any descriptor
 *
 * Return: MEMFD_SEAL_* or-ed together. Errors: EINVAL (a file that cannot have
 * seals), EBADF (fd is not open, or opened with O_PATH).
 */
int memfd_get_seals(int fd);

/**
 * Create a memfd of a given size, filled with zeros, and add seals to it. No
 * memory is reserved, and the file offset is 0. Linux 3.17.
 *
 * name, flags: as for memfd_new; seals other than 0 imply MEMFD_ALLOW_SEALING
 * size: in bytes; with huge pages, a multiple of their size
 * seals: MEMFD_SEAL_* or-ed together, or 0
 *
 * Return: the descriptor. Errors: those of memfd_new, EINVAL (a seal that this
 * kernel does not know, or not a multiple of the huge page size), EFBIG (too
 * large for a file or, with SIGXFSZ, for RLIMIT_FSIZE), EBUSY or EPERM (another
 * process of the same user used or sealed the file).
 */
int memfd_new_sized(const char *name, unsigned int flags, size_t size,
		    unsigned int seals);

/**
 * Create a memfd with the given content that can never change: sealed with
 * seal, shrink, grow and write. The file offset is 0. Linux 3.17.
 *
 * name, flags: as for memfd_new; MEMFD_ALLOW_SEALING is implied
 * data: the content; may be NULL if size is 0
 * size: in bytes
 *
 * Return: the descriptor. Errors: those of memfd_new, EINVAL (MEMFD_HUGETLB:
 * hugetlbfs has no write(2)), EFAULT (bad data), ENOSPC or ENOMEM (no memory;
 * if a memory cgroup is full, one of its processes is killed instead), EFBIG
 * with SIGXFSZ (RLIMIT_FSIZE), EIO (nothing was written), EBUSY or EPERM
 * (another process of the same user used or sealed the file; one that wrote to
 * it in time goes unnoticed).
 *
 * A receiver that adds seals itself may refuse the result: see libmemfd(7).
 * Data in a mapping of a peer's file may become unreadable on the way, and some
 * kernels then loop: copy it from the descriptor.
 */
int memfd_new_sealed(const char *name, unsigned int flags, const void *data,
		     size_t size);

/**
 * Create a memfd with a copy of a file's content that can never change, sealed
 * like one of memfd_new_sealed. The whole file is copied, as read(2) gives it;
 * its offset is neither used nor moved. Linux 3.17.
 *
 * name, flags: as for memfd_new_sealed; MEMFD_EXEC makes an executable copy
 * fd: the file to copy, open for reading
 * max: the most to copy, in bytes; SIZE_MAX for no limit. As much memory may be
 * in use before a larger file is refused.
 *
 * Return: the descriptor. Errors: those of memfd_new_sealed, EFBIG (the file
 * has more than max bytes), ESPIPE (a pipe, socket or terminal), EISDIR (a
 * directory), EBADF (not open for reading), EINVAL (a file that cannot be read)
 * and other errors of read(2).
 */
int memfd_new_sealed_copy(const char *name, unsigned int flags, int fd,
			  size_t max);

/**
 * Check that all the given seals are set; others may be set too. A receiver
 * does this first, before it asks for the size or maps the file. With
 * MEMFD_SEAL_IMMUTABLE, content and size are final. On huge pages,
 * MEMFD_SEAL_EXEC is not enforced. Linux 3.17.
 *
 * fd: any descriptor
 * seals: MEMFD_SEAL_* or-ed together, not 0
 *
 * Return: 0 if all are set. Errors: EPERM (at least one is not), EINVAL (a file
 * that cannot have seals, or seals is 0), EBADF (fd is not open, or opened with
 * O_PATH).
 */
int memfd_check_seals(int fd, unsigned int seals);

/**
 * memfd_new with flags by name.
 *
 * name: as for memfd_new
 * flags: names as for memfd_parse_flags: "allow-sealing,huge-2mb"; NULL is 0
 *
 * Return and errors: as memfd_new, and EINVAL (an unknown name).
 */
int memfd_new_str(const char *name, const char *flags);

/**
 * memfd_seal with seals by name.
 *
 * fd: as for memfd_seal
 * seals: names as for memfd_parse_seals: "shrink,grow"; at least one
 *
 * Return and errors: as memfd_seal, and EINVAL (an unknown name, or none) and
 * EFAULT (seals is NULL), whatever fd is.
 */
int memfd_seal_str(int fd, const char *seals);

/**
 * Get the names of the seals of a memfd, as memfd_format_seals writes them.
 *
 * fd: any descriptor
 * buf: receives at most size bytes, including the null byte
 * size: in bytes; MEMFD_SEALS_STRLEN is always enough
 *
 * Return: the length of the whole text, without the null byte; if that is size
 * or more, the text was truncated. Errors: EINVAL (a file that cannot have
 * seals), EBADF (fd is not open, or opened with O_PATH), EFAULT (buf is NULL
 * and size not 0).
 */
int memfd_get_seals_str(int fd, char *buf, size_t size);

/**
 * memfd_new_sized with flags and seals by name.
 *
 * name, flags, size: as for memfd_new_str and memfd_new_sized
 * seals: names as for memfd_parse_seals; "0" for none
 *
 * Return and errors: as memfd_new_sized, and EINVAL (an unknown name, or none
 * in seals) and EFAULT (seals is NULL).
 */
int memfd_new_sized_str(const char *name, const char *flags, size_t size,
			const char *seals);

/**
 * memfd_new_sealed with flags by name.
 *
 * name, flags: as for memfd_new_str
 * data, size: as for memfd_new_sealed
 *
 * Return and errors: as memfd_new_sealed, and EINVAL (an unknown name).
 */
int memfd_new_sealed_str(const char *name, const char *flags, const void *data,
			 size_t size);

/**
 * memfd_new_sealed_copy with flags by name.
 *
 * name, flags: as for memfd_new_str
 * fd, max: as for memfd_new_sealed_copy
 *
 * Return and errors: as memfd_new_sealed_copy, and EINVAL (an unknown name).
 */
int memfd_new_sealed_copy_str(const char *name, const char *flags, int fd,
			      size_t max);

/**
 * memfd_check_seals with seals by name.
 *
 * fd: any descriptor
 * seals: names as for memfd_parse_seals: "immutable"; at least one
 *
 * Return and errors: as memfd_check_seals, and EINVAL (an unknown name, or
 * none) and EFAULT (seals is NULL), whatever fd is.
 */
int memfd_check_seals_str(int fd, const char *seals);

/**
 * Convert names of flags to their number.
 *
 * names: "cloexec", "allow-sealing", "huge-2mb" and so on, or C constants, in
 * any case and with _ or -; and hexadecimal numbers; separated by commas, | or
 * white space. NULL and a string without a name are 0.
 * flags: receives the number; unchanged on error
 * stop: NULL, or receives the length of names or, if a name is refused
 * (EINVAL), its offset
 *
 * Return: 0. Errors: EINVAL (an unknown name, or a second, different huge page
 * size), EFAULT (flags is NULL).
 */
int memfd_parse_flags(const char *names, unsigned int *flags, size_t *stop);

/**
 * Convert names of seals to their number.
 *
 * names: "seal", "shrink", "grow", "write", "future-write", "exec" and
 * "immutable", written as for memfd_parse_flags; not NULL
 * seals: receives the number; unchanged on error
 * stop: as for memfd_parse_flags
 *
 * Return: 0. Errors: EINVAL (an unknown name), EFAULT (names or seals is NULL).
 */
int memfd_parse_seals(const char *names, unsigned int *seals, size_t *stop);

/**
 * Convert seals to their names, separated by commas; bits without a name follow
 * as one hexadecimal number: "shrink,grow,0x40".
 *
 * seals: any number
 * buf: receives at most size bytes, including the null byte; may be NULL if
 * size is 0
 * size: in bytes; MEMFD_SEALS_STRLEN is always enough
 *
 * Return: the length of the whole text, without the null byte, as snprintf(3)
 * does; if that is size or more, the text was truncated. Errors: EFAULT (buf is
 * NULL and size not 0).
 */
int memfd_format_seals(unsigned int seals, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

/*
 * Define MEMFD_GENERIC before the include to pass either numbers or names to
 * the same function: memfd_seal(fd, MEMFD_SEAL_WRITE) or memfd_seal(fd,
 * "write"). A string, and a pointer to void such as NULL, selects the _str
 * function. memfd_new_sized takes either two numbers or two strings. Requires
 * C11.
 */
#if defined(MEMFD_GENERIC) && !defined(__cplusplus)
#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 201112L
#error "MEMFD_GENERIC requires C11 or later"
#endif
#if __STDC_VERSION__ >= 202311L ||                                             \
	(__STDC_VERSION__ > 201710L &&                                         \
	 (__GNUC__ >= 13 || (defined(__clang__) && __clang_major__ >= 16)))
#define MEMFD_GENERIC_NULLPTR_(function) __typeof__(nullptr) : function,
#else
#define MEMFD_GENERIC_NULLPTR_(function)
#endif
/* clang-format off */
#define MEMFD_GENERIC_(argument, function)                                     \
	_Generic((argument), MEMFD_GENERIC_NULLPTR_(function##_str)            \
		char *: function##_str, const char *: function##_str,          \
		void *: function##_str, const void *: function##_str,          \
		default: function)
/* clang-format on */
#define memfd_new(name, ...)                                                   \
	MEMFD_GENERIC_((__VA_ARGS__), memfd_new)(name, __VA_ARGS__)
#define memfd_seal(fd, ...)                                                    \
	MEMFD_GENERIC_((__VA_ARGS__), memfd_seal)(fd, __VA_ARGS__)
#define memfd_new_sized(name, flags, size, ...)                                \
	MEMFD_GENERIC_((__VA_ARGS__), memfd_new_sized)                         \
	(name, flags, size, __VA_ARGS__)
#define memfd_new_sealed(name, flags, ...)                                     \
	MEMFD_GENERIC_(flags, memfd_new_sealed)(name, flags, __VA_ARGS__)
#define memfd_new_sealed_copy(name, flags, ...)                                \
	MEMFD_GENERIC_(flags, memfd_new_sealed_copy)(name, flags, __VA_ARGS__)
#define memfd_check_seals(fd, ...)                                             \
	MEMFD_GENERIC_((__VA_ARGS__), memfd_check_seals)(fd, __VA_ARGS__)
#endif

#endif
