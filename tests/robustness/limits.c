/* SPDX-License-Identifier: MIT */

/*
 * While signals arrive without end, and where memory, descriptors or the size
 * of a file have reached their limit.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memfd.h"

#include "../tap.h"

#define MIB (1UL << 20)

static volatile sig_atomic_t alarms;

static void count(int sig)
{
	(void)sig;
	alarms++;
}

static char *pattern(size_t size)
{
	char *data = malloc(size);
	size_t i;

	need(data != NULL, "malloc");
	for (i = 0; i < size; i++)
		data[i] = (char)(i ^ i >> 12);
	return data;
}

static int holds(int fd, const char *data, size_t size)
{
	struct stat st;
	char *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	int good = at != MAP_FAILED && fstat(fd, &st) == 0 &&
		   st.st_size == (off_t)size && memcmp(at, data, size) == 0;

	if (at != MAP_FAILED)
		munmap(at, size);
	return good;
}

/*
 * The kernel breaks a write to memory off for a fatal signal only: EINTR itself
 * comes from the fake kernel of the unit tests.
 */
static void storm(void)
{
	const struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { 0 };
	struct sigaction action = { .sa_handler = count }, was;
	const size_t size = 256 * MIB;
	char *data = pattern(size);
	int before = open_descriptors(), round, good = 1;

	/* No SA_RESTART. */
	need(sigaction(SIGALRM, &action, &was) == 0, "sigaction");
	need(setitimer(ITIMER_REAL, &often, NULL) == 0, "setitimer");
	for (round = 0; round < 4; round++) {
		int fd, from = -1;

		if (round % 2)
			from = memfd_new_sealed("storm", 0, data, size);
		errno = UNTOUCHED;
		fd = round % 2 ? memfd_new_sealed_copy("storm", 0, from, size)
			       : memfd_new_sealed("storm", 0, data, size);
		good &= fd >= 0 && errno == UNTOUCHED &&
			memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE) == 0 &&
			holds(fd, data, size);
		close(fd);
		if (round % 2)
			close(from);
	}
	for (round = 0; round < 20000; round++) {
		int fd;

		errno = UNTOUCHED;
		fd = memfd_new("storm", 0);
		good &= fd >= 0 && errno == UNTOUCHED &&
			memfd_check_seals_str(fd, "seal") == 0;
		close(fd);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &was, NULL);
	ok(good && alarms > 1000 && open_descriptors() == before,
	   "signals throughout: 4 memfds of 256 MiB, two of them "
	   "copied, and 20000 empty ones");
	printf("# %d signals\n", (int)alarms);
	free(data);
}

/* With one descriptor to be had, what fails half-way gives it back. */
static void descriptors(void)
{
	struct rlimit was, one;
	int last = dup(0), good, i;

	close(last);
	need(getrlimit(RLIMIT_NOFILE, &was) == 0, "getrlimit");
	one = was;
	one.rlim_cur = (rlim_t)last + 1;
	need(setrlimit(RLIMIT_NOFILE, &one) == 0, "setrlimit");
	for (i = 0, good = 1; i < 1000; i++)
		good &= memfd_new_sealed("full", 0, (void *)8, 8) == -1 &&
			errno == EFAULT &&
			memfd_new_sized("full", 0, SIZE_MAX, 0) == -1 &&
			errno == EFBIG &&
			memfd_new_sealed_copy("full", 0, last, 1) == -1 &&
			errno == EBADF;
	good &= memfd_new("full", 0) == last;
	good &= memfd_new("full", 0) == -1 && errno == EMFILE;
	good &= memfd_new_sealed("full", 0, "x", 1) == -1 && errno == EMFILE;
	close(last);
	good &= memfd_new_sealed("full", 0, "x", 1) == last;
	close(last);
	setrlimit(RLIMIT_NOFILE, &was);
	ok(good, "one descriptor left: 1000 failures give it back, and EMFILE");
}

static void killed_by_file_size(void)
{
	static const char data[8192];
	struct rlimit limit = { 4096, 4096 };
	int status;
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (pid == 0) {
		struct rlimit no_core = { 0, 0 };

		setrlimit(RLIMIT_CORE, &no_core);
		setrlimit(RLIMIT_FSIZE, &limit);
		memfd_new_sealed("limit", 0, data, sizeof(data));
		_exit(0);
	}
	need(waitpid(pid, &status, 0) == pid, "waitpid");
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ,
	   "RLIMIT_FSIZE with SIGXFSZ neither caught nor ignored kills");
}

/* A memory cgroup, version 1 or 2, below ours; "" where there is none. */
static int cgroup_version;
static char cgroup[PATH_MAX];

static int put(const char *file, const char *value)
{
	char path[PATH_MAX + 64];
	int fd, good;

	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, value, strlen(value)) > 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static void find_cgroup(void)
{
	char line[PATH_MAX];
	FILE *file = fopen("/proc/self/cgroup", "re");

	while (file && fgets(line, sizeof(line), file)) {
		char *memory = strstr(line, ":memory:");

		line[strcspn(line, "\n")] = '\0';
		if (memory) {
			cgroup_version = 1;
			snprintf(cgroup, sizeof(cgroup),
				 "/sys/fs/cgroup/memory%.3000s/libmemfd-%d",
				 memory + 8, (int)getpid());
			break;
		}
		if (strncmp(line, "0::", 3) == 0) {
			cgroup_version = 2;
			snprintf(cgroup, sizeof(cgroup),
				 "/sys/fs/cgroup%.3000s/libmemfd-%d", line + 3,
				 (int)getpid());
		}
	}
	if (file)
		fclose(file);
}

/*
 * 64 MiB to be had and 256 MiB to be written. Version 1 can do without the
 * killer, and then the write fails; where it kills, the memory is given back.
 */
static void memory(void)
{
	const char *what = "out of memory";
	const size_t size = 256 * MIB;
	char *data;
	int status, spared;
	pid_t pid;

	find_cgroup();
	if (!cgroup_version || mkdir(cgroup, 0755) < 0) {
		printf("# %s: %s\n", cgroup, strerror(errno));
		printf("ok %d - %s # SKIP no memory cgroup to be had\n",
		       ++tap_count, what);
		return;
	}
	if (cgroup_version == 1)
		need(put("memory.limit_in_bytes", "64M"), cgroup);
	else if (!put("memory.max", "64M") || !put("memory.swap.max", "0")) {
		printf("ok %d - %s # SKIP no memory controller\n", ++tap_count,
		       what);
		rmdir(cgroup);
		return;
	}
	spared = cgroup_version == 1 && put("memory.oom_control", "1");
	/* Charged to us, not to the cgroup. */
	data = pattern(size);
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		int before = open_descriptors(), fd, err;

		/* Who faults where there is no killer waits for ever. */
		alarm(600);
		if (!put("cgroup.procs", "0"))
			_exit(3);
		fd = memfd_new_sealed("memory", 0, data, size);
		err = errno;
		if (fd != -1 || (err != ENOMEM && err != ENOSPC))
			_exit(1);
		/* And what it took has been given back. */
		fd = memfd_new_sealed("memory", 0, data, MIB);
		_exit(fd >= 0 && holds(fd, data, MIB) && !close(fd) &&
				      open_descriptors() == before
			      ? 0
			      : 2);
	}
	need(waitpid(pid, &status, 0) == pid, "waitpid");
	free(data);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
		printf("ok %d - %s # SKIP cannot join a cgroup\n", ++tap_count,
		       what);
	else if (spared)
		ok(WIFEXITED(status) && WEXITSTATUS(status) == 0,
		   "%s: ENOMEM, all is given back, the next works", what);
	else
		ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
		   "%s: killed, as a cgroup without a grace does", what);
	for (status = 0; rmdir(cgroup) < 0 && status < 100; status++)
		usleep(10000);
}

int main(void)
{
	storm();
	descriptors();
	killed_by_file_size();
	memory();
	return done_testing();
}
