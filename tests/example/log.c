/* SPDX-License-Identifier: MIT */

/*
 * A log in shared memory that one process writes and others read. After
 * MEMFD_SEAL_FUTURE_WRITE only the mapping of the writer can write, and the
 * file can still grow. Requires Linux 5.1.
 *
 * cc log.c $(pkg-config --cflags --libs libmemfd)
 */

#define _GNU_SOURCE
#include <err.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "recipes.h"

#define FIRST_SIZE ((size_t)4096)
#define LIMIT ((size_t)1 << 20)
#define LINES 1000

struct log {
	atomic_size_t used;
	char text[LIMIT - sizeof(atomic_size_t)];
};

/* Make the file at least size bytes long; a reader may have done so already. */
static int log_grow(int fd, size_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if ((uintmax_t)st.st_size >= size || ftruncate(fd, (off_t)size) == 0)
		return 0;
	/* EPERM: a reader has just made it longer than that. */
	return errno == EPERM ? log_grow(fd, size) : -1;
}

static void log_append(struct log *log, int fd, const char *line)
{
	size_t used = atomic_load(&log->used);
	size_t length = strlen(line);

	if (length > sizeof(log->text) - used)
		errx(1, "the log is full");
	if (log_grow(fd, offsetof(struct log, text) + used + length) < 0)
		err(1, "ftruncate");
	memcpy(log->text + used, line, length);
	atomic_store(&log->used, used + length);
}

/* A reader. */
static const struct log *log_map(int fd)
{
	const unsigned int seals = MEMFD_SEAL_SHRINK | MEMFD_SEAL_FUTURE_WRITE;
	struct statfs fs;

	if (memfd_check_seals(fd, seals) < 0 || fstatfs(fd, &fs) < 0)
		return MAP_FAILED;
	/* tmpfs; huge pages could not be unmapped again. */
	if (fs.f_type != 0x01021994) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	return mmap(NULL, LIMIT, PROT_READ, MAP_SHARED, fd, 0);
}

/* How much of the text there is to read: never more than the file has. */
static size_t log_used(const struct log *log, int fd)
{
	size_t used = atomic_load(&log->used);
	struct stat st;

	if (fstat(fd, &st) < 0)
		err(1, "fstat");
	if (used > sizeof(log->text) ||
	    offsetof(struct log, text) + used > (uintmax_t)st.st_size)
		errx(1, "a log that claims more than it has");
	return used;
}

static void reader(int fd)
{
	const struct log *log = log_map(fd);
	size_t used, seen = 0;
	int lines = 0;

	if (log == MAP_FAILED)
		err(1, "log refused");
	while (lines < LINES) {
		for (used = log_used(log, fd); seen < used; seen++)
			lines += log->text[seen] == '\n';
		usleep(1000);
	}
	if (pwrite(fd, "x", 1, 0) < 0)
		warn("reader: pwrite refused, as it should be");
	if (mmap(NULL, FIRST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) ==
	    MAP_FAILED)
		warn("reader: writable mmap refused, as it should be");
	printf("reader: %d lines, %zu bytes\n", lines, used);
}

int main(void)
{
	struct log *log;
	char line[64];
	int fd, i, status;

	log = new_log(FIRST_SIZE, LIMIT, &fd);
	if (log == MAP_FAILED)
		err(1, "new_log");
	switch (fork()) {
	case -1:
		err(1, "fork");
	case 0:
		/* A process that receives the descriptor has no mapping. */
		munmap(log, LIMIT);
		reader(fd);
		return 0;
	}
	for (i = 1; i <= LINES; i++) {
		snprintf(line, sizeof(line), "line %d of the log\n", i);
		log_append(log, fd, line);
	}
	if (wait(&status) < 0 || status != 0)
		return 1;
	return 0;
}
