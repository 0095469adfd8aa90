/* SPDX-License-Identifier: MIT */

/*
 * pages LIBRARY EMPTY: a process that loads and uses the library has as many
 * pages of its own for it as for a library with nothing in it. Prints TAP.
 */

#define _GNU_SOURCE 1

#include <dlfcn.h>
#include <unistd.h>

#include "../tap.h"

static void *load(const char *file)
{
	void *library = dlopen(file, RTLD_LAZY | RTLD_LOCAL);

	need(library != NULL, file);
	return library;
}

/*
 * The KiB of the file's mappings that this process has written and has a copy
 * of, or -1. Private_Dirty would count those of a new file not yet on disk,
 * too.
 */
static long copied(const char *file)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	char *path = realpath(file, NULL);
	char line[4096 + 128];
	long total = -1, kib;
	int inside = 0;

	while (smaps && path && fgets(line, sizeof(line), smaps)) {
		/* The address of a mapping; else what is said of it. */
		if (line[0] < 'A' || line[0] > 'Z')
			inside = strstr(line, path) != NULL;
		else if (inside && sscanf(line, "Anonymous: %ld", &kib) == 1)
			total = (total < 0 ? 0 : total) + kib;
	}
	free(path);
	if (smaps)
		fclose(smaps);
	return total;
}

int main(int argc, char **argv)
{
	int (*parse)(const char *, unsigned int *, size_t *);
	unsigned int flags = 0;
	long full, empty;

	if (argc != 3)
		return 2;
	load(argv[2]);
	*(void **)&parse = dlsym(load(argv[1]), "memfd_parse_flags");
	if (!parse || parse("cloexec", &flags, NULL) < 0 || flags != 1)
		return 2;

	if (access("/proc/self/smaps", R_OK) < 0) {
		printf("1..0 # SKIP /proc is not mounted\n");
		return 0;
	}
	full = copied(argv[1]);
	empty = copied(argv[2]);
	ok(full >= 0 && full <= empty,
	   "dirty_pages: %ld KiB, an empty library's %ld", full, empty);
	return done_testing();
}
