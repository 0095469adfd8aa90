/* SPDX-License-Identifier: MIT */

/*
 * The constants of the interface: no function takes an enum by type, so the
 * debugging information of the library alone would not hold them.
 */

#include "memfd.h"

union memfd_constants {
	enum memfd_flags flags;
	enum memfd_seals seals;
	enum memfd_sizes sizes;
	enum memfd_macros {
		HUGE_16GB_HIGH = MEMFD_HUGE_16GB >> 16,
		HUGE_16GB_LOW = MEMFD_HUGE_16GB & 0xffff
	} macros;
};

extern const union memfd_constants memfd_constants;
const union memfd_constants memfd_constants = { 0 };
