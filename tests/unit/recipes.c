/* SPDX-License-Identifier: MIT */

/*
 * The functions that are installed as examples, against peers, signals and
 * kernels that break what is written with less care.
 */

#include "unit.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* What happens just before a recipe seals. */
static void (*before_seal)(int fd);

static inline int seal(int fd, unsigned int seals)
{
	if (before_seal)
		before_seal(fd);
	return memfd_seal(fd, seals);
}

#define memfd_seal(fd, seals) seal(fd, seals)
#include "../example/pass_fd.h"
#include "../example/recipes.h"
#undef memfd_seal

#define SIZE ((size_t)3 * 4096)
#define HUGE_SIZE ((size_t)2 << 20)

/* Sockets: ours, and the peer's. */
static int ours, theirs;

static void connect_to_peer(int type)
{
	int socks[2];

	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, socks), 0);
	ours = socks[0];
	theirs = socks[1];
}

/* The peer sends bytes, with its socket as often as that, 200 times at most. */
static void peer_sends(size_t bytes, size_t count)
{
	char data[9] = "hostile", buf[CMSG_SPACE(200 * sizeof(int))] = { 0 };
	struct iovec iov = { data, bytes };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = buf,
			      .msg_controllen =
				      CMSG_SPACE(count * sizeof(int)) };
	const struct cmsghdr head = { .cmsg_len = CMSG_LEN(count * sizeof(int)),
				      .cmsg_level = SOL_SOCKET,
				      .cmsg_type = SCM_RIGHTS };

	memcpy(buf, &head, sizeof(head));
	while (count--)
		memcpy(buf + CMSG_LEN(count * sizeof(int)), &theirs,
		       sizeof(int));
	assert_int_equal(sendmsg(theirs, &msg, MSG_NOSIGNAL), bytes);
}

/* What we receive of that, with room for 8 bytes. */
static void receives(ssize_t bytes, int with_fd)
{
	int before = open_descriptors(), fd = 99, err;
	char data[8];

	assert_int_equal(receive_fd(ours, data, sizeof(data), &fd), bytes);
	err = errno;
	assert_int_equal(open_descriptors(), before + with_fd);
	if (bytes < 0)
		assert_int_equal(err, EMSGSIZE);
	if (with_fd) {
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		close_it(fd);
	} else {
		assert_int_equal(fd, -1);
	}
}

/* By qemu-user, whose name the process then has. */
static int emulated(void)
{
	int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
	char name[5] = "";

	if (fd >= 0) {
		(void)!read(fd, name, sizeof(name));
		close_it(fd);
	}
	return memcmp(name, "qemu-", 5) == 0;
}

static void one_descriptor_is_received_and_no_more(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_SEQPACKET };
	char byte;
	size_t i;

	(void)state;
	if (emulated())
		skip_because("the emulator does not say that some did not fit");
	for (i = 0; i < COUNT(types); i++) {
		connect_to_peer(types[i]);
		assert_int_equal(send_fd(theirs, "good", 4, theirs), 4);
		receives(4, 1);
		peer_sends(4, 0);
		receives(4, 0);
		peer_sends(4, 2);
		receives(-1, 0);
		peer_sends(4, 200);
		receives(-1, 0);
		if (types[i] == SOCK_SEQPACKET) {
			/* Cut, and empty. */
			peer_sends(9, 1);
			receives(-1, 0);
			peer_sends(0, 1);
			/* gVisor drops that. */
			if (recv(ours, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
				receives(0, 0);
		}
		peer_sends(4, 1);
		close_it(theirs);
		receives(4, 1);
		receives(0, 0);
		/* And no SIGPIPE. */
		fails((int)send_fd(ours, "good", 4, ours), EPIPE);
		close_it(ours);
	}
}

/* Where this process may not have another one. */
static void no_room_for_a_descriptor_is_an_error(void **state)
{
	struct rlimit old, none;
	char data[8];
	ssize_t n;
	int fd;

	(void)state;
	connect_to_peer(SOCK_STREAM);
	peer_sends(4, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	n = receive_fd(ours, data, sizeof(data), &fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_int_equal(n, -1);
	assert_int_equal(fd, -1);
	close_it(ours);
	close_it(theirs);
}

static volatile sig_atomic_t ticks;

/* As many as no call needs: 50 seconds at 100 Hz. */
static void tick(int sig)
{
	static const char hangs[] = "interrupted for ever\n";

	(void)sig;
	if (++ticks == 5000 && write(STDERR_FILENO, hangs, sizeof(hangs)) > 0)
		_exit(1);
}

/* Signals as often as that, without SA_RESTART. */
static void set_timer(int hertz)
{
	const struct sigaction action = { .sa_handler = tick };
	const int us = hertz ? 1000000 / hertz : 0;
	const struct itimerval every = { { 0, us }, { 0, us } };

	ticks = 0;
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void passing_goes_on_after_a_signal(void **state)
{
	int status, i = 0;
	pid_t pid;
	char byte;

	(void)state;
	connect_to_peer(SOCK_STREAM);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(ours);
		usleep(50000);
		while (i++ < 1000)
			if (recv(theirs, &byte, 1, 0) != 1)
				_exit(1);
		usleep(50000);
		_exit(send_fd(theirs, "x", 1, theirs) != 1);
	}
	set_timer(1000);
	while (i < 1000 && send_fd(ours, "x", 1, ours) == 1)
		i++;
	assert_int_equal(i, 1000);
	receives(1, 1);
	set_timer(0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close_it(ours);
	close_it(theirs);
}

static int mappings(void)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC), lines = 0;
	char buf[4096];
	ssize_t n;

	if (fd < 0)
		skip_because("/proc is not mounted");
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		while (n > 0)
			lines += buf[--n] == '\n';
	close_it(fd);
	return lines;
}

static int sized(unsigned int flags, size_t size, unsigned int seals)
{
	return memfd_new_sized("peer", flags | MEMFD_ALLOW_SEALING, size,
			       seals);
}

/* Some kinds of files cannot be had everywhere. */
static int absent(const char *what, int fd)
{
	if (fd < 0)
		print_message("# %s: %s\n", what, strerror(errno));
	return fd < 0;
}

/* It is refused, or mapped and unmapped whole. Closes it. */
static void as_peer(const char *what, int fd, int buffer, int message)
{
	int before = mappings();
	const char *map;
	size_t size = SIZE;

	if (absent(what, fd))
		return;
	errno = 0;
	map = map_buffer(fd, SIZE);
	if (map != MAP_FAILED) {
		assert_int_equal(map[0] | map[SIZE - 1], 0);
		assert_int_equal(munmap((void *)map, SIZE), 0);
	}
	/* Some kernels let nobody share what is sealed like this. */
	if (errno == EPERM && memfd_check_seals(fd, MEMFD_SEAL_WRITE) == 0)
		errno = buffer;
	if (errno != buffer)
		fail_msg("buffer, %s: %s", what, strerror(errno));
	errno = 0;
	map = map_message(fd, SIZE, &size);
	if (map != MAP_FAILED) {
		assert_int_equal(size ? map[size - 1] : 0, 0);
		assert_int_equal(munmap((void *)map, size), 0);
	}
	if (errno != message)
		fail_msg("message, %s: %s", what, strerror(errno));
	assert_int_equal(mappings(), before);
	close_it(fd);
}

static void a_peers_file_is_mapped_whole_or_refused(void **state)
{
	const unsigned int shrink = MEMFD_SEAL_SHRINK;
	const unsigned int immutable = MEMFD_SEAL_IMMUTABLE;
	int file = temporary_file(1);

	(void)state;
	as_peer("a buffer", sized(0, SIZE, shrink), 0, EPERM);
	as_peer("a message", sized(0, SIZE, immutable), 0, 0);
	as_peer("huge pages", sized(MEMFD_HUGE_2MB, HUGE_SIZE, immutable),
		EINVAL, EINVAL);
	as_peer("longer", sized(0, SIZE + 1, immutable), 0, EFBIG);
	as_peer("shorter", sized(0, SIZE - 1, immutable), EINVAL, 0);
	as_peer("empty", sized(0, 0, immutable), EINVAL, EINVAL);
	as_peer("it can shrink", sized(0, SIZE, MEMFD_SEAL_GROW), EPERM, EPERM);
	as_peer("for reading", reopened(sized(0, SIZE, immutable), O_RDONLY), 0,
		0);
	as_peer("for writing", reopened(sized(0, SIZE, shrink), O_WRONLY),
		EACCES, EPERM);
	as_peer("a pipe", pipe_end(0), EINVAL, EINVAL);
	if (file >= 0)
		assert_int_equal(ftruncate(file, (off_t)SIZE), 0);
	as_peer("a file of tmpfs", file, EPERM, EPERM);
}

static void ends_sealed(const char *what, int fd, int err)
{
	if (err != EBADF && absent(what, fd))
		return;
	errno = 0;
	if (ensure_sealed(fd, ALL_SEALS) != (err ? -1 : 0) ||
	    (err && errno != err))
		fail_msg("%s: %s, not %s", what, strerror(errno),
			 strerror(err));
	assert_int_equal(memfd_check_seals(fd, ALL_SEALS), err ? -1 : 0);
	if (fd >= 0)
		close_it(fd);
}

static void seal_or_check_is_right_for_each_descriptor(void **state)
{
	(void)state;
	ends_sealed("sealable", sized(0, 1, 0), 0);
	ends_sealed("sealed in part", sized(0, 1, MEMFD_SEAL_GROW), 0);
	ends_sealed("sealed", sized(0, 1, ALL_SEALS), 0);
	ends_sealed("sealed, for reading",
		    reopened(sized(0, 1, ALL_SEALS), O_RDONLY), 0);
	ends_sealed("closed without", memfd_new("peer", 0), EPERM);
	ends_sealed("for reading", reopened(sized(0, 1, 0), O_RDONLY), EPERM);
	ends_sealed("a file of tmpfs", temporary_file(1), EPERM);
	ends_sealed("a pipe, for reading", pipe_end(0), EINVAL);
	ends_sealed("a pipe, for writing", pipe_end(1), EINVAL);
	ends_sealed("a directory", open("/", O_RDONLY | O_CLOEXEC), EINVAL);
	ends_sealed("a file", temporary_file(0), EINVAL);
	ends_sealed("by path only", open("/", O_PATH | O_CLOEXEC), EBADF);
	ends_sealed("not open", -1, EBADF);
}

static void peer_seals(int fd)
{
	memfd_seal(fd, ALL_SEALS);
}

static void peer_closes_sealing(int fd)
{
	memfd_seal(fd, MEMFD_SEAL_SEAL);
}

static void *mapped;

static void peer_maps(int fd)
{
	mapped = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static void seal_or_check_is_right_whatever_a_peer_does(void **state)
{
	(void)state;
	before_seal = peer_seals;
	ends_sealed("with what we want", sized(0, 1, 0), 0);
	before_seal = peer_closes_sealing;
	ends_sealed("with something else", sized(0, 1, 0), EPERM);
	before_seal = peer_maps;
	ends_sealed("but maps it for writing", sized(0, 1, 0), EBUSY);
	before_seal = NULL;
	assert_int_equal(munmap(mapped, 1), 0);
}

static void a_newer_seal_is_set_where_the_kernel_knows_it(void **state)
{
	const unsigned int shrink = MEMFD_SEAL_SHRINK, grow = MEMFD_SEAL_GROW;
	/* gVisor knows each. */
	const unsigned int unknown = 0x40000000 & ~known_seals();
	int fd = sized(0, 1, 0);

	(void)state;
	assert_int_equal(seal_with_newer(fd, shrink, unknown), 0);
	assert_int_equal(memfd_get_seals(fd), first_seals() | shrink);
	assert_int_equal(seal_with_newer(fd, shrink, grow), 0);
	assert_int_equal(memfd_get_seals(fd), first_seals() | shrink | grow);
	close_it(fd);
	fails(seal_with_newer(-1, shrink, grow), EBADF);
}

static void filled_in_place_unless_it_is_mapped(void **state)
{
	unsigned char wanted[1000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wanted); i++)
		wanted[i] = (unsigned char)i;
	holds(succeeds(new_filled(sizeof(wanted))), wanted, sizeof(wanted));
	fails(new_filled(0), EINVAL);
	before_seal = peer_maps;
	fails(new_filled(1), EBUSY);
	before_seal = NULL;
	assert_int_equal(munmap(mapped, 1), 0);
}

#define PIECE (LARGEST / 125)

/* What comes through a pipe, in pieces, while signals arrive. */
static int from_pipe(const char *data, size_t size, size_t max)
{
	int ends[2], fd, err;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* So that it ends with the reader. */
		close(ends[0]);
		usleep(20000);
		for (; size; size -= PIECE, data += PIECE)
			(void)!write(ends[1], data, PIECE);
		_exit(0);
	}
	close_it(ends[1]);
	set_timer(1000);
	fd = new_from_pipe(ends[0], max);
	err = errno;
	set_timer(0);
	close_it(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	errno = err;
	return fd;
}

static void a_pipe_is_read_to_its_end_or_the_limit(void **state)
{
	static char data[LARGEST];
	size_t i;

	(void)state;
	for (i = 0; i < LARGEST; i++)
		data[i] = (char)(i % 251);
	holds(from_pipe(data, LARGEST, LARGEST), data, LARGEST);
	holds(from_pipe(data, 0, 0), data, 0);
	assert_int_equal(from_pipe(data, LARGEST, LARGEST - 1), -1);
	assert_int_equal(errno, EFBIG);
	fails(new_from_pipe(-1, 1), EBADF);
}

static void memory_is_reserved_while_signals_arrive(void **state)
{
	static const int hertz[] = { 100, 1000 };
	const size_t size = (size_t)64 << 20;
	sigset_t blocked;
	struct stat st;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < COUNT(hertz); i++) {
		fd = sized(0, size, MEMFD_SEAL_SHRINK);
		set_timer(hertz[i]);
		assert_int_equal(reserve(fd, size), 0);
		set_timer(0);
		assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &blocked), 0);
		assert_int_equal(sigismember(&blocked, SIGALRM), 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, size);
		assert_true(st.st_blocks >= (blkcnt_t)(size / 512));
		close_it(fd);
	}
	fd = sized(0, 1, MEMFD_SEAL_GROW);
	fails(reserve(fd, 2), EPERM);
	close_it(fd);
	fails(reserve(-1, 1), EBADF);
}

static void a_program_gets_descriptor_3(void **state)
{
	char sh[] = "sh", option[] = "-c";
	char script[] = "read -r line <&3 && test \"$line\" = three";
	char *args[] = { sh, option, script, NULL };
	int already, fd, status;
	pid_t pid;

	(void)state;
	for (already = 0; already < 2; already++) {
		fd = succeeds(memfd_new_sealed("3", 0, "three\n", 6));
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			fd = fcntl(fd, F_DUPFD_CLOEXEC, 4);
			if (already)
				fd = dup3(fd, 3, O_CLOEXEC);
			exec_fd_3("/bin/sh", args, fd);
			_exit(errno);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		close_it(fd);
	}
	fails(exec_fd_3("/bin/sh", args, -1), EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(one_descriptor_is_received_and_no_more),
		promise(no_room_for_a_descriptor_is_an_error),
		promise(passing_goes_on_after_a_signal),
		promise(a_peers_file_is_mapped_whole_or_refused),
		promise(seal_or_check_is_right_for_each_descriptor),
		promise(seal_or_check_is_right_whatever_a_peer_does),
		promise(a_newer_seal_is_set_where_the_kernel_knows_it),
		promise(filled_in_place_unless_it_is_mapped),
		promise(a_pipe_is_read_to_its_end_or_the_limit),
		promise(memory_is_reserved_while_signals_arrive),
		promise(a_program_gets_descriptor_3),
	};
	int failed = cmocka_run_group_tests_name("recipes", tests, NULL, NULL);

	/* And the first descriptor that they open may be 0. */
	close(STDIN_FILENO);
	return failed + cmocka_run_group_tests_name("descriptor 0 free", tests,
						    NULL, NULL);
}
