/* SPDX-License-Identifier: MIT */

/* A library with nothing in it: what remains is the compiler's own. */
typedef int nothing;
