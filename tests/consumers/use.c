/* SPDX-License-Identifier: MIT */

/* What a consumer does first, in C and in C++. */

#include <errno.h>
#include <memfd.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	static const char text[] = "sealed";
	int fd = memfd_new_sealed("consumer", 0, text, sizeof(text));

	if (fd < 0 || memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE) < 0) {
		perror("memfd_new_sealed");
		return 1;
	}
	if (write(fd, text, 1) >= 0 || errno != EPERM) {
		fputs("a sealed memfd was written to\n", stderr);
		return 1;
	}
	if (memfd_check_seals_str(fd, "immutable") < 0) {
		perror("memfd_check_seals_str");
		return 1;
	}
	close(fd);
	return 0;
}
