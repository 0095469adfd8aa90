/* SPDX-License-Identifier: MIT */

/*
 * System calls under the same names for all C libraries and kernel headers, and
 * memfd_create(2) where these lack it: glibc before 2.27, kernel headers before
 * 3.17. No other file depends on the architecture. Include this one before all
 * others.
 */

#ifndef SYSCALLS_H
#define SYSCALLS_H

#ifndef __linux__
#error "libmemfd requires Linux: memfds are files of the Linux kernel"
#endif

/*
 * With _FILE_OFFSET_BITS=64, fcntl would be fcntl64@GLIBC_2.28, and the object
 * would not load with an older glibc. Undefine _TIME_BITS too, because it is an
 * error on its own. Offsets have 64 bits all the same, in the functions whose
 * names end in 64.
 */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif

/*
 * In other C libraries, off_t always has 64 bits, and the names that end in 64
 * may be missing (musl).
 */
#if !defined(__GLIBC__) && !defined(__BIONIC__)
_Static_assert(sizeof(off_t) == 8, "off_t has 64 bits");
#define off64_t off_t
#define ftruncate64 ftruncate
#define pread64 pread
#define pwrite64 pwrite
#define sendfile64 sendfile
#elif defined(__GLIBC__) && !defined(__off64_t_defined)
typedef __off64_t off64_t;
#define __off64_t_defined
#endif

/*
 * If -include has included one of the headers above already, _GNU_SOURCE came
 * too late for it, and these are not declared.
 */
int fchmod(int fd, mode_t mode);
int ftruncate64(int fd, off64_t length);
int memfd_create(const char *name, unsigned int flags);
ssize_t pread64(int fd, void *buf, size_t size, off64_t offset);
ssize_t pwrite64(int fd, const void *buf, size_t size, off64_t offset);
ssize_t sendfile64(int out, int in, off64_t *offset, size_t size);
long syscall(long number, ...);

/*
 * On 32-bit architectures, fcntl has a new symbol version in glibc 2.28. An
 * object that is to load with older versions makes the system call itself.
 */
#if !defined(HAVE_MEMFD_CREATE) && defined(SYS_fcntl64)
#define fcntl(...) ((int)syscall(SYS_fcntl64, __VA_ARGS__))
#endif

/* From the system call tables of the kernel; tests/arches compares them. */
#if defined(__x86_64__) && defined(__ILP32__)
#define MEMFD_CREATE_NR (0x40000000 + 319)
#elif defined(__x86_64__)
#define MEMFD_CREATE_NR 319
#elif defined(__i386__)
#define MEMFD_CREATE_NR 356
#elif defined(__arm__)
#define MEMFD_CREATE_NR 385
#elif defined(__aarch64__) || defined(__riscv) || defined(__loongarch__)
#define MEMFD_CREATE_NR 279
#elif defined(__powerpc__)
#define MEMFD_CREATE_NR 360
#elif defined(__s390__)
#define MEMFD_CREATE_NR 350
#elif defined(__mips__) && _MIPS_SIM == _ABIO32
#define MEMFD_CREATE_NR 4354
#elif defined(__mips__) && _MIPS_SIM == _ABI64
#define MEMFD_CREATE_NR 5314
#elif defined(__mips__) && _MIPS_SIM == _ABIN32
#define MEMFD_CREATE_NR 6318
#endif

#ifndef SYS_memfd_create
#ifndef MEMFD_CREATE_NR
#error "memfd_create(2): no number for this architecture; update linux/unistd.h"
#endif
#define SYS_memfd_create MEMFD_CREATE_NR
#elif defined(MEMFD_CREATE_NR)
_Static_assert(SYS_memfd_create == MEMFD_CREATE_NR, "number in the headers");
#endif

static inline int sys_memfd_create(const char *name, unsigned int flags)
{
#ifdef HAVE_MEMFD_CREATE
	return memfd_create(name, flags);
#else
	return (int)syscall(SYS_memfd_create, name, flags);
#endif
}

#endif
