/* SPDX-License-Identifier: MIT */

/* The number that src/syscalls.h has is the one of the kernel's headers. */

#include <asm/unistd.h>

#include "../../src/syscalls.h"

#ifndef MEMFD_CREATE_NR
#error "src/syscalls.h has no number for this architecture"
#endif

_Static_assert(MEMFD_CREATE_NR == __NR_memfd_create, "as the kernel has it");
