/* SPDX-License-Identifier: MIT */

/*
 * Copies from file systems: those that init.sh mounts, with O_DIRECT and
 * without, an overlay, huge pages, and all of /proc and /sys. What pread(2)
 * gives of a file decides what its copy has to be.
 */

#include "../shared/reading.h"

#include <ftw.h>
#include <sys/sendfile.h>

/* The copy is what reading gives, within each limit. Closes it. */
static void copies(int fd, const char *what)
{
	static struct reading read;
	size_t i;

	assert_true(fd >= 0);
	read_all(fd, SIZE_MAX, &read);
	if (read.size <= READ_AT_MOST) {
		const size_t limits[] = {
			SIZE_MAX, read.size, read.size + 1, read.size - 1,
			0,	  511,	     4096
		};
		const int err = read.err;

		for (i = 0; i < COUNT(limits); i++) {
			const char *how;

			read.err = read.size > limits[i] ? EFBIG : err;
			how = differs(fd, limits[i], &read);
			if (how)
				fail_msg("%s, %s", what, how);
		}
	}
	close_it(fd);
}

/* Through the cache, and past it where the file system knows O_DIRECT. */
static void copies_both_ways(int file, const char *what)
{
	int fd;

	copies(reopen(file, O_RDONLY), what);
	fd = open_again(file, O_RDONLY | O_DIRECT);
	if (fd >= 0)
		copies(fd, what);
	else
		assert_int_equal(errno, EINVAL);
}

/* A file of its own there, of many sizes. */
static void files_written(int file, const char *type)
{
	static const size_t sizes[] = {
		0,    1,    511,   512,	  513,	 4095,
		4096, 4097, 65535, 65536, 65537, 100000
	};
	char what[64];
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		assert_int_equal(ftruncate(file, 0), 0);
		assert_int_equal(pwrite(file, pattern, sizes[i], 0), sizes[i]);
		snprintf(what, sizeof(what), "%s, %zu bytes", type, sizes[i]);
		copies_both_ways(file, what);
	}
	/* A hole, with something behind it. */
	assert_int_equal(ftruncate(file, 0), 0);
	assert_int_equal(pwrite(file, "x", 1, 50000), 1);
	copies_both_ways(file, what);
}

/* Of the virtual machines that init.sh sets up. */
static void file_system(void **state)
{
	const char *type = *state;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/mnt/%s/memfd-XXXXXX", type);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		skip_because("no %s is mounted", type);
	if (fd >= 0) {
		unlink(path);
		files_written(fd, type);
	} else {
		/* Nothing can be written, but there is a file. */
		assert_int_equal(errno, EROFS);
		snprintf(path, sizeof(path), "/mnt/%s/busybox", type);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		copies_both_ways(fd, type);
	}
	close_it(fd);
}

static void put(const char *path, size_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, pattern, size, 0), size);
	close_it(fd);
}

/* What a descriptor that was open before reads then depends on the kernel. */
static void overlay_before_and_after_copy_up_and_unlink(void **state)
{
	int old, new;

	(void)state;
	/* Over a directory that is there. */
	if (!mounts_alone() || mount("memfd", "/tmp", "tmpfs", 0, NULL) < 0)
		skip_because("mount(2): %s", strerror(errno));
	assert_int_equal(mkdir("/tmp/lower", 0700), 0);
	assert_int_equal(mkdir("/tmp/upper", 0700), 0);
	assert_int_equal(mkdir("/tmp/work", 0700), 0);
	assert_int_equal(mkdir("/tmp/both", 0700), 0);
	put("/tmp/lower/file", 70000);
	if (mount("memfd", "/tmp/both", "overlay", 0,
		  "lowerdir=/tmp/lower,upperdir=/tmp/upper,workdir=/tmp/work") <
	    0)
		skip_because("overlay: %s", strerror(errno));
	old = open("/tmp/both/file", O_RDONLY | O_CLOEXEC);
	assert_true(old >= 0);
	copies(dup(old), "below");
	put("/tmp/both/file", 5);
	assert_int_equal(truncate("/tmp/both/file", 5000), 0);
	new = open("/tmp/both/file", O_RDONLY | O_CLOEXEC);
	assert_true(new >= 0);
	copies(dup(old), "below, after copy-up");
	copies(dup(new), "copied up");
	assert_int_equal(unlink("/tmp/both/file"), 0);
	copies(old, "below, unlinked");
	copies(new, "copied up, unlinked");
	new = open("/tmp/both/new", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	files_written(new, "overlay");
	close_it(new);
	assert_int_equal(umount("/tmp/both"), 0);
	assert_int_equal(umount("/tmp"), 0);
}

/* More huge pages for all, or fewer. */
static void add_huge_pages(int n)
{
	FILE *pool = fopen("/proc/sys/vm/nr_hugepages", "r+e");
	int had;

	if (pool && fscanf(pool, "%d", &had) == 1) {
		rewind(pool);
		fprintf(pool, "%d", had + n);
	}
	if (pool)
		fclose(pool);
}

static void huge_page_and_hole_for_one(void **state)
{
	const size_t size = 2 << 20;
	int err, fd = memfd_new_sized("source", MEMFD_HUGE_2MB, size, 0);
	char *at;

	(void)state;
	if (fd < 0)
		skip_because("no huge pages: %s", strerror(errno));
	copies(dup(fd), "hole for a huge page");
	add_huge_pages(1);
	err = fallocate(fd, 0, 0, (off_t)size) < 0 ? errno : 0;
	if (!err) {
		at = mmap(NULL, size, PROT_WRITE, MAP_SHARED, fd, 0);
		assert_true(at != MAP_FAILED);
		memcpy(at, pattern, size);
		assert_int_equal(munmap(at, size), 0);
		copies(dup(fd), "huge page");
	}
	close_it(fd);
	add_huge_pages(-1);
	if (err)
		skip_because("no huge page to be had: %s", strerror(err));
}

/*
 * It is given to one read only. How much that is depends on whether sendfile(2)
 * reads it, as the manual says: a pipe full, or 4096 bytes.
 */
static void long_text_of_proc_sys(void **state)
{
	static const char path[] = "/proc/sys/net/ipv4/ip_local_reserved_ports";
	static struct reading read;
	int fd, port, n = 0, out = memfd_new("out", 0);
	const char *how;
	char text[4000];
	off_t start = 0;

	(void)state;
	/* Of its own. */
	fd = unshare(CLONE_NEWNET) < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		close_it(out);
		skip_because("%s: %s", path, strerror(errno));
	}
	/* It takes a page at a time, and adds what is written further on. */
	for (port = 1; port < 30000; port += 2) {
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%d,", port);
		if (n > 3900) {
			assert_int_equal(pwrite(fd, text, (size_t)n, port), n);
			n = 0;
		}
	}
	n = sendfile(out, fd, &start, 1) < 0 ? 4096 : 16 * (int)page_size();
	read.size = (size_t)pread(fd, read.data, (size_t)n, 0);
	assert_true(read.size >= 4096);
	close_it(out);
	how = differs(fd, SIZE_MAX, &read);
	close_it(fd);
	if (how)
		fail_msg("%s: %s", path, how);
}

/*
 * These block, give what they have to one reader, are not there for that, count
 * the files that are open, or are tested above.
 */
static const char *const left_out[] = {
	"kmsg",		  "trace_pipe",
	"trace_pipe_raw", "wakeup_count",
	"kcore",	  "dentry-state",
	"file-nr",	  "inode-nr",
	"inode-state",	  "ip_local_reserved_ports",
	"kpagecgroup",	  "kpagecount",
	"kpageflags",
};

/* Of files of one name, which come from the same code, one is enough. */
static char seen[1 << 16];
static int walked, wrong;

static int is_left_out(const char *name)
{
	unsigned int hash = 0;
	size_t i;

	for (i = 0; i < COUNT(left_out); i++)
		if (!strcmp(name, left_out[i]))
			return 1;
	while (*name)
		hash = hash * 31 + (unsigned char)*name++;
	hash %= COUNT(seen);
	if (seen[hash])
		return 1;
	seen[hash] = 1;
	return 0;
}

/* Neither a file that changes is wrong, nor one that differs only once. */
static int copy_one(const char *path, const struct stat *st, int type,
		    struct FTW *ftw)
{
	static struct reading first, second;
	const size_t max = 100000;
	const char *how = NULL;
	int fd, i;

	(void)st;
	if (type != FTW_F || is_left_out(path + ftw->base))
		return 0;
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	for (i = 0; i < 3; i++) {
		read_all(fd, max, &first);
		how = differs(fd, max, &first);
		if (!how)
			break;
		read_all(fd, max, &second);
		if (first.err != second.err || first.size != second.size ||
		    memcmp(first.data, second.data, first.size) != 0)
			break;
	}
	if (i == 3)
		print_error("%s: %s\n", path, how);
	wrong += i == 3;
	walked += !how;
	close_it(fd);
	return 0;
}

static void all_of_proc_and_sys(void **state)
{
	(void)state;
	nftw("/proc", copy_one, 20, FTW_PHYS | FTW_MOUNT);
	nftw("/sys", copy_one, 20, FTW_PHYS | FTW_MOUNT);
	print_message("# %d files\n", walked);
	assert_int_equal(wrong, 0);
	if (!walked)
		skip_because("neither /proc nor /sys is mounted");
}

#define on(type)                                                               \
	{                                                                      \
		type, file_system, count_open, compare_open, (void *)type      \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(overlay_before_and_after_copy_up_and_unlink),
		on("ext4"),
		on("btrfs"),
		on("vfat"),
		on("squashfs"),
		promise(huge_page_and_hole_for_one),
		promise(long_text_of_proc_sys),
		promise(all_of_proc_and_sys),
	};

	return run_both_ways("files", tests, COUNT(tests), NULL);
}
