// SPDX-License-Identifier: MIT
/*
 * The executable that crun runs instead of its own, so that no container can
 * write to the one on the disk: a read-only mount of it, or else a sealed copy.
 */
#include <fcntl.h>
#include <memfd.h>
#include <stdint.h>
#include <unistd.h>

int try_bindfd_mount_api(void);
int try_bindfd(void);
int clone_binary(void);

int clone_binary(void)
{
	int exe, fd;

	fd = try_bindfd_mount_api();
	if (fd < 0)
		fd = try_bindfd();
	if (fd >= 0)
		return fd;
	exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	fd = memfd_new_sealed_copy("crun_cloned:/proc/self/exe", MEMFD_EXEC,
				   exe, SIZE_MAX);
	close(exe);
	return fd;
}
