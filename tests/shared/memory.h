/* SPDX-License-Identifier: MIT */

/* How much memory a test can have, on this machine and in its cgroups. */

#ifndef MEMORY_H
#define MEMORY_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number after a word that begins a line, or else this one. */
static inline unsigned long long number_in(const char *folder, const char *name,
					   const char *word,
					   unsigned long long otherwise)
{
	unsigned long long number = otherwise;
	char path[PATH_MAX + 64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, word, strlen(word)) &&
		    (number = strtoull(line + strlen(word), NULL, 10)))
			break;
	if (file)
		fclose(file);
	return number;
}

/* What is left in a cgroup: pages of files can be had back. */
static inline unsigned long long left_in(const char *cgroup, const char *limit,
					 const char *usage, const char *cache)
{
	unsigned long long most = number_in(cgroup, limit, "", ~0ULL);
	unsigned long long used = number_in(cgroup, usage, "", 0);

	used -= number_in(cgroup, "memory.stat", cache, 0);
	return used < most ? most - used : 0;
}

/* The same of all memory cgroups that the process is in, version 1 or 2. */
static inline unsigned long long available_memory(void)
{
	unsigned long long least =
		number_in("/proc", "meminfo", "MemAvailable:", 0) << 10;
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX], cgroup[PATH_MAX + 32];

	while (file && fgets(line, sizeof(line), file)) {
		const char *path = strstr(line, ":memory:");
		int old = path != NULL;

		if (!old && strncmp(line, "0::", 3) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(cgroup, sizeof(cgroup), "/sys/fs/cgroup%s%s",
			 old ? "/memory" : "", old ? path + 8 : line + 3);
		/* And those above it. */
		for (; strcmp(cgroup, "/sys/fs") != 0;
		     *strrchr(cgroup, '/') = '\0') {
			unsigned long long left =
				old ? left_in(cgroup, "memory.limit_in_bytes",
					      "memory.usage_in_bytes",
					      "total_inactive_file ")
				    : left_in(cgroup, "memory.max",
					      "memory.current",
					      "inactive_file ");

			if (left < least)
				least = left;
		}
	}
	if (file)
		fclose(file);
	return least;
}

#endif
