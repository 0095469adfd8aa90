/* SPDX-License-Identifier: MIT */

/*
 * What all functions that create a memfd promise: the descriptor and the file
 * that each combination of flags gives, and what is refused.
 */

#include "unit.h"

#define SIZE 2
#define SHRINK_GROW (MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW)

/* What is copied. */
static int source;

/* The tests run once for each. */
static const struct creator {
	enum { NEW, SIZED, SEALED, COPIED } how;
	const char *function;
	off_t size;
	unsigned int seals;
} creators[] = {
	{ NEW, "memfd_new", 0, 0 },
	{ SIZED, "memfd_new_sized", SIZE, 0 },
	{ SIZED, "memfd_new_sized", SIZE, SHRINK_GROW },
	{ SEALED, "memfd_new_sealed", SIZE, ALL_SEALS },
	{ COPIED, "memfd_new_sealed_copy", SIZE, ALL_SEALS },
};

static const struct creator *creator;

static int create(const char *name, unsigned int flags)
{
	snprintf(behind, sizeof(behind), "%s", creator->function);
	switch (creator->how) {
	case NEW:
		return memfd_new(name, flags);
	case SIZED:
		return memfd_new_sized(name, flags, SIZE, creator->seals);
	case SEALED:
		return memfd_new_sealed(name, flags, "ab", SIZE);
	default:
		return memfd_new_sealed_copy(name, flags, source, SIZE);
	}
}

static int create_str(const char *name, const char *flags)
{
	snprintf(behind, sizeof(behind), "%s_str", creator->function);
	switch (creator->how) {
	case NEW:
		return memfd_new_str(name, flags);
	case SIZED:
		return memfd_new_sized_str(name, flags, SIZE,
					   creator->seals ? "shrink,grow"
							  : "0");
	case SEALED:
		return memfd_new_sealed_str(name, flags, "ab", SIZE);
	default:
		return memfd_new_sealed_copy_str(name, flags, source, SIZE);
	}
}

#define REFUSED (-1)

/* Each row is followed by the one with allow-sealing. */
static const struct row {
	unsigned int flags;
	const char *names;
	unsigned int mode;
	/* Where the kernel knows the exec flags, and where it does not. */
	int seals, seals_without;
} rows[] = {
	{ 0, "", 0666, 0x21, 0x01 },
	{ MEMFD_ALLOW_SEALING, "allow-sealing", 0666, 0x20, 0x00 },
	{ MEMFD_EXEC, "exec", 0777, 0x01, 0x01 },
	{ MEMFD_EXEC | MEMFD_ALLOW_SEALING, "exec,allow-sealing", 0777, 0, 0 },
	{ MEMFD_NOEXEC_SEAL, "noexec-seal", 0666, 0x20, REFUSED },
	{ MEMFD_NOEXEC_SEAL | MEMFD_ALLOW_SEALING, "noexec-seal,allow-sealing",
	  0666, 0x20, REFUSED },
	{ MEMFD_EXEC | MEMFD_NOEXEC_SEAL, "exec,noexec-seal", 0, REFUSED,
	  REFUSED },
	{ MEMFD_EXEC | MEMFD_NOEXEC_SEAL | MEMFD_ALLOW_SEALING,
	  "exec,noexec-seal,allow-sealing", 0, REFUSED, REFUSED },
};

/* The row of the file that is made: to add seals implies allow-sealing. */
static const struct row *file_of(size_t row)
{
	return &rows[creator->seals ? row | 1 : row];
}

static int seals_of(const struct row *file)
{
	return knows_exec_flags() ? file->seals : file->seals_without;
}

static int promised_errno(const struct row *file)
{
	if (seals_of(file) == REFUSED)
		return EINVAL;
	return file->flags & MEMFD_EXEC && denies_exec() ? EACCES : 0;
}

static void is_as_promised(int fd, const struct row *file, int cloexec)
{
	struct stat st;

	assert_int_equal(fcntl(fd, F_GET_SEALS),
			 (unsigned int)seals_of(file) | creator->seals);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | file->mode);
	assert_int_equal(st.st_size, creator->size);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	assert_int_equal(fcntl(fd, F_GETFD), cloexec ? FD_CLOEXEC : 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	close_it(fd);
}

/* Each row by number and by name, beside one more flag. */
static void table_with(unsigned int flag, const char *flag_name, int cloexec)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		const struct row *file = file_of(i);
		int err = promised_errno(file);
		unsigned int flags = rows[i].flags | flag;
		char names[64];

		snprintf(names, sizeof(names), "%s,%s", rows[i].names,
			 flag_name);
		print_message("  %s\n", names);
		if (err) {
			fails(create("new", flags), err);
			fails(create_str("new", names), err);
			continue;
		}
		is_as_promised(succeeds(create("new", flags)), file, cloexec);
		is_as_promised(succeeds(create_str("new", names)), file,
			       cloexec);
	}
}

static void table_holds_and_is_close_on_exec_by_default(void **state)
{
	(void)state;
	table_with(0, "", 1);
	table_with(MEMFD_CLOEXEC, "cloexec", 1);
	table_with(MEMFD_INHERIT, "inherit", 0);
	is_as_promised(succeeds(create_str("new", NULL)), file_of(0), 1);
}

/* A bit that this kernel refuses, a later one may take. */
static void contradiction_and_unknown_flag_are_einval(void **state)
{
	unsigned int bit;

	(void)state;
	fails(create("new", MEMFD_CLOEXEC | MEMFD_INHERIT), EINVAL);
	fails(create_str("new", "cloexec,inherit"), EINVAL);
	/* The day that a kernel takes it, the library needs another. */
	assert_int_equal(kernel_refuses(MEMFD_INHERIT), EINVAL);
	for (bit = 0x20; bit; bit <<= 1)
		if (bit != MEMFD_INHERIT && kernel_refuses(bit) == EINVAL)
			fails(create("new", bit), EINVAL);
	fails(create("new", 0x01000000), EINVAL);
	fails(create_str("new", "0x01000000"), EINVAL);
	fails(create_str("new", "0x80000000"), EINVAL);
	/* Before anything else: there is no name of the file here. */
	fails(create_str(NULL, "exec,write"), EINVAL);
}

static void null_name_is_efault(void **state)
{
	(void)state;
	fails(create(NULL, 0), EFAULT);
	fails(create_str(NULL, ""), EFAULT);
}

static void name_of_249_bytes_is_the_longest(void **state)
{
	char name[251];

	(void)state;
	memset(name, '\xff', 250);
	name[250] = '\0';
	fails(create(name, 0), EINVAL);
	fails(create_str(name, ""), EINVAL);
	close_it(succeeds(create(name + 1, 0)));
	close_it(succeeds(create_str(name + 1, "")));
}

static void no_descriptor_left_is_emfile(void **state)
{
	int lowest = dup(STDERR_FILENO);
	struct rlimit limit, none;

	(void)state;
	close_it(lowest);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	fails(create("new", 0), EMFILE);
	fails(create_str("new", ""), EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Nothing is printed within the limit: what is printed may go to a file. */
static int create_within(rlim_t size)
{
	struct rlimit limit, low;
	int fd;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	low = limit;
	low.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	fd = create("new", 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	return fd;
}

/* With a limit of 1, some bytes fit, and only the second write fails. */
static void file_size_limit_is_efbig(void **state)
{
	rlim_t size = (rlim_t)creator->size, most;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	for (most = 0; most < size; most++)
		fails(create_within(most), EFBIG);
	close_it(succeeds(create_within(size)));
	signal(SIGXFSZ, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(table_holds_and_is_close_on_exec_by_default),
		promise(contradiction_and_unknown_flag_are_einval),
		promise(null_name_is_efault),
		promise(name_of_249_bytes_is_the_longest),
		promise(no_descriptor_left_is_emfile),
		promise(file_size_limit_is_efbig),
	};
	int failed = 0;

	source = memfd_new_sealed("source", 0, "ab", SIZE);
	/* The first descriptor that a test opens is 0, which is no failure. */
	close(STDIN_FILENO);
	for (creator = creators; creator < creators + COUNT(creators);
	     creator++)
		failed += cmocka_run_group_tests_name(creator->function, tests,
						      NULL, NULL);
	close(source);
	return failed;
}
