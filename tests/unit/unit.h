/* SPDX-License-Identifier: MIT */

/* What the unit tests share: cmocka, and questions to the running kernel. */

#ifndef UNIT_H
#define UNIT_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "memfd.h"

#endif
