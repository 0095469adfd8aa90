/* SPDX-License-Identifier: MIT */

/* More than one pwrite(2) or sendfile(2) can move. */

#include "unit.h"

#include <sys/wait.h>

/* One pwrite moves whole pages, and less than 2 GiB: see write(2), NOTES. */
#define SEAM (0x7fffffffUL & -(unsigned long)page_size())
#define SIZE 0x80100000UL

#define MARK "either side of the seam"

/* The one in the middle is about SEAM. */
static unsigned long long marks[] = { 0, 0, SIZE - sizeof(MARK) };

/*
 * In a process of its own, which is the first that the kernel kills where there
 * is too little memory, on the machine or in a cgroup.
 */
static void unless_it_is_killed(void test(void))
{
	pid_t child = fork();
	int status, score;

	assert_true(child >= 0);
	if (child == 0) {
		score = open("/proc/self/oom_score_adj", O_WRONLY);
		(void)!write(score, "1000", 4);
		close(score);
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		skip_because("killed for want of memory");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip_because("no 2 GiB of addresses");
	assert_int_equal(status, 0);
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

static void data_arrives(void)
{
	char *data;
	size_t i;
	int fd;

	/* What was never written to reads as zeros and takes no memory. */
	data = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (data == MAP_FAILED)
		_exit(77);
	for (i = 0; i < COUNT(marks); i++)
		memcpy(data + marks[i], MARK, sizeof(MARK));

	fd = succeeds(memfd_new_sealed("large", 0, data, SIZE));
	assert_int_equal(munmap(data, SIZE), 0);
	arrived(fd);
}

static void file_arrives(void)
{
	size_t i;
	int from;

	from = succeeds(memfd_new_sized("source", 0, SIZE, 0));
	for (i = 0; i < COUNT(marks); i++)
		assert_int_equal(pwrite(from, MARK, sizeof(MARK),
					(off_t)marks[i]),
				 sizeof(MARK));
	arrived(succeeds(memfd_new_sealed_copy("large", 0, from, SIZE)));
	close_it(from);
}

static void two_gigabytes_of_data_arrive_whole(void **state)
{
	(void)state;
	unless_it_is_killed(data_arrives);
}

static void two_gigabytes_of_a_file_arrive_whole(void **state)
{
	(void)state;
	unless_it_is_killed(file_arrives);
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
