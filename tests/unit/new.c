/* SPDX-License-Identifier: MIT */

/* memfd_new: what each combination of flags gives, and what it refuses. */

#include "unit.h"

/* What a row of the table promises: an errno, or seals and a mode. */
struct promised {
	int err;
	int seals;
	unsigned int mode;
};

static const struct row {
	unsigned int flags;
	const char *names;
	struct promised with_exec_flags, without;
} rows[] = {
	{ 0, "", { 0, 0x21, 0666 }, { 0, 0x01, 0666 } },
	{ MEMFD_ALLOW_SEALING,
	  "allow-sealing",
	  { 0, 0x20, 0666 },
	  { 0, 0x00, 0666 } },
	{ MEMFD_EXEC, "exec", { 0, 0x01, 0777 }, { 0, 0x01, 0777 } },
	{ MEMFD_EXEC | MEMFD_ALLOW_SEALING,
	  "exec,allow-sealing",
	  { 0, 0x00, 0777 },
	  { 0, 0x00, 0777 } },
	{ MEMFD_NOEXEC_SEAL,
	  "noexec-seal",
	  { 0, 0x20, 0666 },
	  { EINVAL, 0, 0 } },
	{ MEMFD_NOEXEC_SEAL | MEMFD_ALLOW_SEALING,
	  "noexec-seal,allow-sealing",
	  { 0, 0x20, 0666 },
	  { EINVAL, 0, 0 } },
	{ MEMFD_EXEC | MEMFD_NOEXEC_SEAL,
	  "exec,noexec-seal",
	  { EINVAL, 0, 0 },
	  { EINVAL, 0, 0 } },
	{ MEMFD_EXEC | MEMFD_NOEXEC_SEAL | MEMFD_ALLOW_SEALING,
	  "exec,noexec-seal,allow-sealing",
	  { EINVAL, 0, 0 },
	  { EINVAL, 0, 0 } },
};

static struct promised promised_here(const struct row *row)
{
	struct promised promised =
		knows_exec_flags() ? row->with_exec_flags : row->without;

	if (!promised.err && row->flags & MEMFD_EXEC && denies_exec())
		promised.err = EACCES;
	return promised;
}

static void is_as_promised(int fd, struct promised promised, int cloexec)
{
	struct stat st;

	assert_int_equal(fcntl(fd, F_GET_SEALS), promised.seals);
	assert_int_equal(fstat(fd, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, promised.mode);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(fcntl(fd, F_GETFD), cloexec ? FD_CLOEXEC : 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	close_it(fd);
}

/* Each row by number and by name, beside one more flag. */
static void each_row_with(unsigned int flag, const char *flag_name, int cloexec)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct promised promised = promised_here(row);
		char names[128];

		snprintf(names, sizeof(names), "%s,%s", row->names, flag_name);
		print_message("  %s\n", names);
		if (promised.err) {
			fails(memfd_new("new", row->flags | flag),
			      promised.err);
			fails(memfd_new_str("new", names), promised.err);
			continue;
		}
		is_as_promised(succeeds(memfd_new("new", row->flags | flag)),
			       promised, cloexec);
		is_as_promised(succeeds(memfd_new_str("new", names)), promised,
			       cloexec);
	}
}

static void table_is_close_on_exec(void **state)
{
	(void)state;
	each_row_with(0, "", 1);
}

static void table_with_cloexec(void **state)
{
	(void)state;
	each_row_with(MEMFD_CLOEXEC, "cloexec", 1);
}

static void table_with_inherit(void **state)
{
	(void)state;
	each_row_with(MEMFD_INHERIT, "inherit", 0);
}

static void cloexec_with_inherit_is_einval(void **state)
{
	const unsigned int both = MEMFD_CLOEXEC | MEMFD_INHERIT;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++)
		fails(memfd_new("new", rows[i].flags | both), EINVAL);
	fails(memfd_new_str("new", "cloexec,inherit"), EINVAL);
}

static void null_names_of_flags_are_the_default(void **state)
{
	(void)state;
	is_as_promised(succeeds(memfd_new_str("new", NULL)),
		       promised_here(&rows[0]), 1);
}

/* A bit that this kernel takes, a later one may take. */
static void unknown_bits_are_einval(void **state)
{
	unsigned int bit;

	(void)state;
	for (bit = 0x20; bit < MEMFD_INHERIT; bit <<= 1) {
		if (kernel_refuses(bit) != EINVAL)
			continue;
		fails(memfd_new("new", bit), EINVAL);
		fails(memfd_new("new", bit | MEMFD_ALLOW_SEALING), EINVAL);
		fails(memfd_new("new", bit | MEMFD_EXEC), EINVAL);
		fails(memfd_new("new", bit | MEMFD_INHERIT), EINVAL);
	}
	fails(memfd_new("new", ~0U), EINVAL);
	fails(memfd_new("new", ~0U & ~(unsigned int)MEMFD_CLOEXEC), EINVAL);
	fails(memfd_new("new", 0x01000000), EINVAL);
	fails(memfd_new_str("new", "0x01000000"), EINVAL);
}

static void unknown_name_of_a_flag_is_einval(void **state)
{
	(void)state;
	fails(memfd_new_str("new", "allow-sealing,nope"), EINVAL);
	fails(memfd_new_str(NULL, "nope"), EINVAL);
}

static void null_name_is_efault(void **state)
{
	(void)state;
	fails(memfd_new(NULL, 0), EFAULT);
	fails(memfd_new(NULL, MEMFD_ALLOW_SEALING), EFAULT);
	fails(memfd_new_str(NULL, ""), EFAULT);
	if (!denies_exec())
		fails(memfd_new(NULL, MEMFD_EXEC), EFAULT);
}

static void name_of_249_bytes_is_the_longest(void **state)
{
	char name[251];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[249] = '\0';
	close_it(succeeds(memfd_new(name, 0)));
	close_it(succeeds(memfd_new_str(name, "")));
	name[249] = 'x';
	name[250] = '\0';
	fails(memfd_new(name, 0), EINVAL);
	fails(memfd_new(name, MEMFD_ALLOW_SEALING), EINVAL);
	fails(memfd_new(name, MEMFD_INHERIT), EINVAL);
	fails(memfd_new_str(name, ""), EINVAL);
}

static void name_may_be_any_bytes(void **state)
{
	char name[256], link[300], path[64];
	ssize_t len;
	int fd, i;

	(void)state;
	close_it(succeeds(memfd_new("", 0)));
	close_it(succeeds(memfd_new("/../a b\n%s\xff\x01", 0)));
	for (i = 1; i < 256; i++) {
		name[0] = (char)i;
		name[1] = '\0';
		close_it(succeeds(memfd_new(name, 0)));
	}

	fd = succeeds(memfd_new("a/b", 0));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, link, sizeof(link) - 1);
	close_it(fd);
	if (len < 0)
		skip_because("%s: %s", path, strerror(errno));
	link[len] = '\0';
	assert_string_equal(link, "/memfd:a/b (deleted)");
}

static void same_name_twice_is_two_files(void **state)
{
	int one = succeeds(memfd_new("same", 0));
	int two = succeeds(memfd_new("same", 0));
	char byte;

	(void)state;
	assert_int_equal(write(one, "x", 1), 1);
	assert_int_equal(pread(two, &byte, 1, 0), 0);
	close_it(one);
	close_it(two);
}

static void no_descriptor_left_is_emfile(void **state)
{
	struct rlimit limit, none;
	int lowest = dup(STDERR_FILENO);

	(void)state;
	assert_true(lowest >= 0);
	close_it(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	fails(memfd_new("new", 0), EMFILE);
	fails(memfd_new("new", MEMFD_ALLOW_SEALING), EMFILE);
	fails(memfd_new_sealed("new", 0, "x", 1), EMFILE);
	fails(memfd_new_sized("new", 0, 1, MEMFD_SEAL_GROW), EMFILE);
	fails(memfd_new_sealed_copy("new", 0, STDERR_FILENO, 1), EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	close_it(succeeds(memfd_new("new", 0)));
}

/* Taken back by the library, or sealed by the kernel. */
static void default_cannot_be_sealed_by_a_peer(void **state)
{
	int fd = succeeds(memfd_new("new", 0));
	int peer = dup(fd);

	(void)state;
	fails(memfd_seal(peer, MEMFD_SEAL_WRITE), EPERM);
	assert_int_equal(fcntl(peer, F_ADD_SEALS, MEMFD_SEAL_GROW), -1);
	close_it(fd);
	close_it(peer);
}

static void default_stays_not_executable(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	if (!knows_exec_flags())
		skip_because("the kernel does not know the exec flags");
	fd = succeeds(memfd_new("new", 0));
	fails(fchmod(fd, 0777), EPERM);
	fails(fchmod(fd, 0766), EPERM);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	close_it(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(table_is_close_on_exec),
		promise(table_with_cloexec),
		promise(table_with_inherit),
		promise(cloexec_with_inherit_is_einval),
		promise(null_names_of_flags_are_the_default),
		promise(unknown_bits_are_einval),
		promise(unknown_name_of_a_flag_is_einval),
		promise(null_name_is_efault),
		promise(name_of_249_bytes_is_the_longest),
		promise(name_may_be_any_bytes),
		promise(same_name_twice_is_two_files),
		promise(no_descriptor_left_is_emfile),
		promise(default_cannot_be_sealed_by_a_peer),
		promise(default_stays_not_executable),
	};

	return run_twice("new", tests);
}
