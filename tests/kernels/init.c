/* SPDX-License-Identifier: MIT */

/*
 * init PROGRAM...: run test programs once for each value of vm.memfd_noexec,
 * in a PID namespace each, because the sysctl belongs to that. As the init of a
 * virtual machine, it ends by switching that off; elsewhere it needs root or a
 * user namespace. Lines that start with "@" are for kernels.py.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYSCTL "/proc/sys/vm/memfd_noexec"

static void check(int result, const char *what)
{
	if (result < 0) {
		printf("@error %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	check(fd, path);
	check((int)write(fd, text, strlen(text)), path);
	close(fd);
}

static int wait_for(pid_t pid)
{
	int status;

	check(pid, "fork");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			check(-1, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run(char **programs, const char *level)
{
	for (; *programs; programs++) {
		const char *slash = strrchr(*programs, '/');
		pid_t pid;

		printf("@begin %s %s\n", level, slash ? slash + 1 : *programs);
		pid = fork();
		if (!pid) {
			execl(*programs, *programs, (char *)NULL);
			check(-1, *programs);
		}
		printf("@end %d\n", wait_for(pid));
	}
}

/* Mappings in a user namespace of one's own, where there is no root. */
static void become_root(void)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	check(unshare(CLONE_NEWUSER), "a user namespace");
	put("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	put("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	put("/proc/self/gid_map", map);
}

static void run_in_namespace(char **programs, const char *level)
{
	pid_t pid = fork();

	if (!pid) {
		if (geteuid() != 0)
			become_root();
		check(unshare(CLONE_NEWPID | CLONE_NEWNS), "a PID namespace");
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pid = fork();
		if (pid)
			exit(wait_for(pid));
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		check(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "/");
		check(mount("proc", "/proc", "proc", 0, NULL), "/proc");
		put(SYSCTL, level);
		run(programs, level);
		exit(0);
	}
	wait_for(pid);
}

static void set_up_machine(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	check(mount("proc", "/proc", "proc", 0, NULL), "/proc");
	check(mount("sysfs", "/sys", "sysfs", 0, NULL), "/sys");
	check(mount("devtmpfs", "/dev", "devtmpfs", 0, NULL), "/dev");
	/* Terminals, and a directory of tmpfs. */
	mkdir("/dev/pts", 0755);
	mkdir("/dev/shm", 01777);
	check(mount("devpts", "/dev/pts", "devpts", 0, NULL), "/dev/pts");
	check(mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL), "/dev/shm");
	check(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), "/tmp");
}

int main(int argc, char **argv)
{
	const char *const levels[] = { "0", "1", "2" };
	int machine = getpid() == 1;
	struct utsname name;
	size_t i;

	(void)argc;
	setvbuf(stdout, NULL, _IONBF, 0);
	if (machine)
		set_up_machine();
	uname(&name);
	/* Flags are judged before the name: no memfd is made. */
	syscall(SYS_memfd_create, NULL, 0x10U);
	printf("@kernel %s %s\n", name.release,
	       errno == EINVAL ? "before" : "after");
	if (access(SYSCTL, F_OK) < 0)
		run(argv + 1, "-");
	else
		for (i = 0; i < 3; i++)
			run_in_namespace(argv + 1, levels[i]);
	printf("@done\n");
	if (machine)
		reboot(RB_POWER_OFF);
	return 0;
}
