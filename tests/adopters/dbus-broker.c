// SPDX-License-Identifier: MIT
/*
 * What the rest of dbus-broker calls to create and seal, over libmemfd. Its
 * flags and seals have the kernel's values; errors are negative numbers.
 */
#include <errno.h>
#include <memfd.h>
#include "util/error.h"
#include "util/misc.h"

int misc_memfd(const char *name, unsigned int flags, unsigned int seals)
{
	unsigned int exec = flags & (MISC_MFD_EXEC | MISC_MFD_NOEXEC_SEAL);
	int fd;

	if (!exec)
		return error_origin(-ENOTRECOVERABLE);
	if (!(flags & MISC_MFD_ALLOW_SEALING)) {
		if (seals & ~MISC_F_SEAL_SEAL)
			return error_origin(-ENOTRECOVERABLE);
		/* memfd_new sets this one. */
		seals = 0;
	}
	if (!(flags & MISC_MFD_CLOEXEC))
		flags |= MEMFD_INHERIT;
	/* The default is not executable, on older kernels too. */
	if (exec == MISC_MFD_NOEXEC_SEAL)
		flags &= ~MISC_MFD_NOEXEC_SEAL;
	fd = memfd_new_sized(name, flags, 0, seals);
	return fd < 0 ? error_origin(-errno) : fd;
}

int misc_memfd_add_seals(int fd, unsigned int seals)
{
	return memfd_seal(fd, seals) < 0 ? error_origin(-errno) : 0;
}

int misc_memfd_get_seals(int fd, unsigned int *sealsp)
{
	int seals = memfd_get_seals(fd);

	if (seals < 0)
		return error_origin(-errno);
	*sealsp = (unsigned int)seals;
	return 0;
}
