/* SPDX-License-Identifier: MIT */

/* memfd_new_sealed_copy: the whole of a file, sealed, or nothing. */

#include "unit.h"

#include <pthread.h>
#include <sys/socket.h>

static char pattern[LARGEST];

/* What a file holds, read in another way. Returns its size. */
static size_t content_of(int fd, char *content, size_t size)
{
	size_t at = 0;
	ssize_t n;

	while ((n = pread(fd, content + at, size - at, (off_t)at)) > 0)
		at += (size_t)n;
	assert_int_equal(n, 0);
	return at;
}

/* All of it arrives, within any limit that it fits, wherever the offset is. */
static void copies(int fd, const char *content, size_t size)
{
	const off_t offsets[] = { 0, 1, (off_t)size, (off_t)size + 1 };
	size_t i;

	for (i = 0; i < COUNT(offsets); i++) {
		assert_int_equal(lseek(fd, offsets[i], SEEK_SET), offsets[i]);
		holds(succeeds(memfd_new_sealed_copy("copy", 0, fd, SIZE_MAX)),
		      content, size);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), offsets[i]);
		holds(succeeds(memfd_new_sealed_copy("copy", 0, fd, size)),
		      content, size);
		holds(succeeds(memfd_new_sealed_copy("copy", 0, fd, size + 1)),
		      content, size);
		if (size)
			fails(memfd_new_sealed_copy("copy", 0, fd, size - 1),
			      EFBIG);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), offsets[i]);
	}
	if (size)
		fails(memfd_new_sealed_copy("copy", 0, fd, 0), EFBIG);
	/* A limit whose lower half is 0. */
	holds(succeeds(memfd_new_sealed_copy_str("copy", NULL, fd,
						 SIZE_MAX / 2 + 1)),
	      content, size);
}

static void files_on_disk_and_tmpfs(void **state)
{
	const size_t sizes[] = SIZES;
	int on_tmpfs, copied = 0;
	size_t i;

	(void)state;
	for (on_tmpfs = 0; on_tmpfs < 2; on_tmpfs++) {
		int fd = out_of_the_way(temporary_file(on_tmpfs));

		if (fd < 0)
			continue;
		for (i = 0; i < COUNT(sizes); i++) {
			assert_int_equal(ftruncate(fd, 0), 0);
			assert_int_equal(pwrite(fd, pattern, sizes[i], 0),
					 sizes[i]);
			copies(fd, pattern, sizes[i]);
		}
		close_it(fd);
		copied++;
	}
	if (!copied)
		skip_because("nowhere to write a file");
}

/* Where these can be opened with O_DIRECT, that wants whole, aligned blocks. */
static void files_open_for_direct_io(void **state)
{
	const size_t sizes[] = { 0,    1,    511,   512,   513,	  4095,
				 4096, 4097, 65535, 65536, 65537, LARGEST };
	int fd = out_of_the_way(temporary_file(0));
	int direct = open_again(fd, O_RDONLY | O_DIRECT);
	size_t i;

	(void)state;
	for (i = 0; direct >= 0 && i < COUNT(sizes); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, pattern, sizes[i], 0), sizes[i]);
		copies(direct, pattern, sizes[i]);
	}
	if (fd >= 0)
		close_it(fd);
	if (direct < 0)
		skip_because("nowhere to write a file that O_DIRECT opens");
	close_it(direct);
}

static void memfds_sealed_or_not(void **state)
{
	int fd = out_of_the_way(memfd_new("source", MEMFD_ALLOW_SEALING));
	int reader;

	(void)state;
	assert_int_equal(write(fd, pattern, 5000), 5000);
	copies(fd, pattern, 5000);
	assert_int_equal(memfd_seal(fd, ALL_SEALS), 0);
	copies(fd, pattern, 5000);
	reader = out_of_the_way(reopen(fd, O_RDONLY));
	copies(reader, pattern, 5000);
	close_it(reader);
	close_it(fd);
}

static void holes_are_zeros(void **state)
{
	static char content[LARGEST];
	int fd = out_of_the_way(memfd_new_sized("source", 0, LARGEST, 0));

	(void)state;
	memset(content, 0, sizeof(content));
	content[LARGEST / 2] = 'x';
	assert_int_equal(pwrite(fd, "x", 1, LARGEST / 2), 1);
	copies(fd, content, LARGEST);
	close_it(fd);
}

/* Some of them refuse sendfile(2), and which ones depends on the kernel. */
static void files_of_proc_and_sys(void **state)
{
	static const char *const paths[] = {
		"/proc/self/cmdline",
		"/proc/self/environ",
		"/proc/self/auxv",
		"/proc/version",
		"/sys/kernel/notes",
		"/sys/kernel/mm/transparent_hugepage/enabled",
		"/sys/devices/system/cpu/online",
	};
	static char content[LARGEST];
	int copied = 0;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(paths); i++) {
		int fd = out_of_the_way(open(paths[i], O_RDONLY | O_CLOEXEC));

		if (fd < 0)
			continue;
		copies(fd, content, content_of(fd, content, LARGEST));
		close_it(fd);
		copied++;
	}
	if (!copied)
		skip_because("neither /proc nor /sys is mounted");
}

static void endless_file_is_efbig(void **state)
{
	static const char *const paths[] = { "/dev/zero",
					     "/proc/self/pagemap" };
	int fd = out_of_the_way(open("/dev/null", O_RDONLY | O_CLOEXEC));
	size_t i;

	(void)state;
	if (fd >= 0) {
		holds(succeeds(memfd_new_sealed_copy("copy", 0, fd, 0)), "", 0);
		close_it(fd);
	}
	for (i = 0; i < COUNT(paths); i++) {
		fd = out_of_the_way(open(paths[i], O_RDONLY | O_CLOEXEC));
		if (fd < 0)
			continue;
		fails(memfd_new_sealed_copy("copy", 0, fd, 0), EFBIG);
		fails(memfd_new_sealed_copy("copy", 0, fd, 1), EFBIG);
		fails(memfd_new_sealed_copy("copy", 0, fd, LARGEST), EFBIG);
		close_it(fd);
	}
}

static void endless_file_without_a_limit_fills_what_there_is(void **state)
{
	int fd = out_of_the_way(open("/dev/zero", O_RDONLY | O_CLOEXEC));
	struct rlimit limit, small;

	(void)state;
	if (fd < 0)
		skip_because("no /dev/zero");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small = limit;
	small.rlim_cur = 1 << 20;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	fails(memfd_new_sealed_copy("copy", 0, fd, SIZE_MAX), EFBIG);
	fails(memfd_new_sealed_copy("copy", 0, fd, 1 << 21), EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	signal(SIGXFSZ, SIG_DFL);
	close_it(fd);
}

/* In each: -1 and this errno, whatever the limit, and nothing is left. */
static void refuses(int fd, int err)
{
	fails(memfd_new_sealed_copy("copy", 0, fd, SIZE_MAX), err);
	fails(memfd_new_sealed_copy("copy", MEMFD_INHERIT, fd, 1), err);
	fails(memfd_new_sealed_copy_str("copy", NULL, fd, 0), err);
}

static void pipe_socket_and_terminal_are_espipe(void **state)
{
	int ends[4], i, terminal;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends + 2), 0);
	for (i = 0; i < 4; i++)
		ends[i] = out_of_the_way(ends[i]);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(write(ends[3], "x", 1), 1);
	refuses(ends[0], ESPIPE);
	refuses(ends[2], ESPIPE);
	for (i = 0; i < 4; i++)
		close_it(ends[i]);
	terminal = out_of_the_way(posix_openpt(O_RDWR | O_NOCTTY));
	if (terminal < 0)
		skip_because("no terminal to be had");
	refuses(terminal, ESPIPE);
	close_it(terminal);
}

static void directory_is_eisdir(void **state)
{
	static const char *const paths[] = { "/", "/proc", "/sys", "/dev/shm" };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(paths); i++) {
		int fd = out_of_the_way(open(paths[i], O_RDONLY | O_CLOEXEC));

		if (fd < 0)
			continue;
		refuses(fd, EISDIR);
		close_it(fd);
	}
}

static void descriptor_not_open_for_reading_is_ebadf(void **state)
{
	int fd = out_of_the_way(memfd_new_sealed("source", 0, "x", 1));
	int other, ends[2], lowest;

	(void)state;
	refuses(-1, EBADF);
	assert_int_equal(pipe(ends), 0);
	ends[1] = out_of_the_way(ends[1]);
	refuses(ends[1], ESPIPE);
	close_it(ends[0]);
	close_it(ends[1]);
	/* Closed: the first is the number that the new file gets. */
	lowest = dup(fd);
	close_it(lowest);
	refuses(lowest, EBADF);
	refuses(255, EBADF);
	other = out_of_the_way(reopen(fd, O_PATH));
	refuses(other, EBADF);
	close_it(other);
	close_it(fd);

	fd = out_of_the_way(memfd_new("source", 0));
	other = out_of_the_way(reopen(fd, O_WRONLY));
	refuses(other, EBADF);
	close_it(other);
	close_it(fd);
}

static void flags_are_judged_before_the_source(void **state)
{
	(void)state;
	fails(memfd_new_sealed_copy("copy", 0x01000000, -1, 1), EINVAL);
	fails(memfd_new_sealed_copy_str("copy", "nope", -1, 1), EINVAL);
}

/* At this address there is nothing. */
static void error_of_read_is_that_of_the_copy(void **state)
{
	int fd = out_of_the_way(open("/proc/self/mem", O_RDONLY | O_CLOEXEC));

	(void)state;
	if (fd < 0)
		skip_because("no /proc/self/mem");
	refuses(fd, EIO);
	close_it(fd);
}

static volatile sig_atomic_t done;

static void *changes_size(void *arg)
{
	int i, fd = *(int *)arg;

	for (i = 0; i < 2000; i++)
		if (ftruncate(fd, 0) < 0 ||
		    pwrite(fd, pattern, (size_t)(i * 7919 % LARGEST), 0) < 0)
			break;
	done = 1;
	return NULL;
}

/* Each copy is a beginning of the pattern, with zeros for what has gone. */
static void file_that_shrinks_and_grows_meanwhile(void **state)
{
	static char content[LARGEST + 1];
	int fd = out_of_the_way(memfd_new("source", 0));
	pthread_t thread;
	size_t size, i;

	(void)state;
	done = 0;
	assert_int_equal(pthread_create(&thread, NULL, changes_size, &fd), 0);
	while (!done) {
		int copy = memfd_new_sealed_copy("copy", 0, fd, LARGEST);

		if (copy < 0)
			fail_msg("copying: %s", strerror(errno));
		size = content_of(copy, content, sizeof(content));
		assert_int_equal(memfd_check_seals(copy, ALL_SEALS), 0);
		close_it(copy);
		assert_true(size <= LARGEST);
		for (i = 0; i < size; i++)
			if (content[i] && content[i] != pattern[i])
				fail_msg("byte %zu of %zu is not the file's", i,
					 size);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	close_it(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(files_on_disk_and_tmpfs),
		promise(files_open_for_direct_io),
		promise(memfds_sealed_or_not),
		promise(holes_are_zeros),
		promise(files_of_proc_and_sys),
		promise(endless_file_is_efbig),
		promise(endless_file_without_a_limit_fills_what_there_is),
		promise(pipe_socket_and_terminal_are_espipe),
		promise(directory_is_eisdir),
		promise(descriptor_not_open_for_reading_is_ebadf),
		promise(error_of_read_is_that_of_the_copy),
		promise(flags_are_judged_before_the_source),
		promise(file_that_shrinks_and_grows_meanwhile),
	};
	size_t i;

	for (i = 0; i < LARGEST; i++)
		pattern[i] = (char)(1 + (i * 7 + i / 256) % 255);
	bound_files();
	return run_twice("copy", tests);
}
