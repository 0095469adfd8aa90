// SPDX-License-Identifier: MIT
/*
 * Creates files with the function that wayland and weston both have, and with
 * the one that only weston has, then waits for somebody to look at them.
 */
#include <stdio.h>
#include <sys/types.h>

int os_create_anonymous_file(off_t size);
void *os_ro_anonymous_file_create(size_t size, const char *data)
	__attribute__((weak));

int main(void)
{
	if (os_create_anonymous_file(4096) < 0)
		return perror("os_create_anonymous_file"), 1;
	if (os_ro_anonymous_file_create &&
	    !os_ro_anonymous_file_create(7, "keymap"))
		return perror("os_ro_anonymous_file_create"), 1;
	puts("ready");
	fflush(stdout);
	return getchar() != EOF;
}
