/* SPDX-License-Identifier: MIT */

/* What a consumer does first, with a function of each source file. */

#include <memfd.h>
#include <stdio.h>

int main(void)
{
	int fd = memfd_new_sealed("consumer", 0, "sealed", 6);

	if (fd < 0 || memfd_check_seals_str(fd, "immutable") < 0) {
		perror("memfd_new_sealed");
		return 1;
	}
	return 0;
}
