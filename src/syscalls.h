/* SPDX-License-Identifier: MIT */

/*
 * The system calls, as every libc and every set of kernel headers declares
 * them, and memfd_create(2) where they do not: glibc before 2.27, kernel
 * headers before 3.17. Only this file knows about architectures. It must come
 * before any other include.
 */

#ifndef SYSCALLS_H
#define SYSCALLS_H

/*
 * With _FILE_OFFSET_BITS, fcntl would be fcntl64@GLIBC_2.28, and the object
 * would not load on an older glibc. _TIME_BITS=64 alone is an error, so both
 * go. Offsets have 64 bits all the same: see the names that end in 64 below.
 */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

/* A header of libc that -include named has made glibc decide without these. */
#ifdef _FEATURES_H
#undef _FEATURES_H
#include <features.h>
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

/* Elsewhere off_t always has 64 bits, and the names may be missing (musl). */
#if !defined(__GLIBC__) && !defined(__BIONIC__)
_Static_assert(sizeof(off_t) == 8, "off_t has 64 bits");
#define off64_t off_t
#define ftruncate64 ftruncate
#define pread64 pread
#define pwrite64 pwrite
#define sendfile64 sendfile
#endif

/* On 32-bit, glibc 2.28 gave fcntl a new version: the call is fcntl64(2). */
#if !defined(HAVE_MEMFD_CREATE) && defined(SYS_fcntl64)
#define fcntl(...) ((int)syscall(SYS_fcntl64, __VA_ARGS__))
#endif

/* From the kernel's tables; tests/arches compares them. */
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
