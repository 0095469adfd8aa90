/* SPDX-License-Identifier: MIT */

/*
 * Copies of files that a server in user space serves, which may say and do what
 * it likes: FUSE, spoken over /dev/fuse by a thread. What pread(2) gives of
 * such a file decides what its copy has to be.
 */

#include "../shared/reading.h"

#include <limits.h>
#include <linux/fuse.h>
#include <pthread.h>

/* How a file is opened: through the page cache of the kernel, or past it. */
enum way { CACHED, DIRECT_IO, O_DIRECT_IO };

/* What stat(2) says of its size. */
enum claim { RIGHT, NOTHING, TOO_LITTLE, TOO_MUCH };

/* A file, and what happens while it is read. */
static struct file {
	size_t size, reply;
	enum way way;
	enum claim claim;
	/* The next so many reads of this byte, if there is one, fail with err.
	 */
	size_t bad;
	int err, times;
	/* Once this byte has been read, the size is another. */
	size_t turn, then;
	uint32_t open_flags;
} file;

/* Each file that is opened is a new one, of which nothing is cached yet. */
static uint64_t node = FUSE_ROOT_ID;
static int device = -1;
static pthread_t tester;

static void describe(struct fuse_attr *attr, uint64_t number)
{
	const size_t claims[] = { file.size, 0, file.size / 2,
				  file.size + 5000 };

	memset(attr, 0, sizeof(*attr));
	attr->ino = number;
	attr->nlink = 1;
	attr->mode = number == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0444;
	attr->size = claims[file.claim];
}

/* Returns an error, or how many bytes the reply has. */
static int read_reply(const struct fuse_read_in *in, char *out)
{
	size_t n = in->offset < file.size ? file.size - in->offset : 0;

	if (n > in->size)
		n = in->size;
	if (file.reply && n > file.reply)
		n = file.reply;
	if (file.times && in->offset <= file.bad &&
	    in->offset + in->size > file.bad) {
		/* The cache takes a short reply for the end of the file. */
		if (in->offset == file.bad || file.way == CACHED) {
			file.times--;
			/* As it happens when a signal arrives. */
			if (file.err == EINTR)
				pthread_kill(tester, SIGUSR1);
			return -file.err;
		}
		if (n > file.bad - in->offset)
			n = file.bad - in->offset;
	}
	memcpy(out, pattern + in->offset, n);
	if (file.turn && in->offset + n > file.turn)
		file.size = file.then;
	return (int)n;
}

static void *serve(void *unused)
{
	static union {
		char bytes[1 << 18];
		struct fuse_in_header header;
	} in;
	static struct {
		struct fuse_out_header header;
		union {
			char data[1 << 18];
			struct fuse_init_out init;
			struct fuse_entry_out entry;
			struct fuse_attr_out attr;
			struct fuse_open_out open;
		} body;
	} out;
	const void *arg = in.bytes + sizeof(in.header);
	ssize_t got;

	while ((got = read(device, in.bytes, sizeof(in.bytes))) > 0 ||
	       (got < 0 && errno != ENODEV)) {
		int body = -ENOSYS;

		memset(&out, 0, sizeof(out.header) + sizeof(out.body.init));
		switch (in.header.opcode) {
		case FUSE_FORGET:
		case FUSE_BATCH_FORGET:
		case FUSE_INTERRUPT:
			continue;
		case FUSE_INIT:
			out.body.init.major = FUSE_KERNEL_VERSION;
			out.body.init.minor = FUSE_KERNEL_MINOR_VERSION;
			out.body.init.max_readahead = 1 << 17;
			out.body.init.max_write = 1 << 12;
			body = sizeof(out.body.init);
			break;
		case FUSE_LOOKUP:
			out.body.entry.nodeid = ++node;
			describe(&out.body.entry.attr, node);
			body = sizeof(out.body.entry);
			break;
		case FUSE_GETATTR:
			describe(&out.body.attr.attr, in.header.nodeid);
			body = sizeof(out.body.attr);
			break;
		case FUSE_OPEN:
			out.body.open.open_flags =
				file.open_flags |
				(file.way == DIRECT_IO ? FOPEN_DIRECT_IO : 0);
			body = sizeof(out.body.open);
			break;
		case FUSE_READ:
			body = read_reply(arg, out.body.data);
			break;
		case FUSE_RELEASE:
			body = 0;
			break;
		}
		out.header.unique = in.header.unique;
		out.header.error = body < 0 ? body : 0;
		out.header.len = (uint32_t)sizeof(out.header) +
				 (uint32_t)(body > 0 ? body : 0);
		/* The kernel may have given up waiting for it. */
		if (write(device, &out, out.header.len) < 0 && errno != ENOENT)
			fprintf(stderr, "reply: %s\n", strerror(errno));
	}
	return unused;
}

/* Nothing to do: it interrupts. */
static void interrupt(int sig)
{
	(void)sig;
}

static int mount_it(void **state)
{
	const struct sigaction action = { .sa_handler = interrupt };
	char options[64];
	pthread_t server;

	(void)state;
	tester = pthread_self();
	if (sigaction(SIGUSR1, &action, NULL) < 0)
		return -1;
	if (!mounts_alone())
		return 0;
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", device);
	if (device < 0 ||
	    /* Over a directory that is there. */
	    mount("memfd", "/tmp", "fuse", MS_NOSUID | MS_NODEV, options) < 0) {
		if (device >= 0)
			close(device);
		device = -errno;
		return 0;
	}
	return pthread_create(&server, NULL, serve, NULL) ? -1 : 0;
}

/* Opens a new file like this one. */
static int fresh(const struct file *like)
{
	static int number;
	char path[32];
	int fd;

	if (device < 0)
		skip_because("no FUSE here: /dev/fuse, mount(2): %s",
			     strerror(-device));
	file = *like;
	snprintf(path, sizeof(path), "/tmp/%d", number++);
	fd = open(path, O_RDONLY | O_CLOEXEC |
				(like->way == O_DIRECT_IO ? O_DIRECT : 0));
	assert_true(fd >= 0);
	return fd;
}

/* The copy is what reading another one of these gives, if it is no other. */
static void copies(const struct file *like, size_t max)
{
	static struct reading read;
	const char *how;
	int fd = fresh(like);

	read_all(fd, max, &read);
	close_it(fd);
	fd = fresh(like);
	how = differs(fd, max, &read);
	close_it(fd);
	if (how)
		fail_msg("%zu bytes, claim %d, way %d, replies of %zu, "
			 "errno %d at %zu, then %zu bytes: %s",
			 like->size, like->claim, like->way, like->reply,
			 like->err, like->bad, like->then, how);
}

/*
 * For each way to open it, size that stat(2) gives, and length of replies. With
 * O_DIRECT, the kernel itself reads up to that size from its cache and the rest
 * from the server: what comes out of a wrong one depends on how much one asks
 * for.
 */
static void copies_in_each_way(struct file like, size_t max)
{
	static const size_t replies[] = { 0, 1000 };
	int way, claim;
	size_t i;

	for (way = CACHED; way <= O_DIRECT_IO; way++)
		for (claim = RIGHT;
		     claim <= (way == O_DIRECT_IO ? RIGHT : TOO_MUCH); claim++)
			for (i = 0; i < COUNT(replies); i++) {
				like.way = (enum way)way;
				like.claim = (enum claim)claim;
				like.reply = replies[i];
				copies(&like, max);
			}
}

static void whatever_size_and_pieces_the_server_gives(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 70000 };
	struct file like = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		like.size = sizes[i];
		copies_in_each_way(like, SIZE_MAX);
		copies_in_each_way(like, like.size);
		copies_in_each_way(like, like.size + 1);
		if (like.size)
			copies_in_each_way(like, like.size - 1);
	}
	copies_in_each_way(like, 0);
	copies_in_each_way(like, 4096);
}

/* No error is lost, and none is taken for a lack of sendfile(2). */
static void error_of_the_server(void **state)
{
	static const int errors[] = { EINVAL, ENOSYS, EPERM, EAGAIN, EIO };
	struct file like = { .size = 10000, .times = INT_MAX };
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(errors); i++) {
		const size_t bad[] = { 0, 5000, like.size - 1, like.size };

		like.err = errors[i];
		for (j = 0; j < COUNT(bad); j++) {
			like.bad = bad[j];
			copies_in_each_way(like, SIZE_MAX);
		}
	}
	copies_in_each_way(like, like.size);
	copies_in_each_way(like, like.size - 1);
}

static void signals_interrupt_the_server(void **state)
{
	struct file like = { .size = 10000, .err = EINTR, .times = 5 };

	(void)state;
	for (; like.bad <= like.size; like.bad += 2500) {
		copies_in_each_way(like, SIZE_MAX);
		copies_in_each_way(like, like.size - 1);
	}
}

/*
 * What is seen of a size that changes depends on the size of reads, unless they
 * give the whole file at once, or no more than 1000 bytes each.
 */
static void file_that_grows_or_shrinks_meanwhile(void **state)
{
	static const size_t sizes[] = { 1000, 4000, 70000 };
	struct file like = { 0 };
	size_t i, j;
	int claim;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++)
		for (j = 0; j < COUNT(sizes); j++)
			for (claim = RIGHT; claim <= TOO_MUCH; claim++) {
				like.size = sizes[i];
				like.turn = like.size - 500;
				like.then = sizes[j];
				like.claim = (enum claim)claim;
				like.way = CACHED;
				like.reply = 0;
				if (like.size <= 4000)
					copies(&like, SIZE_MAX);
				like.way = DIRECT_IO;
				like.reply = 1000;
				copies(&like, SIZE_MAX);
				copies(&like, sizes[j]);
			}
}

static void file_that_cannot_seek(void **state)
{
	struct file like = { .size = 100 };

	(void)state;
	like.open_flags = FOPEN_NONSEEKABLE;
	copies_in_each_way(like, SIZE_MAX);
	like.open_flags = FOPEN_STREAM;
	copies_in_each_way(like, SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(file_that_cannot_seek),
		promise(whatever_size_and_pieces_the_server_gives),
		promise(error_of_the_server),
		promise(signals_interrupt_the_server),
		promise(file_that_grows_or_shrinks_meanwhile),
	};

	return run_both_ways("fuse", tests, COUNT(tests), mount_it);
}
