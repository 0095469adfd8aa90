/* SPDX-License-Identifier: MIT */

/* While signals arrive without end, and where there is no more memory. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memfd.h"

#include "../shared/memory.h"
#include "../shared/tap.h"

#define SIZE (256UL << 20)

static volatile sig_atomic_t alarms;

static void count(int sig)
{
	(void)sig;
	alarms++;
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

/* They interrupt sendfile(2); a write to memory only ends for a fatal one. */
static void storm(const char *data)
{
	const struct itimerval often = { { 0, 50 }, { 0, 50 } }, never = { 0 };
	/* No SA_RESTART. */
	struct sigaction action = { .sa_handler = count }, was;
	int before = open_descriptors(), fd, copied, good;

	need(sigaction(SIGALRM, &action, &was) == 0, "sigaction");
	need(setitimer(ITIMER_REAL, &often, NULL) == 0, "setitimer");
	errno = UNTOUCHED;
	fd = memfd_new_sealed("storm", 0, data, SIZE);
	copied = memfd_new_sealed_copy("storm", 0, fd, SIZE);
	good = errno == UNTOUCHED && holds(fd, data, SIZE) &&
	       holds(copied, data, SIZE);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &was, NULL);
	close(fd);
	close(copied);
	ok(good && alarms > 100 && open_descriptors() == before,
	   "signals throughout: 256 MiB, and a copy of them");
	printf("# %d signals\n", (int)alarms);
}

/* Below our memory cgroup of version 1. */
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

static int make_cgroup(void)
{
	char line[PATH_MAX];
	FILE *file = fopen("/proc/self/cgroup", "re");

	while (file && fgets(line, sizeof(line), file)) {
		char *memory = strstr(line, ":memory:");

		line[strcspn(line, "\n")] = '\0';
		if (memory)
			snprintf(cgroup, sizeof(cgroup),
				 "/sys/fs/cgroup/memory%.3000s/libmemfd-%d",
				 memory + 8, (int)getpid());
	}
	if (file)
		fclose(file);
	if (!cgroup[0] || mkdir(cgroup, 0755) < 0)
		return 0;
	if (put("memory.limit_in_bytes", "64M") &&
	    put("memory.oom_control", "1"))
		return 1;
	rmdir(cgroup);
	return 0;
}

/*
 * 64 MiB to be had and 256 MiB to be written. Version 2 would kill the child,
 * which says nothing of the library.
 */
static void memory(const char *data)
{
	const char *what = "out of memory: ENOMEM, all is given back, and the "
			   "next call works";
	int status;
	pid_t pid;

	if (!make_cgroup()) {
		printf("ok %d - %s # SKIP no memory cgroup of version 1\n",
		       ++tap_count, what);
		return;
	}
	/* The data was charged to us, not to the cgroup. */
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		int before = open_descriptors(), fd, err;

		/* Who faults where there is no killer waits for ever. */
		alarm(600);
		if (!put("cgroup.procs", "0"))
			_exit(3);
		fd = memfd_new_sealed("memory", 0, data, SIZE);
		err = errno;
		if (fd != -1 || (err != ENOMEM && err != ENOSPC))
			_exit(1);
		fd = memfd_new_sealed("memory", 0, data, 1 << 20);
		_exit(fd >= 0 && holds(fd, data, 1 << 20) && !close(fd) &&
				      open_descriptors() == before
			      ? 0
			      : 2);
	}
	need(waitpid(pid, &status, 0) == pid, "waitpid");
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", what);
	for (status = 0; rmdir(cgroup) < 0 && status < 100; status++)
		usleep(10000);
}

int main(void)
{
	unsigned long long available = available_memory();
	char *data;
	size_t i;

	/* The data, a memfd of it, and its copy; and something for others. */
	if (available < 3 * SIZE + SIZE / 4) {
		printf("1..0 # SKIP only %llu MiB of memory to be had\n",
		       available >> 20);
		return 0;
	}
	data = malloc(SIZE);
	need(data != NULL, "malloc");
	for (i = 0; i < SIZE; i++)
		data[i] = (char)(i ^ i >> 12);
	storm(data);
	memory(data);
	free(data);
	return done_testing();
}
