/* SPDX-License-Identifier: MIT */

/* What compiler and crt files put into any library: see object.py. */

extern int empty;
