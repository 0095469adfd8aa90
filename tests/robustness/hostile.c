/* SPDX-License-Identifier: MIT */

/*
 * A hostile peer has been handed a descriptor and tries everything that might
 * change the file. The table says what it can do; the sender, who looks at the
 * file after each attempt, says what it did.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memfd.h"

#include "tap.h"

#define SIZE 8192
#define NOBODY 65534

/* What the sender sees changed; anything below is an errno. */
enum {
	BYTES = 0x1000,
	LENGTH = 0x2000,
	SEALS = 0x4000,
	MODE = 0x8000,
	OFFSET = 0x10000,
	STATUS = 0x20000,
	/* It worked, and changed nothing that the sender has. */
	NOTHING = 0x40000,
	/* The kernel lacks what the attempt needs, or does not let us have it.
	 */
	ABSENT = 0x80000,
};

static char text[] = "hostile";

static int result(long returned)
{
	return returned < 0 ? errno : 0;
}

static int reopen(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static void *map(int fd, int prot, int flags)
{
	void *at = mmap(NULL, SIZE, prot, flags, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* A descriptor to copy from. */
static int source(void)
{
	return memfd_new_sealed("source", 0, text, sizeof(text));
}

static int full_pipe(void)
{
	int ends[2];

	if (pipe(ends) < 0 || write(ends[1], text, sizeof(text)) < 0)
		return -1;
	return ends[0];
}

/* The attempts: 0 or an errno. */

static int do_write(int fd)
{
	return result(write(fd, text, sizeof(text)));
}

static int do_append(int fd)
{
	return result(pwrite(fd, text, sizeof(text), SIZE));
}

static int do_pwritev2(int fd)
{
	struct iovec iov = { text, sizeof(text) };

	return result(pwritev2(fd, &iov, 1, 0, RWF_DSYNC));
}

static int do_sendfile(int fd)
{
	return result(sendfile(fd, source(), NULL, sizeof(text)));
}

static int do_copy_file_range(int fd)
{
	off64_t from = 0, to = 0;

	return result(
		copy_file_range(source(), &from, fd, &to, sizeof(text), 0));
}

static int do_splice(int fd)
{
	return result(splice(full_pipe(), NULL, fd, NULL, sizeof(text), 0));
}

/* CVE-2022-0847: a page of the file in a pipe, and then a write after it. */
static int do_dirty_pipe(int fd)
{
	off64_t from = 0;
	int i, ends[2];
	char page[4096];

	if (pipe(ends) < 0)
		return ABSENT;
	for (i = 0; i < 4; i++)
		if (write(ends[1], page, sizeof(page)) < 0 ||
		    read(ends[0], page, sizeof(page)) < 0)
			return ABSENT;
	if (splice(fd, &from, ends[1], NULL, 1, 0) < 0)
		return errno;
	return result(write(ends[1], text, sizeof(text)));
}

static int do_vmsplice(int fd)
{
	void *at = map(fd, PROT_READ, MAP_SHARED);
	struct iovec iov = { at, 1 };
	int ends[2];

	if (!at || pipe(ends) < 0)
		return errno;
	if (vmsplice(ends[1], &iov, 1, SPLICE_F_GIFT) < 0)
		return errno;
	return result(write(ends[1], text, sizeof(text)));
}

static int do_io_uring(int fd)
{
	struct io_uring_params p = { 0 };
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char *sq, *cq;
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);

	if (ring < 0)
		return ABSENT;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned int),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		return ABSENT;
	sqe->opcode = IORING_OP_WRITE;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)text;
	sqe->len = sizeof(text);
	*(unsigned int *)(void *)(sq + p.sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(void *)(sq + p.sq_off.tail), 1,
			 __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		    NULL, 0) < 0)
		return ABSENT;
	cqe = (struct io_uring_cqe *)(void *)(cq + p.cq_off.cqes);
	return cqe->res < 0 ? -cqe->res : 0;
}

static int do_map(int fd)
{
	char *at = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);

	if (!at)
		return errno;
	*at = 'h';
	return 0;
}

static int do_mprotect(int fd)
{
	char *at = map(fd, PROT_READ, MAP_SHARED);

	if (!at || mprotect(at, SIZE, PROT_READ | PROT_WRITE) < 0)
		return errno;
	*at = 'h';
	return 0;
}

static int do_map_private(int fd)
{
	char *at = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (!at)
		return errno;
	*at = 'h';
	return 0;
}

static int do_map_exec(int fd)
{
	return map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE) ? 0 : errno;
}

/* Writes into the process's own read-only mapping, by the kernel's hand. */
static int do_process_vm_writev(int fd)
{
	struct iovec from = { text, sizeof(text) };
	struct iovec to = { map(fd, PROT_READ, MAP_SHARED), sizeof(text) };

	if (!to.iov_base)
		return errno;
	return result(process_vm_writev(getpid(), &from, 1, &to, 1, 0));
}

static int do_proc_mem(int fd)
{
	void *at = map(fd, PROT_READ, MAP_SHARED);
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	if (!at || mem < 0)
		return errno;
	return result(pwrite(mem, text, sizeof(text), (off_t)(uintptr_t)at));
}

static int do_read_into(int fd)
{
	void *at = map(fd, PROT_READ, MAP_SHARED);

	if (!at)
		return errno;
	return result(read(full_pipe(), at, sizeof(text)));
}

static int do_madvise_remove(int fd)
{
	void *at = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);

	if (!at)
		at = map(fd, PROT_READ, MAP_SHARED);
	if (!at)
		return errno;
	return result(madvise(at, SIZE, MADV_REMOVE));
}

static int do_punch_hole(int fd)
{
	return result(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				0, SIZE));
}

static int do_zero_range(int fd)
{
	return result(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, SIZE));
}

static int do_collapse(int fd)
{
	return result(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, SIZE / 2));
}

static int do_allocate(int fd)
{
	return result(fallocate(fd, 0, SIZE, SIZE));
}

static int do_allocate_beyond(int fd)
{
	return result(fallocate(fd, FALLOC_FL_KEEP_SIZE, SIZE, SIZE));
}

static int do_shrink(int fd)
{
	return result(ftruncate(fd, 1));
}

static int do_grow(int fd)
{
	return result(ftruncate(fd, 2 * SIZE));
}

static int do_truncate_path(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return result(truncate(path, 0));
}

static int do_reopen_write(int fd)
{
	int again = reopen(fd, O_RDWR);

	return again < 0 ? errno : do_write(again);
}

static int do_reopen_truncate(int fd)
{
	return result(reopen(fd, O_WRONLY | O_TRUNC));
}

static int do_reopen_map(int fd)
{
	int again = reopen(fd, O_RDWR);

	return again < 0 ? errno : do_map(again);
}

static int do_seal(int fd)
{
	return result(memfd_seal(fd, MEMFD_SEAL_GROW | MEMFD_SEAL_SEAL));
}

static int do_reopen_seal(int fd)
{
	int again = reopen(fd, O_RDWR);

	return again < 0 ? errno : do_seal(again);
}

static int do_chmod_exec(int fd)
{
	return result(fchmod(fd, 0777));
}

static int do_chmod_none(int fd)
{
	return result(fchmod(fd, 0));
}

static int do_execute(int fd)
{
	char *none[] = { NULL };

	return result(syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH));
}

static int do_lseek(int fd)
{
	return result(lseek(fd, 1, SEEK_SET));
}

static int do_o_append(int fd)
{
	return result(fcntl(fd, F_SETFL, O_APPEND));
}

enum { DEFAULT, SEALABLE, SEALED, READ_ONLY, KINDS };

static const char *const kinds[KINDS] = {
	"flags 0",
	"allow-sealing",
	"memfd_new_sealed",
	"allow-sealing, read-only",
};

/* The same user may do what another may not to files of mode 0666: chmod. */
static const struct attempt {
	const char *name;
	int (*run)(int fd);
	int same[KINDS], other[KINDS];
} attempts[] = {
#define BOTH(...)                                                              \
	{ __VA_ARGS__ },                                                       \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
	{ "write", do_write,
	  BOTH(BYTES | OFFSET, BYTES | OFFSET, EPERM, EBADF) },
	{ "write at the end", do_append, BOTH(LENGTH, LENGTH, EPERM, EBADF) },
	{ "pwritev2", do_pwritev2, BOTH(BYTES, BYTES, EPERM, EBADF) },
	{ "sendfile", do_sendfile,
	  BOTH(BYTES | OFFSET, BYTES | OFFSET, EPERM, EBADF) },
	{ "copy_file_range", do_copy_file_range,
	  BOTH(BYTES, BYTES, EPERM, EBADF) },
	{ "splice from a pipe", do_splice,
	  BOTH(BYTES | OFFSET, BYTES | OFFSET, EPERM, EBADF) },
	{ "io_uring write", do_io_uring, BOTH(BYTES, BYTES, EPERM, EBADF) },
	{ "splice to a pipe, write into the pipe", do_dirty_pipe,
	  BOTH(NOTHING, NOTHING, NOTHING, NOTHING) },
	{ "vmsplice to a pipe, write into the pipe", do_vmsplice,
	  BOTH(NOTHING, NOTHING, NOTHING, NOTHING) },
	{ "map shared and writable", do_map,
	  BOTH(BYTES, BYTES, EPERM, EACCES) },
	{ "map shared, then mprotect to writable", do_mprotect,
	  BOTH(BYTES, BYTES, EACCES, EACCES) },
	{ "process_vm_writev to a shared mapping", do_process_vm_writev,
	  BOTH(EFAULT, EFAULT, EFAULT, EFAULT) },
	{ "/proc/self/mem to a shared mapping", do_proc_mem,
	  BOTH(EIO, EIO, EIO, EIO) },
	{ "read(2) into a shared mapping", do_read_into,
	  BOTH(EFAULT, EFAULT, EFAULT, EFAULT) },
	{ "madvise MADV_REMOVE", do_madvise_remove,
	  BOTH(BYTES, BYTES, EACCES, EACCES) },
	{ "punch a hole", do_punch_hole, BOTH(BYTES, BYTES, EPERM, EBADF) },
	{ "zero a range", do_zero_range,
	  BOTH(EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP, EBADF) },
	{ "collapse a range", do_collapse,
	  BOTH(EOPNOTSUPP, EOPNOTSUPP, EOPNOTSUPP, EBADF) },
	{ "fallocate more", do_allocate, BOTH(LENGTH, LENGTH, EPERM, EBADF) },
	{ "fallocate beyond the end", do_allocate_beyond,
	  BOTH(NOTHING, NOTHING, EPERM, EBADF) },
	{ "truncate to less", do_shrink, BOTH(LENGTH, LENGTH, EPERM, EINVAL) },
	{ "truncate to more", do_grow, BOTH(LENGTH, LENGTH, EPERM, EINVAL) },
	{ "truncate through /proc", do_truncate_path,
	  BOTH(LENGTH, LENGTH, EPERM, LENGTH) },
	{ "reopen through /proc and write", do_reopen_write,
	  BOTH(BYTES, BYTES, EPERM, BYTES) },
	{ "reopen through /proc with O_TRUNC", do_reopen_truncate,
	  BOTH(LENGTH, LENGTH, EPERM, LENGTH) },
	{ "reopen through /proc and map", do_reopen_map,
	  BOTH(BYTES, BYTES, EPERM, BYTES) },
	{ "seal", do_seal, BOTH(EPERM, SEALS, EPERM, EPERM) },
	{ "reopen through /proc and seal", do_reopen_seal,
	  BOTH(EPERM, SEALS, EPERM, SEALS) },
	{ "chmod to executable", do_chmod_exec,
	  BOTH(EPERM, EPERM, EPERM, EPERM) },
	{ "chmod to 0",
	  do_chmod_none,
	  { MODE, MODE, MODE, MODE },
	  { EPERM, EPERM, EPERM, EPERM } },
	{ "execute", do_execute, BOTH(EACCES, EACCES, EACCES, EACCES) },
	{ "map executable", do_map_exec,
	  BOTH(NOTHING, NOTHING, NOTHING, NOTHING) },
	{ "map private and write there", do_map_private,
	  BOTH(NOTHING, NOTHING, NOTHING, NOTHING) },
	{ "lseek", do_lseek, BOTH(OFFSET, OFFSET, OFFSET, NOTHING) },
	{ "set O_APPEND", do_o_append, BOTH(STATUS, STATUS, STATUS, NOTHING) },
};

struct look {
	char bytes[SIZE];
	struct stat st;
	off_t offset;
	int seals, status;
};

static void look(int fd, struct look *see)
{
	memset(see, 0, sizeof(*see));
	need(fstat(fd, &see->st) == 0, "fstat");
	need(pread(fd, see->bytes, SIZE, 0) >= 0, "pread");
	see->offset = lseek(fd, 0, SEEK_CUR);
	see->seals = memfd_get_seals(fd);
	see->status = fcntl(fd, F_GETFL);
}

static int changes(const struct look *was, const struct look *is)
{
	int seen = 0;

	if (was->st.st_size != is->st.st_size)
		seen |= LENGTH;
	else if (memcmp(was->bytes, is->bytes, SIZE) != 0)
		seen |= BYTES;
	if (was->seals != is->seals)
		seen |= SEALS;
	if (was->st.st_mode != is->st.st_mode)
		seen |= MODE;
	if (was->offset != is->offset)
		seen |= OFFSET;
	if (was->status != is->status)
		seen |= STATUS;
	return seen;
}

static void become_nobody(void)
{
	need(setgroups(0, NULL) == 0 &&
		     setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		     setresuid(NOBODY, NOBODY, NOBODY) == 0,
	     "to become another user");
	/* Otherwise /proc/self/fd would still belong to root. */
	prctl(PR_SET_DUMPABLE, 1);
}

static int make(int kind)
{
	static char bytes[SIZE];
	int fd;

	memset(bytes, 's', sizeof(bytes));
	if (kind == SEALED)
		return memfd_new_sealed("victim", 0, bytes, sizeof(bytes));
	fd = memfd_new("victim", kind == DEFAULT ? 0 : MEMFD_ALLOW_SEALING);
	need(fd >= 0 && pwrite(fd, bytes, SIZE, 0) == SIZE, "victim");
	return fd;
}

/* An errno, or what has changed. */
static int attempt(const struct attempt *how, int kind, int other)
{
	struct look was, is;
	int fd = make(kind), given = fd, seen, status;
	pid_t pid;

	need(fd >= 0, "victim");
	if (kind == READ_ONLY)
		need((given = reopen(fd, O_RDONLY)) >= 0, "reopen");
	look(fd, &was);
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		int err;

		if (given != fd)
			close(fd);
		if (other)
			become_nobody();
		err = how->run(given);
		_exit(err == ABSENT ? 255 : err);
	}
	need(waitpid(pid, &status, 0) == pid, "waitpid");
	look(fd, &is);
	if (given != fd)
		close(given);
	close(fd);
	seen = changes(&was, &is);
	if (!WIFEXITED(status))
		return -1;
	if (WEXITSTATUS(status) == 255)
		return ABSENT;
	if (WEXITSTATUS(status))
		return seen | WEXITSTATUS(status);
	return seen ? seen : NOTHING;
}

static const char *say(int outcome, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s%s%s%s%s",
		 outcome & BYTES ? "bytes " : "",
		 outcome & LENGTH ? "size " : "",
		 outcome & SEALS ? "seals " : "", outcome & MODE ? "mode " : "",
		 outcome & OFFSET ? "offset " : "",
		 outcome & STATUS ? "status " : "",
		 outcome & NOTHING ? "- " : "", outcome & ABSENT ? "? " : "",
		 outcome & 0xfff ? strerrorname_np(outcome & 0xfff) : "");
	if (*buf && buf[strlen(buf) - 1] == ' ')
		buf[strlen(buf) - 1] = '\0';
	return buf;
}

/*
 * What the kernel of this machine makes different: without the exec seal (6.3)
 * the owner may make a file executable; 5.10 refuses to map shared what was
 * sealed against writing, even for reading.
 */
static int expected(const struct attempt *how, int kind, int other)
{
	int fd = memfd_new("asked", MEMFD_NOEXEC_SEAL);

	if (fd >= 0)
		close(fd);
	else if (how->run == do_chmod_exec && !other)
		return MODE;
	return other ? how->other[kind] : how->same[kind];
}

static void run(int other)
{
	const char *who = other ? "another user" : "the same user";
	size_t i;
	int kind;

	printf("# %s%-*s", who, 40 - (int)strlen(who), "");
	for (kind = 0; kind < KINDS; kind++)
		printf(" %-17s", kinds[kind]);
	printf("\n");
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		int got[KINDS];
		char buf[80];

		printf("# %-40s", attempts[i].name);
		for (kind = 0; kind < KINDS; kind++) {
			got[kind] = attempt(&attempts[i], kind, other);
			printf(" %-17s", say(got[kind], buf, sizeof(buf)));
		}
		printf("\n");
		for (kind = 0; kind < KINDS; kind++) {
			int want = expected(&attempts[i], kind, other);
			char name[160];

			snprintf(name, sizeof(name), "%s, %s: %s: %s", who,
				 kinds[kind], attempts[i].name,
				 say(want, buf, sizeof(buf)));
			if (got[kind] == ABSENT)
				skip(name, "not to be had here");
			else
				ok(got[kind] == want, "%s", name);
		}
	}
}

int main(void)
{
	int root = geteuid() == 0;
	pid_t pid;
	int status;

	/* Counts go on after the child's: it runs the first table. */
	if (root)
		run(1);
	else
		skip("another user", "needs root");
	fflush(stdout);
	/* Root may do more than a user: nobody is both sender and peer. */
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0) {
		if (root)
			become_nobody();
		run(0);
		return done_testing();
	}
	need(waitpid(pid, &status, 0) == pid, "waitpid");
	return tap_failed || status != 0;
}
