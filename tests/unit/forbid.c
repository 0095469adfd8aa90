/* SPDX-License-Identifier: MIT */

/*
 * What each set of seals forbids, and leaves. A peer who was handed the
 * descriptor, to read and write or only to read, tries everything that might
 * change the file; the sender looks at it before and after.
 */

#include "unit.h"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>
#ifdef __has_include
#if __has_include(<linux/io_uring.h>)
#include <linux/io_uring.h>
#define HAVE_IO_URING
#endif
#endif

/* musl does not name them. */
#ifndef FALLOC_FL_ZERO_RANGE
#define FALLOC_FL_COLLAPSE_RANGE 0x08
#define FALLOC_FL_ZERO_RANGE 0x10
#endif

#define NOBODY 65534

#define WRITING (MEMFD_SEAL_WRITE | MEMFD_SEAL_FUTURE_WRITE)

/* What the sender sees changed. */
enum {
	BYTES = 1,
	LENGTH = 2,
	SEALS = 4,
	MODE = 8,
	/* Belong to the open file, which a descriptor to read does not share.
	 */
	OFFSET = 16,
	STATUS = 32
};

/* What it takes beside the descriptor. */
enum {
	/* That it is open for writing, */
	WRITER = 1,
	/* that the file is the peer's own, */
	OWNER = 2,
	/* or what nobody has: the kernel never lets it happen. */
	MIRACLE = 4
};

/* The kernel lacks what the deed needs, or does not let us have it. */
#define ABSENT (-2)

static size_t size;
/* What a victim is made with, so as not to have the exec seal. */
static unsigned int executable;
static char text[] = "hostile";

static void *map(int fd, int protection, int kind)
{
	void *at = mmap(NULL, size, protection, kind, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

static int again(int fd, int flags)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags | O_CLOEXEC);
}

static int full_pipe(void)
{
	int ends[2];

	if (pipe(ends) < 0 || write(ends[1], text, sizeof(text)) < 0)
		return -1;
	return ends[0];
}

/*
 * The deeds: negative if refused. They run in a child that ends soon, and
 * leave what they open and map to it.
 */

static int writes(int fd)
{
	return (int)write(fd, text, sizeof(text));
}

static int pwrites(int fd)
{
	return (int)pwrite(fd, text, sizeof(text), (off_t)size / 2);
}

static int appends(int fd)
{
	return (int)pwrite(fd, text, sizeof(text), (off_t)size);
}

static int pwritevs(int fd)
{
	struct iovec iov = { text, sizeof(text) };

	return (int)pwritev(fd, &iov, 1, 0);
}

static int preads(int fd)
{
	char byte;

	return (int)pread(fd, &byte, 1, 0);
}

static int sendfiles(int fd)
{
	int from = memfd_new_sealed("source", 0, text, sizeof(text));

	return (int)sendfile(fd, from, NULL, sizeof(text));
}

static int copies_a_range(int fd)
{
	int from = memfd_new_sealed("source", 0, text, sizeof(text));
	off64_t in = 0, out = 0;

	return (int)copy_file_range(from, &in, fd, &out, sizeof(text), 0);
}

static int splices_from_a_pipe(int fd)
{
	return (int)splice(full_pipe(), NULL, fd, NULL, sizeof(text), 0);
}

/* CVE-2022-0847: a page of the file in a pipe, and then a write after it. */
static int makes_a_pipe_dirty(int fd)
{
	static char block[4096];
	off64_t from = 0;
	int i, ends[2];

	if (pipe(ends) < 0)
		return ABSENT;
	for (i = 0; i < 4; i++)
		if (write(ends[1], block, sizeof(block)) < 0 ||
		    read(ends[0], block, sizeof(block)) < 0)
			return ABSENT;
	if (splice(fd, &from, ends[1], NULL, 1, 0) < 0)
		return ABSENT;
	return (int)write(ends[1], text, sizeof(text));
}

static int gives_pages_to_a_pipe(int fd)
{
	struct iovec iov = { map(fd, PROT_READ, MAP_SHARED), 1 };
	int ends[2];

	if (!iov.iov_base || pipe(ends) < 0 ||
	    vmsplice(ends[1], &iov, 1, SPLICE_F_GIFT) < 0)
		return ABSENT;
	return (int)write(ends[1], text, sizeof(text));
}

#ifdef HAVE_IO_URING
static int writes_by_io_uring(int fd)
{
	struct io_uring_params p = { 0 };
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);
	char *sq, *cq;

	if (ring < 0)
		return ABSENT;
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(unsigned int),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_CQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	if (sq == MAP_FAILED || cq == MAP_FAILED || (void *)sqe == MAP_FAILED)
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
	return cqe->res < 0 ? -1 : 0;
}
#endif

static int maps_shared_to_write(int fd)
{
	char *at = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);

	if (!at)
		return -1;
	*at = 'h';
	return 0;
}

static int makes_shared_writable(int fd)
{
	char *at = map(fd, PROT_READ, MAP_SHARED);

	if (!at || mprotect(at, size, PROT_READ | PROT_WRITE) < 0)
		return -1;
	*at = 'h';
	return 0;
}

static int maps_private_to_write(int fd)
{
	char *at = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	if (!at)
		return -1;
	*at = 'h';
	return 0;
}

static int makes_private_writable(int fd)
{
	char *at = map(fd, PROT_READ, MAP_PRIVATE);

	if (!at || mprotect(at, size, PROT_READ | PROT_WRITE) < 0)
		return -1;
	*at = 'h';
	return 0;
}

static int maps_private_to_execute(int fd)
{
	return map(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE) ? 0 : -1;
}

/* Into the process's own mapping to read, by the kernel's hand: three ways. */
static int writes_to_its_own_memory(int fd)
{
	struct iovec from = { text, sizeof(text) };
	struct iovec to = { map(fd, PROT_READ, MAP_SHARED), sizeof(text) };

	if (!to.iov_base)
		return -1;
	return (int)process_vm_writev(getpid(), &from, 1, &to, 1, 0);
}

static int writes_to_proc_self_mem(int fd)
{
	char *at = map(fd, PROT_READ, MAP_SHARED), here[sizeof(text)];
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	/* In an emulator, its own memory is there. */
	if (!at || pread(mem, here, sizeof(here), (off_t)(uintptr_t)at) < 0 ||
	    memcmp(here, at, sizeof(here)) != 0)
		return ABSENT;
	return (int)pwrite(mem, text, sizeof(text), (off_t)(uintptr_t)at);
}

static int reads_into_its_mapping(int fd)
{
	void *at = map(fd, PROT_READ, MAP_SHARED);

	return at ? (int)read(full_pipe(), at, sizeof(text)) : -1;
}

static int removes_pages(int fd)
{
	void *at = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	char *own = map(-1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS);

	/* An emulator says that it does it, and does nothing. */
	if (!own || !(*own = 'x') || madvise(own, size, MADV_REMOVE) < 0 ||
	    *own)
		return ABSENT;
	if (!at)
		at = map(fd, PROT_READ, MAP_SHARED);
	return at ? madvise(at, size, MADV_REMOVE) : -1;
}

static int punches_a_hole(int fd)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			 (off_t)size / 2);
}

static int zeroes_a_range(int fd)
{
	return fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, (off_t)size);
}

static int collapses_a_range(int fd)
{
	return fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, (off_t)size / 2);
}

static int allocates_inside(int fd)
{
	return fallocate(fd, 0, 0, (off_t)size / 2);
}

static int allocates_more(int fd)
{
	return fallocate(fd, 0, (off_t)size, (off_t)size);
}

static int allocates_beyond(int fd)
{
	return fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)size, (off_t)size);
}

static int shortens(int fd)
{
	return ftruncate(fd, (off_t)size / 2);
}

static int lengthens(int fd)
{
	return ftruncate(fd, (off_t)size * 2);
}

static int keeps_its_length(int fd)
{
	return ftruncate(fd, (off_t)size);
}

static int truncates_its_path(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return truncate(path, 0);
}

static int reopens_and_writes(int fd)
{
	return writes(again(fd, O_RDWR));
}

static int reopens_and_truncates(int fd)
{
	return again(fd, O_WRONLY | O_TRUNC);
}

static int reopens_and_maps(int fd)
{
	return maps_shared_to_write(again(fd, O_RDWR));
}

static int seals(int fd)
{
	return memfd_seal(fd, MEMFD_SEAL_SEAL);
}

static int reopens_and_seals(int fd)
{
	return seals(again(fd, O_RDWR));
}

static int becomes_private_to_its_owner(int fd)
{
	return fchmod(fd, 0600);
}

static int becomes_executable(int fd)
{
	return fchmod(fd, 0777);
}

static int executes(int fd)
{
	char path[32], *const arguments[] = { path, NULL };

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return execv(path, arguments);
}

static int moves_the_offset(int fd)
{
	return (int)lseek(fd, 1, SEEK_SET);
}

static int sets_o_append(int fd)
{
	return fcntl(fd, F_SETFL, O_APPEND);
}

static const struct deed {
	const char *name;
	int (*try)(int fd);
	/* Any of these seals forbids it. */
	unsigned int forbidden_by;
	int takes;
	/* What it changes where it succeeds. */
	int changes;
} deeds[] = {
	{ "write", writes, WRITING, WRITER, BYTES | OFFSET },
	{ "pwrite", pwrites, WRITING, WRITER, BYTES },
	{ "pwrite at the end", appends, WRITING | MEMFD_SEAL_GROW, WRITER,
	  LENGTH },
	{ "pwritev", pwritevs, WRITING, WRITER, BYTES },
	{ "pread", preads, 0, 0, 0 },
	{ "sendfile", sendfiles, WRITING, WRITER, BYTES | OFFSET },
	{ "copy_file_range", copies_a_range, WRITING, WRITER, BYTES },
	{ "splice from a pipe", splices_from_a_pipe, WRITING, WRITER,
	  BYTES | OFFSET },
	{ "splice to a pipe, write into the pipe", makes_a_pipe_dirty, 0, 0,
	  0 },
	{ "vmsplice to a pipe, write into the pipe", gives_pages_to_a_pipe, 0,
	  0, 0 },
#ifdef HAVE_IO_URING
	{ "io_uring write", writes_by_io_uring, WRITING, WRITER, BYTES },
#endif
	{ "mmap, shared, to write", maps_shared_to_write, WRITING, WRITER,
	  BYTES },
	{ "mprotect of a shared mapping", makes_shared_writable, WRITING,
	  WRITER, BYTES },
	{ "mmap, private, to write", maps_private_to_write, 0, 0, 0 },
	{ "mprotect of a private mapping", makes_private_writable, 0, 0, 0 },
	{ "mmap, private, to execute", maps_private_to_execute, 0, 0, 0 },
	{ "process_vm_writev to a shared mapping", writes_to_its_own_memory, 0,
	  MIRACLE, 0 },
	{ "/proc/self/mem to a shared mapping", writes_to_proc_self_mem, 0,
	  MIRACLE, 0 },
	{ "read into a shared mapping", reads_into_its_mapping, 0, MIRACLE, 0 },
	{ "madvise MADV_REMOVE", removes_pages, WRITING, WRITER, BYTES },
	{ "fallocate to punch a hole", punches_a_hole, WRITING, WRITER, BYTES },
	{ "fallocate to zero a range", zeroes_a_range, 0, MIRACLE, 0 },
	{ "fallocate to collapse a range", collapses_a_range, 0, MIRACLE, 0 },
	{ "fallocate inside", allocates_inside, 0, WRITER, 0 },
	{ "fallocate more", allocates_more, MEMFD_SEAL_GROW, WRITER, LENGTH },
	{ "fallocate beyond the end", allocates_beyond, MEMFD_SEAL_GROW, WRITER,
	  0 },
	{ "ftruncate to less", shortens, MEMFD_SEAL_SHRINK, WRITER, LENGTH },
	{ "ftruncate to more", lengthens, MEMFD_SEAL_GROW, WRITER, LENGTH },
	{ "ftruncate to as much", keeps_its_length, 0, WRITER, 0 },
	{ "truncate through /proc", truncates_its_path, MEMFD_SEAL_SHRINK, 0,
	  LENGTH },
	{ "reopen and write", reopens_and_writes, WRITING, 0, BYTES },
	{ "reopen with O_TRUNC", reopens_and_truncates, MEMFD_SEAL_SHRINK, 0,
	  LENGTH },
	{ "reopen and map", reopens_and_maps, WRITING, 0, BYTES },
	{ "seal", seals, MEMFD_SEAL_SEAL, WRITER, SEALS },
	{ "reopen and seal", reopens_and_seals, MEMFD_SEAL_SEAL, 0, SEALS },
	{ "fchmod 0600", becomes_private_to_its_owner, 0, OWNER, MODE },
	{ "fchmod 0777", becomes_executable, MEMFD_SEAL_EXEC, OWNER, MODE },
	{ "execute", executes, 0, MIRACLE, 0 },
	{ "lseek", moves_the_offset, 0, 0, OFFSET },
	{ "set O_APPEND", sets_o_append, 0, 0, STATUS },
};

/* Two pages, mode 0666, without MEMFD_SEAL_EXEC where that can be. */
static int victim(unsigned int seals)
{
	int fd = memfd_new("victim", MEMFD_ALLOW_SEALING | executable);
	size_t i;

	if (executable)
		assert_int_equal(fchmod(fd, 0666), 0);
	for (i = 0; i < 2; i++)
		assert_int_equal(pwrite(fd, "s", 1, (off_t)(i * size / 2)), 1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(memfd_seal(fd, seals), 0);
	return fd;
}

struct look {
	char bytes[2 * 65536];
	struct stat st;
	off_t offset;
	int seals, status;
};

static void look(int fd, struct look *see)
{
	assert_int_equal(fstat(fd, &see->st), 0);
	assert_true(pread(fd, see->bytes, size, 0) >= 0);
	see->offset = lseek(fd, 0, SEEK_CUR);
	see->seals = memfd_get_seals(fd);
	see->status = fcntl(fd, F_GETFL);
}

static int changes(const struct look *was, const struct look *is)
{
	int length = was->st.st_size != is->st.st_size;

	return (length ? LENGTH : 0) |
	       (!length && memcmp(was->bytes, is->bytes, size) ? BYTES : 0) |
	       (was->seals != is->seals ? SEALS : 0) |
	       (was->st.st_mode != is->st.st_mode ? MODE : 0) |
	       (was->offset != is->offset ? OFFSET : 0) |
	       (was->status != is->status ? STATUS : 0);
}

static void become_nobody(void)
{
	if (geteuid() != 0)
		return;
	assert_int_equal(setgroups(0, NULL), 0);
	assert_int_equal(setresgid(NOBODY, NOBODY, NOBODY), 0);
	assert_int_equal(setresuid(NOBODY, NOBODY, NOBODY), 0);
	/* Otherwise /proc/self/fd would still belong to root. */
	prctl(PR_SET_DUMPABLE, 1);
}

/* The deeds of one peer, each on a new file. Returns how many went wrong. */
static int all_deeds(unsigned int seals, int another_user, int reader)
{
	static struct look was, is;
	int fds[COUNT(deeds)], wrong = 0;
	size_t i;

	/* Root may do more than the owner. */
	if (!another_user)
		become_nobody();
	for (i = 0; i < COUNT(deeds); i++)
		fds[i] = victim(seals);
	if (another_user)
		become_nobody();
	for (i = 0; i < COUNT(deeds); i++) {
		const struct deed *deed = &deeds[i];
		int given = reader ? again(fds[i], O_RDONLY) : fds[i];
		int lacks = (reader ? WRITER : 0) | (another_user ? OWNER : 0) |
			    MIRACLE;
		int refused, result, want = deed->changes, changed;

		look(fds[i], &was);
		refused = (unsigned int)was.seals & deed->forbidden_by ||
			  deed->takes & lacks;
		result = deed->try(given);
		look(fds[i], &is);
		changed = changes(&was, &is);
		if (refused || result == ABSENT)
			want = 0;
		else if (reader)
			want &= ~(OFFSET | STATUS);
		if (changed == want &&
		    (result == ABSENT || refused == (result < 0)))
			continue;
		print_error("%s, seals 0x%02x, %s, %s descriptor: %s, changed "
			    "0x%02x, wanted %s, 0x%02x\n",
			    deed->name, was.seals,
			    another_user ? "another user" : "the same user",
			    reader ? "read-only" : "read-write",
			    result < 0 ? "refused" : "allowed", changed,
			    refused ? "refused" : "allowed", want);
		wrong++;
	}
	return wrong;
}

static void every_set_of_seals(int another_user, int reader)
{
	unsigned int seals, known = known_seals();
	int status;

	print_message("  the kernel knows the seals 0x%02x\n", known);
	assert_int_equal(known & 0x0f, 0x0f);
	if (access("/proc/self/fd", F_OK) < 0)
		skip_because("/proc is not mounted");
	for (seals = 0; seals <= 0x3f; seals++) {
		pid_t pid;

		if (seals & ~known)
			continue;
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			/* A failed assertion would go on with the next test. */
			setenv("CMOCKA_TEST_ABORT", "1", 1);
			_exit(all_deeds(seals, another_user, reader));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status)
			fail_msg("seals 0x%02x: status 0x%x", seals, status);
	}
}

static void forbids_and_allows_a_writer(void **state)
{
	(void)state;
	every_set_of_seals(0, 0);
}

static void forbids_and_allows_a_reader(void **state)
{
	(void)state;
	every_set_of_seals(0, 1);
}

static void forbids_and_allows_another_user(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root can become another user");
	every_set_of_seals(1, 0);
	every_set_of_seals(1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(forbids_and_allows_a_writer),
		promise(forbids_and_allows_a_reader),
		promise(forbids_and_allows_another_user),
	};

	size = 2 * (size_t)sysconf(_SC_PAGESIZE);
	executable = denies_exec() ? 0 : MEMFD_EXEC;
	return cmocka_run_group_tests_name("forbid", tests, NULL, NULL);
}
