/* SPDX-License-Identifier: MIT */

/* memfd_new_sealed: more than one pwrite(2) can move. */

#include "unit.h"

/* One pwrite moves at most SEAM: see write(2), NOTES. */
#define SEAM 0x7ffff000UL
#define SIZE 0x80100000UL

#define MARK "either side of the seam"

/* Reads the first number after a word, in a file that has lines of both. */
static unsigned long long number_in(const char *path, const char *word)
{
	unsigned long long number = ~0ULL;
	char line[128], format[64];
	FILE *file = fopen(path, "re");

	if (!file)
		return number;
	snprintf(format, sizeof(format), "%s%%llu", word);
	while (fgets(line, sizeof(line), file) &&
	       sscanf(line, format, &number) != 1)
		;
	fclose(file);
	return number;
}

static unsigned long long available_memory(void)
{
	unsigned long long free_kib =
		number_in("/proc/meminfo", "MemAvailable:");
	unsigned long long limit = number_in("/sys/fs/cgroup/memory.max", "");
	unsigned long long used =
		number_in("/sys/fs/cgroup/memory.current", "");

	if (free_kib == ~0ULL)
		return 0;
	if (limit != ~0ULL && used < limit && limit - used < free_kib * 1024)
		return limit - used;
	return free_kib * 1024;
}

static void two_gigabytes_and_more_arrive_whole(void **state)
{
	static const size_t marks[] = { 0, SEAM - sizeof(MARK) / 2,
					SIZE - sizeof(MARK) };
	char content[sizeof(MARK)];
	struct stat st;
	char *data;
	size_t i;
	int fd;

	(void)state;
	/* And something for whoever else is running. */
	if (available_memory() < SIZE + SIZE / 4)
		skip_because("only %llu MiB of memory to be had",
			     available_memory() >> 20);
	/* What was never written to reads as zeros and takes no memory. */
	data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED)
		skip_because("no 2 GiB of addresses: %s", strerror(errno));
	for (i = 0; i < COUNT(marks); i++)
		memcpy(data + marks[i], MARK, sizeof(MARK));

	fd = succeeds(memfd_new_sealed("large", 0, data, SIZE));
	assert_int_equal(munmap(data, SIZE), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true((unsigned long long)st.st_size == SIZE);
	for (i = 0; i < COUNT(marks); i++) {
		assert_int_equal(pread(fd, content, sizeof(content),
				       (off_t)marks[i]),
				 sizeof(content));
		assert_memory_equal(content, MARK, sizeof(MARK));
	}
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(memfd_check_seals(fd, MEMFD_SEAL_SEAL |
						       MEMFD_SEAL_IMMUTABLE),
			 0);
	close_it(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(two_gigabytes_and_more_arrive_whole),
	};

	return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
