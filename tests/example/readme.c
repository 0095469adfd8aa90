/* SPDX-License-Identifier: MIT */

/* The recipes of README.md, which are cut from it when this is built. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "message.h"

#include "buffer.h"

#include "../tap.h"

static void *refused(const void *map)
{
	return map == MAP_FAILED ? NULL : (void *)(uintptr_t)map;
}

static void message(void)
{
	static const char text[] = "hello";
	int fd = new_message(text, sizeof(text));
	int ends[2];
	size_t size = 0;
	const char *map;

	need(fd >= 0, "new_message");
	map = refused(map_message(fd, sizeof(text), &size));
	ok(map && size == sizeof(text) && !memcmp(map, text, size),
	   "a message arrives");
	ok(pwrite(fd, "j", 1, 0) < 0 && errno == EPERM,
	   "a message cannot be changed");
	ok(!refused(map_message(fd, sizeof(text) - 1, &size)) && errno == EFBIG,
	   "a message that is too large is refused");
	close(fd);

	fd = memfd_new_sized("changeable", 0, 5, MEMFD_SEAL_SHRINK);
	need(fd >= 0, "memfd_new_sized");
	ok(!refused(map_message(fd, 5, &size)) && errno == EPERM,
	   "a message that can change is refused");
	close(fd);

	need(pipe2(ends, O_CLOEXEC) == 0, "pipe2");
	ok(!refused(map_message(ends[0], 5, &size)) && errno == EINVAL,
	   "a message that is a pipe is refused");
	close(ends[0]);
	close(ends[1]);
}

static void buffer(void)
{
	const size_t size = 4096;
	int fd;
	char *drawn = refused(new_buffer(size, &fd));
	const char *seen;

	need(drawn != NULL, "new_buffer");
	seen = refused(map_buffer(fd, size));
	need(seen != NULL, "map_buffer");
	drawn[size - 1] = 'x';
	ok(seen[size - 1] == 'x', "what is drawn into a buffer is seen");
	ok(ftruncate(fd, 0) < 0 && errno == EPERM, "a buffer cannot shrink");
	ok(ftruncate(fd, 8192) == 0 && refused(map_buffer(fd, 8192)),
	   "a buffer can grow");
	ok(memfd_seal(fd, MEMFD_SEAL_GROW) < 0 && errno == EPERM,
	   "a buffer takes no more seals");
	ok(!refused(map_buffer(fd, 8193)) && errno == EINVAL,
	   "a buffer too short is refused");
	close(fd);

	fd = memfd_new_sized("shrinkable", MEMFD_ALLOW_SEALING, size, 0);
	need(fd >= 0, "memfd_new_sized");
	ok(!refused(map_buffer(fd, size)) && errno == EPERM,
	   "a buffer that can shrink is refused");
	close(fd);
}

int main(void)
{
	message();
	buffer();
	return done_testing();
}
