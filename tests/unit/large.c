/* SPDX-License-Identifier: MIT */

/* More than one pwrite(2) or sendfile(2) can move. */

#include "unit.h"

#include "../shared/memory.h"

/* One pwrite moves whole pages, and less than 2 GiB: see write(2), NOTES. */
#define SEAM (0x7fffffffUL & -(unsigned long)page_size())
#define SIZE 0x80100000UL

#define MARK "either side of the seam"

/* The one in the middle is about SEAM. */
static unsigned long long marks[] = { 0, 0, SIZE - sizeof(MARK) };

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

	marks[1] = SEAM - sizeof(MARK) / 2;
	return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}
