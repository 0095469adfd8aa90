/* SPDX-License-Identifier: MIT */

/*
 * The server that is installed as an example, with thirty clients at once, each
 * of them honest and hostile by turns: whatever they do, it answers the others,
 * and in the end has no descriptor, mapping or memory more than before.
 */

#define _GNU_SOURCE
#include <linux/fuse.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "../shared/peer.h"
#include "../shared/tap.h"

#include "../example/pass_fd.h"
#include "../example/recipes.h"

#define CLIENTS 30
#define ROUNDS 1000
#define MAX_BLOB ((size_t)1 << 20)
#define MAX_BLOBS 64
#define MAX_CLIENTS 64

struct request {
	char verb, name[31];
};

static char folder[] = "/tmp/blobs-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static pid_t server;

static int connected(void)
{
	/* Far more than an answer takes, and less than the server's patience.
	 */
	const struct timeval limit = { 20, 0 };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), tries;

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	for (tries = 0; tries < 500; tries++) {
		if (connect(sock, (struct sockaddr *)&address,
			    sizeof(address)) == 0)
			return sock;
		usleep(10000);
	}
	return -1;
}

/* Returns the errno that is the answer, or -1; for a blob, its descriptor. */
static int ask(int sock, char verb, const char *name, int fd, int *blob)
{
	struct request request = { .verb = verb };
	int answer, other = -1;

	strncpy(request.name, name, sizeof(request.name) - 1);
	if ((fd < 0 ? send(sock, &request, sizeof(request), MSG_NOSIGNAL)
		    : send_fd(sock, &request, sizeof(request), fd)) < 0 ||
	    receive_fd(sock, &answer, sizeof(answer), &other) != sizeof(answer))
		return -1;
	if (blob)
		*blob = other;
	else if (other >= 0)
		close(other);
	return answer;
}

/* -1, or the size of a blob: immutable, on ordinary pages, and not too many. */
static ssize_t size_of(int sock, const char *name, char *first)
{
	struct statfs fs;
	struct stat st;
	int fd = -1;
	ssize_t size = -1;

	if (ask(sock, 'g', name, -1, &fd) == 0 &&
	    memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE) == 0 &&
	    fstatfs(fd, &fs) == 0 && fs.f_type == 0x01021994 &&
	    fstat(fd, &st) == 0 && st.st_blocks <= (blkcnt_t)(MAX_BLOB / 512) &&
	    pread(fd, first, 1, 0) == (st.st_size > 0))
		size = st.st_size;
	if (fd >= 0)
		close(fd);
	return size;
}

/* The server gives up who sends that, with our socket once or twice. */
static int breaks(int *sock, const struct request *request, size_t size,
		  size_t count)
{
	char byte;
	int gone = send_itself(*sock, request, size, count) == (ssize_t)size &&
		   (recv(*sock, &byte, 1, 0) == 0 || errno == ECONNRESET);

	close(*sock);
	*sock = connected();
	return gone && *sock >= 0;
}

static int put(int sock, const char *name, int fd)
{
	int answer = ask(sock, 'p', name, fd, NULL);

	close(fd);
	return answer;
}

static int sized(unsigned int flags, size_t size, unsigned int seals)
{
	return memfd_new_sized("x", MEMFD_ALLOW_SEALING | flags, size, seals);
}

/* cut is a file that another process cuts and extends all the time. */
static int round_of(int client, int round, int *sock, int cut)
{
	static int stalled = -1;
	const unsigned int immutable = MEMFD_SEAL_IMMUTABLE;
	struct request request = { .verb = 'g' };
	char name[32], byte = (char)round, got = 0;
	int fd, other, ends[2], i, answer;

	snprintf(name, sizeof(name), "client %d", client);
	switch (round % 16) {
	case 0: /* As it is. */
		fd = memfd_new_sealed("x", 0, &byte, 1);
		return put(*sock, name, fd) == 0 &&
		       size_of(*sock, name, &got) == 1 && got == byte;
	case 1: /* Copied: no write reaches it afterwards. */
		fd = sized(0, 4097, MEMFD_SEAL_GROW);
		answer = ask(*sock, 'p', name, fd, NULL);
		byte = (char)(pwrite(fd, "!", 1, 0) - 1);
		close(fd);
		return answer == 0 && size_of(*sock, name, &got) == 4097 &&
		       got == byte;
	case 2: /* Empty. */
		return put(*sock, name, sized(0, 0, immutable)) == 0 &&
		       size_of(*sock, name, &got) == 0;
	case 3:
		fd = sized(MEMFD_HUGE_2MB, 2 << 20, immutable);
		if (fd < 0)
			return 1;
		other = sized(MEMFD_HUGE_2MB, 0, immutable);
		return put(*sock, name, fd) == EFBIG &&
		       put(*sock, name, other) == 0 &&
		       size_of(*sock, name, &got) == 0;
	case 4: /* A hole. */
		fd = sized(0, SIZE_MAX >> 24, immutable);
		return put(*sock, name, fd) == EFBIG;
	case 5: /* Memory beyond the end. */
		fd = sized(0, 1, 0);
		fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 2 << 20);
		memfd_seal(fd, immutable);
		return put(*sock, name, fd) == 0 &&
		       size_of(*sock, name, &got) == 1;
	case 6:
		return ask(*sock, 'p', name, cut, NULL) == 0 &&
		       size_of(*sock, name, &got) >= 0;
	case 7:
		if (pipe2(ends, O_CLOEXEC) < 0)
			return 0;
		answer = put(*sock, name, ends[0]);
		close(ends[1]);
		return answer == ESPIPE;
	case 8:
		request.verb = 'p';
		return breaks(sock, &request, sizeof(request), 2);
	case 9:
		return ask(*sock, 'p', name, -1, NULL) == EBADF;
	case 10:
		return breaks(sock, &request, 1, 1);
	case 11: /* A descriptor that nobody has asked for. */
		answer = ask(*sock, 'g', name, *sock, NULL);
		return (answer == 0 || answer == ENOENT) &&
		       ask(*sock, '?', name, *sock, NULL) == EINVAL;
	case 12: /* Reads no answer, and stays. */
		if (stalled >= 0)
			close(stalled);
		stalled = connected();
		for (i = 0; i < 200; i++)
			if (send(stalled, &request, sizeof(request),
				 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
				break;
		return stalled >= 0;
	case 13: /* What cannot be read. */
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		other = open("/", O_PATH | O_CLOEXEC);
		return put(*sock, name, fd) == EBADF &&
		       put(*sock, name, other) == EBADF;
	case 14: /* What never ends. */
		fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
		return put(*sock, name, fd) == EFBIG;
	default: /* Gone before the answer. */
		send(*sock, &request, sizeof(request), MSG_NOSIGNAL);
		close(*sock);
		*sock = connected();
		return *sock >= 0;
	}
}

static int client(int number, int rounds, int cut)
{
	int sock = connected(), i;

	for (i = 0; i < rounds; i++) {
		int round = number + i;

		if (round_of(number, round, &sock, cut))
			continue;
		printf("# client %d, kind %d: %s\n", number, round % 16,
		       strerror(errno));
		return 1;
	}
	return 0;
}

/* Thirty at once. Returns the number of those that were not served well. */
static int clients(int rounds)
{
	int cut = sized(0, MAX_BLOB, 0), i, status, failed = 0;
	pid_t pids[CLIENTS], cutter = fork();

	if (cutter == 0)
		for (;;)
			if (ftruncate(cut, 1) < 0 ||
			    ftruncate(cut, MAX_BLOB) < 0)
				_exit(1);
	fflush(stdout);
	for (i = 0; i < CLIENTS; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			exit(client(i, rounds, cut));
	}
	for (i = 0; i < CLIENTS; i++)
		failed += waitpid(pids[i], &status, 0) < 0 || status;
	kill(cutter, SIGKILL);
	waitpid(cutter, NULL, 0);
	close(cut);
	return failed;
}

/* What the server has: descriptors, mappings, and KiB of memory of its own. */
struct state {
	long descriptors, mappings, memory;
};

/* What a command prints, that is told the server's process. */
static long number(const char *format)
{
	char command[128];
	long value = -1;
	FILE *file;

	snprintf(command, sizeof(command), format, (int)server);
	file = popen(command, "r");
	need(file && fscanf(file, "%ld", &value) == 1, command);
	pclose(file);
	return value;
}

static long threads(void)
{
	return number("ls /proc/%d/task | wc -l");
}

/* When nobody is served any more. */
static struct state when_quiet(void)
{
	struct state state;
	int tries;

	for (tries = 0; threads() != 1; tries++) {
		need(tries < 600, "the threads of the server end");
		usleep(100000);
	}
	state.descriptors = number("ls /proc/%d/fd | wc -l");
	state.mappings = number("wc -l </proc/%d/maps");
	state.memory = number("awk '/RssAnon/ { print $2 }' /proc/%d/status");
	return state;
}

static void unchanged(struct state was, struct state is, const char *what)
{
	/* Some stacks more, of threads that overlap as they begin and end. */
	ok(was.descriptors == is.descriptors &&
		   is.mappings - was.mappings < CLIENTS &&
		   is.memory - was.memory < 512,
	   "%s: descriptors %ld, %ld; mappings %ld, %ld; KiB %ld, %ld", what,
	   was.descriptors, is.descriptors, was.mappings, is.mappings,
	   was.memory, is.memory);
}

/*
 * A file that makes all others wait who read or close it: of a FUSE file system
 * that is that file. Returns a descriptor, or -1.
 */
static int file_that_blocks(pid_t *pid)
{
	char path[64], options[64];
	int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC), fd;

	snprintf(path, sizeof(path), "%s/fuse", folder);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=100644,user_id=0,group_id=0", dev);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	if (dev < 0 ||
	    mount("blobs", path, "fuse.blobs", MS_NODEV, options) < 0)
		return -1;
	*pid = fork();
	while (*pid == 0) {
		static union {
			struct fuse_in_header head;
			char buf[FUSE_MIN_READ_BUFFER + 4096];
		} in;
		struct {
			struct fuse_out_header head;
			union {
				struct fuse_init_out init;
				struct fuse_open_out open;
			};
		} out = { .head = { .len = sizeof(out.head) } };

		if (read(dev, &in, sizeof(in)) < 0)
			_exit(0);
		out.head.unique = in.head.unique;
		if (in.head.opcode == FUSE_INIT) {
			out.init.major = FUSE_KERNEL_VERSION;
			out.init.minor = FUSE_KERNEL_MINOR_VERSION;
			out.init.max_write = 4096;
			out.head.len += sizeof(out.init);
		} else if (in.head.opcode == FUSE_OPEN) {
			out.head.len += sizeof(out.open);
		} else if (in.head.pid != (uint32_t)getppid()) {
			continue;
		}
		if (write(dev, &out, out.head.len) < 0)
			_exit(1);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	close(dev);
	umount2(path, MNT_DETACH);
	return fd;
}

/* As many as there may be, so that each has had its stack. */
static void fill(void)
{
	int socks[MAX_CLIENTS], i;
	char first;

	for (i = 0; i < MAX_CLIENTS; i++)
		socks[i] = connected();
	size_of(socks[MAX_CLIENTS - 1], "none", &first);
	for (i = 0; i < MAX_CLIENTS; i++)
		close(socks[i]);
}

static void block_it(int rounds)
{
	const char *what = "a client whose file blocks the server";
	struct request request = { .verb = 'p' };
	pid_t pid = -1;
	int fd = file_that_blocks(&pid), sock = connected();

	if (fd < 0) {
		printf("ok %d - %s # SKIP no right to FUSE\n", ++tap_count,
		       what);
		close(sock);
		return;
	}
	need(send_fd(sock, &request, sizeof(request), fd) > 0, "send_fd");
	close(fd);
	ok(clients(rounds) == 0, "%s: the others are served", what);
	ok(threads() > 1, "%s: it does block", what);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(sock);
}

int main(void)
{
	struct state before, after;
	int sock, i, good;
	char name[31], first;

	need(mkdtemp(folder) != NULL, folder);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket",
		 folder);
	server = fork();
	if (server == 0)
		execl(BLOBS, "blobs", address.sun_path, (char *)NULL);
	fill();
	ok(clients(50) == 0, "%d clients, honest and hostile", CLIENTS);
	before = when_quiet();
	ok(clients(ROUNDS) == 0, "%d rounds of that", ROUNDS);
	after = when_quiet();
	unchanged(before, after, "the server keeps what it had");
	block_it(50);
	unchanged(before, when_quiet(), "and afterwards");

	sock = connected();
	for (i = good = 0; i < 3 * MAX_BLOBS; i++) {
		snprintf(name, sizeof(name), "blob %d", i);
		good += put(sock, name, memfd_new_sealed("x", 0, "x", 1)) == 0;
	}
	ok(good == i && size_of(sock, name, &first) == 1, "%d blobs", i);
	close(sock);
	after = when_quiet();
	ok(after.descriptors - before.descriptors == MAX_BLOBS - CLIENTS,
	   "of those, it keeps %d", MAX_BLOBS);
	kill(server, SIGTERM);
	ok(waitpid(server, &i, 0) == server && WIFSIGNALED(i) &&
		   WTERMSIG(i) == SIGTERM,
	   "it has served to the end");
	unlink(address.sun_path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/fuse", folder);
	unlink(address.sun_path);
	rmdir(folder);
	return done_testing();
}
