/* SPDX-License-Identifier: MIT */

/* memfd_new_sealed_copy: the whole of a file, sealed, or nothing. */

#include "unit.h"

#include <sys/socket.h>

static char pattern[LARGEST];

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

/* With O_DIRECT too, which wants whole, aligned blocks. */
static void files_on_disk_and_tmpfs(void **state)
{
	const size_t sizes[] = SIZES;
	int on_tmpfs, copied = 0;
	size_t i;

	(void)state;
	for (on_tmpfs = 0; on_tmpfs < 2; on_tmpfs++) {
		int fd = temporary_file(on_tmpfs);
		int direct = open_again(fd, O_RDONLY | O_DIRECT);

		if (fd < 0)
			continue;
		for (i = 0; i < COUNT(sizes); i++) {
			assert_int_equal(ftruncate(fd, 0), 0);
			assert_int_equal(pwrite(fd, pattern, sizes[i], 0),
					 sizes[i]);
			copies(fd, pattern, sizes[i]);
			if (direct >= 0)
				copies(direct, pattern, sizes[i]);
		}
		if (direct >= 0)
			close_it(direct);
		close_it(fd);
		copied++;
	}
	if (!copied)
		skip_because("nowhere to write a file");
}

/* Sealed, with a hole, and open for reading only. */
static void memfd_of_a_peer(void **state)
{
	static char content[LARGEST];
	int fd = memfd_new_sized("source", MEMFD_ALLOW_SEALING, LARGEST, 0);

	(void)state;
	content[LARGEST / 2] = 'x';
	assert_int_equal(pwrite(fd, "x", 1, LARGEST / 2), 1);
	assert_int_equal(memfd_seal(fd, ALL_SEALS), 0);
	fd = reopened(fd, O_RDONLY);
	copies(fd, content, LARGEST);
	close_it(fd);
}

/* Some refuse sendfile(2), depending on the kernel, and some never end. */
static void files_of_proc_sys_and_dev(void **state)
{
	static const char *const paths[] = { "/proc/version", "/proc/self/auxv",
					     "/sys/devices/system/cpu/online",
					     "/proc/self/pagemap",
					     "/dev/zero" };
	char content[4096];
	int copied = 0;
	size_t i, size;

	(void)state;
	for (i = 0; i < COUNT(paths); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		size = (size_t)pread(fd, content, sizeof(content), 0);
		if (size < sizeof(content)) {
			copies(fd, content, size);
		} else {
			fails(memfd_new_sealed_copy("copy", 0, fd, 0), EFBIG);
			fails(memfd_new_sealed_copy("copy", 0, fd, LARGEST),
			      EFBIG);
		}
		close_it(fd);
		copied++;
	}
	if (!copied)
		skip_because("neither /proc nor /sys is mounted");
}

/* In each: -1 and this errno, whatever the limit, and nothing is left. */
static void refuses(int fd, int err)
{
	fails(memfd_new_sealed_copy("copy", 0, fd, SIZE_MAX), err);
	fails(memfd_new_sealed_copy("copy", MEMFD_INHERIT, fd, 1), err);
	fails(memfd_new_sealed_copy_str("copy", NULL, fd, 0), err);
	close(fd);
}

static void pipe_socket_and_terminal_are_espipe(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);

	(void)state;
	refuses(pipe_end(0), ESPIPE);
	refuses(socket(AF_UNIX, SOCK_STREAM, 0), ESPIPE);
	if (terminal < 0)
		skip_because("no terminal to be had");
	refuses(terminal, ESPIPE);
}

static void directory_is_eisdir(void **state)
{
	(void)state;
	refuses(open("/", O_RDONLY | O_CLOEXEC), EISDIR);
}

static void descriptor_not_open_for_reading_is_ebadf(void **state)
{
	int closed = memfd_new("source", 0);

	(void)state;
	close_it(closed);
	/* The number that the new file gets. */
	refuses(closed, EBADF);
	refuses(255, EBADF);
	refuses(-1, EBADF);
	refuses(reopened(memfd_new("source", 0), O_PATH), EBADF);
	refuses(reopened(memfd_new("source", 0), O_WRONLY), EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(files_on_disk_and_tmpfs),
		promise(memfd_of_a_peer),
		promise(files_of_proc_sys_and_dev),
		promise(pipe_socket_and_terminal_are_espipe),
		promise(directory_is_eisdir),
		promise(descriptor_not_open_for_reading_is_ebadf),
	};

	make_pattern(pattern, LARGEST);
	bound_files();
	return cmocka_run_group_tests_name("copy", tests, NULL, NULL);
}
