/* SPDX-License-Identifier: MIT */

/*
 * A cache of blobs, such as icons, that many clients share through one server:
 * each gets the memory itself, not a copy. Nobody need trust anybody: content
 * that the server hands out never changes, and no client can make it keep more
 * than MAX_BLOBS * MAX_BLOB bytes, or wait for that client alone. (One with
 * MAX_CLIENTS connections keeps others out, though, as long as it asks.)
 *
 *	blobs SOCKET			serve
 *	blobs SOCKET put NAME <FILE	store a blob
 *	blobs SOCKET get NAME >FILE	fetch it
 *
 * cc blobs.c -pthread $(pkg-config --cflags --libs libmemfd)
 */

#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/time.h>
#include <sys/un.h>

#include "pass_fd.h"
#include "recipes.h"

#define MAX_BLOB ((size_t)1 << 20)
#define MAX_BLOBS 64
#define MAX_CLIENTS 64
/* Seconds until a client is given up that neither asks nor reads. */
#define PATIENCE 30

/* A message of SOCK_SEQPACKET, with a descriptor to put. */
struct request {
	char verb;     /* 'p' to put, 'g' to get */
	char name[31]; /* zeros behind it */
};

/* The answer is an errno, or 0, in an int; with a descriptor for one to get. */

static struct blob {
	char name[31];
	int used, fd;
} blobs[MAX_BLOBS];
static unsigned int next_blob;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t free_clients;

static struct blob *find(const char *name)
{
	size_t i;

	for (i = 0; i < MAX_BLOBS; i++)
		if (blobs[i].used && !memcmp(blobs[i].name, name, 31))
			return &blobs[i];
	return NULL;
}

/*
 * A copy of what a client has sent that nobody can change; of a sealed file,
 * too, because that can have more than its bytes: memory beyond its end, and
 * extended attributes. The copy has none, and its mode keeps other users from
 * adding some. Returns -1 on error. The file may be one that blocks whoever
 * reads it, so this is not done under the lock.
 */
static int copy_of(int fd)
{
	int copy = memfd_new_sealed_copy("blob", 0, fd, MAX_BLOB);

	if (copy >= 0 && fchmod(copy, 0400) < 0) {
		close(copy);
		return -1;
	}
	return copy;
}

/* Returns 0 or an errno. A new blob takes the place of the oldest. */
static int put(const char *name, int fd)
{
	int copy = copy_of(fd);
	struct blob *blob;

	if (copy < 0)
		return errno;
	pthread_mutex_lock(&lock);
	blob = find(name);
	if (!blob)
		blob = &blobs[next_blob++ % MAX_BLOBS];
	if (blob->used)
		close(blob->fd);
	blob->used = 1;
	blob->fd = copy;
	memcpy(blob->name, name, sizeof(blob->name));
	pthread_mutex_unlock(&lock);
	return 0;
}

/* Returns a descriptor of its own: meanwhile, the blob may be replaced. */
static int get(const char *name)
{
	struct blob *blob;
	int fd = -1;

	pthread_mutex_lock(&lock);
	blob = find(name);
	if (blob)
		fd = fcntl(blob->fd, F_DUPFD_CLOEXEC, 3);
	else
		errno = ENOENT;
	pthread_mutex_unlock(&lock);
	return fd;
}

/* Returns 0, or -1 to give the client up. */
static int answer(int sock, const struct request *request, int fd)
{
	int error = EINVAL;
	ssize_t n;

	if (request->verb == 'g') {
		fd = get(request->name);
		error = fd < 0 ? errno : 0;
	} else if (request->verb == 'p') {
		error = put(request->name, fd);
	}
	if (request->verb == 'g' && fd >= 0) {
		n = send_fd(sock, &error, sizeof(error), fd);
		close(fd);
	} else {
		n = send(sock, &error, sizeof(error), MSG_NOSIGNAL);
	}
	return n < 0 ? -1 : 0;
}

/* A client, in a thread of its own: it can block nobody else. */
static void *serve(void *arg)
{
	int sock = (int)(intptr_t)arg, fd, failed = 0;
	struct request request;
	ssize_t n;

	while (!failed &&
	       (n = receive_fd(sock, &request, sizeof(request), &fd)) > 0) {
		failed = n != sizeof(request) || answer(sock, &request, fd) < 0;
		if (fd >= 0)
			close(fd);
	}
	close(sock);
	sem_post(&free_clients);
	return NULL;
}

static void accept_client(int listener)
{
	const struct timeval patience = { PATIENCE, 0 };
	/* The least: few descriptors are under way to a client at once. */
	const int size = 1;
	pthread_t thread;
	int sock;

	/* The next one waits until one goes. */
	while (sem_wait(&free_clients) < 0)
		;
	sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (sock >= 0 &&
	    pthread_create(&thread, NULL, serve, (void *)(intptr_t)sock) == 0) {
		pthread_detach(thread);
		return;
	}
	/* A lack of descriptors or memory may pass. */
	if (sock >= 0)
		close(sock);
	sem_post(&free_clients);
	usleep(10000);
}

static void client(int sock, char verb, const char *name)
{
	struct request request = { .verb = verb, .name = { 0 } };
	char buf[4096];
	off_t at = 0;
	ssize_t n;
	int error, fd = -1;

	if (strlen(name) > sizeof(request.name))
		errx(1, "%s: the name is too long", name);
	memcpy(request.name, name, strlen(name));
	if (verb == 'p') {
		fd = new_from_pipe(STDIN_FILENO, MAX_BLOB);
		if (fd < 0)
			err(1, "standard input");
		n = send_fd(sock, &request, sizeof(request), fd);
	} else {
		n = send(sock, &request, sizeof(request), MSG_NOSIGNAL);
	}
	if (n < 0 ||
	    receive_fd(sock, &error, sizeof(error), &fd) != sizeof(error))
		errx(1, "the server does not answer");
	errno = error;
	if (error ||
	    (verb == 'g' && memfd_check_seals(fd, MEMFD_SEAL_IMMUTABLE) < 0))
		err(1, "%s", name);
	while (verb == 'g' && (n = pread(fd, buf, sizeof(buf), at)) > 0) {
		if (fwrite(buf, 1, (size_t)n, stdout) != (size_t)n)
			err(1, "standard output");
		at += n;
	}
	if (n < 0 || fflush(stdout))
		err(1, "%s", name);
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const struct sockaddr *address = (const struct sockaddr *)&addr;
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct stat st;

	if ((argc != 2 && argc != 4) ||
	    strlen(argv[1]) >= sizeof(addr.sun_path))
		errx(1, "usage: blobs SOCKET [put|get NAME]");
	strcpy(addr.sun_path, argv[1]);
	if (argc == 4) {
		if (connect(sock, address, sizeof(addr)) < 0)
			err(1, "%s", argv[1]);
		client(sock, argv[2][0], argv[3]);
		return 0;
	}
	/* What an earlier server has left. */
	if (lstat(argv[1], &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(argv[1]);
	if (bind(sock, address, sizeof(addr)) < 0 || listen(sock, 64) < 0)
		err(1, "%s", argv[1]);
	sem_init(&free_clients, 0, MAX_CLIENTS);
	for (;;)
		accept_client(sock);
}
