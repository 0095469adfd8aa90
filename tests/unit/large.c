/* SPDX-License-Identifier: MIT */

/* More than one pwrite(2) or sendfile(2) can move. */

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

static const unsigned long long marks[] = { 0, SEAM - sizeof(MARK) / 2,
					    SIZE - sizeof(MARK) };

/* And something for whoever else is running. */
static void need_memory(void)
{
	if (available_memory() < SIZE + SIZE / 4)
		skip_because("only %llu MiB of memory to be had",
			     available_memory() >> 20);
}

static void arrived(int fd)
{
	char content[sizeof(MARK)];
	struct stat st;
	size_t i;

	assert_int_equal(fstat(fd, &st), 0);
	assert_true((unsigned long long)st.st_size == SIZE);
	for (i = 0; i < COUNT(marks); i++) {
		assert_int_equal(pread(fd, content, sizeof(content),
				       (off_t)marks[i]),
				 sizeof(content));
		assert_memory_equal(content, MARK, sizeof(MARK));
	}
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(memfd_check_seals(fd, ALL_SEALS), 0);
	close_it(fd);
}

static void two_gigabytes_of_data_arrive_whole(void **state)
{
	char *data;
	size_t i;
	int fd;

	(void)state;
	need_memory();
	/* What was never written to reads as zeros and takes no memory. */
	data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED)
		skip_because("no 2 GiB of addresses: %s", strerror(errno));
	for (i = 0; i < COUNT(marks); i++)
		memcpy(data + marks[i], MARK, sizeof(MARK));

	fd = succeeds(memfd_new_sealed("large", 0, data, SIZE));
	assert_int_equal(munmap(data, SIZE), 0);
	arrived(fd);
}

static void two_gigabytes_of_a_file_arrive_whole(void **state)
{
	size_t i;
	int from;

	(void)state;
	need_memory();
	from = succeeds(memfd_new_sized("source", 0, SIZE, 0));
	for (i = 0; i < COUNT(marks); i++)
		assert_int_equal(pwrite(from, MARK, sizeof(MARK),
					(off_t)marks[i]),
				 sizeof(MARK));
	arrived(succeeds(memfd_new_sealed_copy("large", 0, from, SIZE)));
	close_it(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(two_gigabytes_of_data_arrive_whole),
		promise(two_gigabytes_of_a_file_arrive_whole),
	};

	return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
