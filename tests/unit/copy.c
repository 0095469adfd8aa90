/* SPDX-License-Identifier: MIT */

/* memfd_new_sealed_copy: the whole of a file, sealed, or nothing. */

#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define LARGEST 100000

static long page;
static char pattern[LARGEST];

/* Leaves the lowest numbers, 0 among them, to what is tested. */
static int source(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 100);

	if (fd >= 0)
		close_it(fd);
	return high;
}

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
		if (size)
			fails(memfd_new_sealed_copy("copy", 0, fd, size - 1),
			      EFBIG);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), offsets[i]);
	}
	if (size)
		fails(memfd_new_sealed_copy("copy", 0, fd, 0), EFBIG);
	holds(succeeds(memfd_new_sealed_copy_str("copy", NULL, fd, size + 1)),
	      content, size);
}

static void copies_every_size(int fd)
{
	const size_t sizes[] = { 0,
				 1,
				 (size_t)page - 1,
				 (size_t)page,
				 (size_t)page + 1,
				 2 * (size_t)page,
				 2 * (size_t)page + 1,
				 LARGEST };
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, pattern, sizes[i], 0), sizes[i]);
		copies(fd, pattern, sizes[i]);
	}
	close_it(fd);
}

static void files_on_disk_and_tmpfs(void **state)
{
	int disk = source(temporary_file(0)), tmpfs = source(temporary_file(1));

	(void)state;
	if (disk >= 0)
		copies_every_size(disk);
	if (tmpfs >= 0)
		copies_every_size(tmpfs);
	if (disk < 0 && tmpfs < 0)
		skip_because("nowhere to write a file");
}

static void memfds_sealed_or_not(void **state)
{
	int fd = source(succeeds(memfd_new("source", MEMFD_ALLOW_SEALING)));
	int reader;

	(void)state;
	assert_int_equal(write(fd, pattern, 5000), 5000);
	copies(fd, pattern, 5000);
	assert_int_equal(succeeds(memfd_seal(fd, MEMFD_SEAL_SEAL |
							 MEMFD_SEAL_IMMUTABLE)),
			 0);
	copies(fd, pattern, 5000);
	reader = source(reopen(fd, O_RDONLY));
	copies(reader, pattern, 5000);
	close_it(reader);
	close_it(fd);
}

static void holes_are_zeros(void **state)
{
	static char content[LARGEST];
	int fd = source(succeeds(memfd_new_sized("source", 0, LARGEST, 0)));

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
		"/proc/filesystems",
		"/sys/kernel/notes",
		"/sys/kernel/mm/transparent_hugepage/enabled",
		"/sys/devices/system/cpu/online",
	};
	static char content[LARGEST];
	int copied = 0;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(paths); i++) {
		int fd = source(open(paths[i], O_RDONLY | O_CLOEXEC));
		int scratch;
		size_t size;
		off_t at = 0;

		if (fd < 0)
			continue;
		size = content_of(fd, content, sizeof(content));
		scratch = succeeds(memfd_new("scratch", 0));
		if (sendfile(scratch, fd, &at, 1) < 0)
			print_message("  %s: sendfile: %s\n", paths[i],
				      strerror(errno));
		close_it(scratch);
		copies(fd, content, size);
		close_it(fd);
		copied++;
	}
	if (!copied)
		skip_because("neither /proc nor /sys is mounted");
}

/* This program again, with an argument that says what to do. */
static pid_t run_again(int fd, char *what, char *more)
{
	char *const arguments[] = { what, what, more, NULL };
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		fexecve(fd, arguments, environ);
		_exit(errno);
	}
	return pid;
}

#define EXITS 200

static int again(const char *what)
{
	if (strcmp(what, "stop") == 0)
		raise(SIGSTOP);
	return EXITS;
}

/*
 * The command line of a process refuses sendfile(2) on every kernel since 5.10,
 * and can be as long as we like.
 */
static void long_file_that_refuses_sendfile(void **state)
{
	static char content[2 * LARGEST], path[64];
	int fd, status, self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	size_t size;
	pid_t pid;

	(void)state;
	if (self < 0)
		skip_because("/proc is not mounted");
	memset(content, 'x', LARGEST - 1);
	pid = run_again(self, (char *)"stop", content);
	close_it(self);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	if (!WIFSTOPPED(status))
		skip_because("a program cannot run itself here");
	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = source(open(path, O_RDONLY | O_CLOEXEC));
	assert_true(fd >= 0);
	size = content_of(fd, content, sizeof(content));
	assert_true(size > LARGEST);
	copies(fd, content, size);
	close_it(fd);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void endless_file_is_efbig(void **state)
{
	static const char *const paths[] = { "/dev/zero",
					     "/proc/self/pagemap" };
	int fd = source(open("/dev/null", O_RDONLY | O_CLOEXEC));
	size_t i;

	(void)state;
	if (fd >= 0) {
		holds(succeeds(memfd_new_sealed_copy("copy", 0, fd, 0)), "", 0);
		close_it(fd);
	}
	for (i = 0; i < COUNT(paths); i++) {
		fd = source(open(paths[i], O_RDONLY | O_CLOEXEC));
		if (fd < 0)
			continue;
		fails(memfd_new_sealed_copy("copy", 0, fd, 0), EFBIG);
		fails(memfd_new_sealed_copy("copy", 0, fd, 1), EFBIG);
		fails(memfd_new_sealed_copy("copy", 0, fd, LARGEST), EFBIG);
		close_it(fd);
	}
}

static int limited;

static int copy_limited(void)
{
	return memfd_new_sealed_copy("copy", 0, limited, SIZE_MAX);
}

static void file_size_limit_is_efbig_with_sigxfsz(void **state)
{
	(void)state;
	limited = source(succeeds(memfd_new_sealed("source", 0, "123456", 6)));
	file_size_limit_refuses(copy_limited, 5);
	file_size_limit_refuses(copy_limited, 0);
	holds(succeeds(within_file_size(copy_limited, 6)), "123456", 6);
	close_it(limited);

	limited = source(open("/proc/self/auxv", O_RDONLY | O_CLOEXEC));
	if (limited < 0)
		skip_because("/proc is not mounted");
	file_size_limit_refuses(copy_limited, 5);
	close_it(limited);
}

static int from;

static int ab(const char *name, unsigned int flags)
{
	return memfd_new_sealed_copy(name, flags, from, 2);
}

static void file_is_that_of_memfd_new(void **state)
{
	(void)state;
	from = source(succeeds(memfd_new_sealed("source", 0, "ab", 2)));
	makes_what_memfd_new_makes(ab, ALL_SEALS);
	close_it(from);
}

static void copy_of_this_program_runs(void **state)
{
	int self = source(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	struct stat running, named;
	int fd, status;
	pid_t pid;

	(void)state;
	if (self < 0)
		skip_because("/proc is not mounted");
	/* A loader, if that was called with the name of this program. */
	if (fstat(self, &running) == 0 &&
	    stat(program_invocation_name, &named) == 0 &&
	    running.st_ino != named.st_ino) {
		close_it(self);
		skip_because("another program has loaded this one");
	}
	if (denies_exec()) {
		fails(memfd_new_sealed_copy("copy", MEMFD_EXEC, self, SIZE_MAX),
		      EACCES);
		close_it(self);
		return;
	}
	fd = succeeds(
		memfd_new_sealed_copy_str("copy", "exec", self, SIZE_MAX));
	close_it(self);
	pid = run_again(fd, (char *)"again", NULL);
	close_it(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	/*
	 * An emulator of processes cannot run another processor's program, and
	 * valgrind looks for one by its name.
	 */
	if (WEXITSTATUS(status) == ENOEXEC || WEXITSTATUS(status) == ENOSYS ||
	    WEXITSTATUS(status) == ENOENT)
		skip_because("a program cannot run itself here");
	assert_int_equal(WEXITSTATUS(status), EXITS);
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
		ends[i] = source(ends[i]);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(write(ends[3], "x", 1), 1);
	refuses(ends[0], ESPIPE);
	refuses(ends[2], ESPIPE);
	for (i = 0; i < 4; i++)
		close_it(ends[i]);
	terminal = source(posix_openpt(O_RDWR | O_NOCTTY));
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
		int fd = source(open(paths[i], O_RDONLY | O_CLOEXEC));

		if (fd < 0)
			continue;
		refuses(fd, EISDIR);
		close_it(fd);
	}
}

static void descriptor_not_open_for_reading_is_ebadf(void **state)
{
	int fd = source(succeeds(memfd_new_sealed("source", 0, "x", 1)));
	int other, ends[2], lowest;

	(void)state;
	refuses(-1, EBADF);
	assert_int_equal(pipe(ends), 0);
	ends[1] = source(ends[1]);
	refuses(ends[1], EBADF);
	close_it(ends[0]);
	close_it(ends[1]);
	/* Closed: the first is the number that the new file gets. */
	lowest = dup(fd);
	close_it(lowest);
	refuses(lowest, EBADF);
	refuses(255, EBADF);
	other = source(reopen(fd, O_PATH));
	refuses(other, EBADF);
	close_it(other);
	close_it(fd);

	fd = source(succeeds(memfd_new("source", 0)));
	other = source(reopen(fd, O_WRONLY));
	refuses(other, EBADF);
	close_it(other);
	close_it(fd);
}

static void hugetlb_is_einval(void **state)
{
	int fd = source(succeeds(memfd_new_sealed("source", 0, "x", 1)));

	(void)state;
	fails(memfd_new_sealed_copy("copy", MEMFD_HUGETLB, fd, 1), EINVAL);
	fails(memfd_new_sealed_copy("copy", MEMFD_HUGE_2MB, fd, 1), EINVAL);
	fails(memfd_new_sealed_copy("copy", MEMFD_HUGE_16GB, -1, 1), EINVAL);
	fails(memfd_new_sealed_copy_str("copy", "hugetlb", fd, 1), EINVAL);
	close_it(fd);
}

static void flags_and_names_are_judged_before_the_source(void **state)
{
	(void)state;
	fails(memfd_new_sealed_copy_str(NULL, "nope", -1, 1), EINVAL);
	fails(memfd_new_sealed_copy_str("copy", "exec,write", -1, 1), EINVAL);
	fails(memfd_new_sealed_copy("copy", 0x01000000, -1, 1), EINVAL);
	fails(memfd_new_sealed_copy(NULL, 0, -1, 1), EFAULT);
}

static volatile sig_atomic_t stop;

static void *changes_size(void *arg)
{
	uint32_t x = 0x2545f491;
	int fd = *(int *)arg;

	while (!stop) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		if (ftruncate(fd, 0) < 0 ||
		    pwrite(fd, pattern, x % LARGEST, 0) < 0)
			break;
	}
	return NULL;
}

static double now(void)
{
	struct timespec time;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Each copy is a beginning of the pattern, with zeros for what has gone. */
static void file_that_shrinks_and_grows_meanwhile(void **state)
{
	static char content[LARGEST + 1];
	int fd = source(succeeds(memfd_new("source", 0)));
	/* On a busy machine, it changes seldom while we look. */
	double end = now() + 0.3;
	size_t size, i, last = 0;
	int round, changes = 0;
	pthread_t thread;

	(void)state;
	stop = 0;
	assert_int_equal(pthread_create(&thread, NULL, changes_size, &fd), 0);
	for (round = 0; changes < 50 && now() < end; round++) {
		int copy = memfd_new_sealed_copy("copy", 0, fd, LARGEST);

		if (copy < 0)
			fail_msg("copying: %s", strerror(errno));
		size = content_of(copy, content, sizeof(content));
		assert_int_equal(memfd_get_seals(copy),
				 ALL_SEALS | first_seals());
		close_it(copy);
		assert_true(size <= LARGEST);
		for (i = 0; i < size; i++)
			if (content[i] && content[i] != pattern[i])
				fail_msg("byte %zu of %zu is not the file's", i,
					 size);
		changes += size != last;
		last = size;
	}
	stop = 1;
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("  %d copies, %d changes of size\n", round, changes);
	close_it(fd);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		promise(files_on_disk_and_tmpfs),
		promise(memfds_sealed_or_not),
		promise(holes_are_zeros),
		promise(files_of_proc_and_sys),
		promise(long_file_that_refuses_sendfile),
		promise(endless_file_is_efbig),
		promise(file_size_limit_is_efbig_with_sigxfsz),
		promise(file_is_that_of_memfd_new),
		promise(copy_of_this_program_runs),
		promise(pipe_socket_and_terminal_are_espipe),
		promise(directory_is_eisdir),
		promise(descriptor_not_open_for_reading_is_ebadf),
		promise(hugetlb_is_einval),
		promise(flags_and_names_are_judged_before_the_source),
		promise(file_that_shrinks_and_grows_meanwhile),
	};
	size_t i;

	if (argc > 1)
		return again(argv[1]);
	page = sysconf(_SC_PAGESIZE);
	for (i = 0; i < LARGEST; i++)
		pattern[i] = (char)(1 + (i * 7 + i / 256) % 255);
	return run_twice("copy", tests);
}
