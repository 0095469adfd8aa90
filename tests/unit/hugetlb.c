/* SPDX-License-Identifier: MIT */

/* Huge pages: each size makes a file, or is ENODEV as the machine says. */

#include "unit.h"

#include "../shared/grammar.h"

#define POOLS "/sys/kernel/mm/hugepages"

/* 8 EiB. */
#define NO_SIZE (MEMFD_HUGETLB | 63U << 26)

/*
 * The errno of asking for huge pages of this size, 0 for the default one; or 0.
 */
static int promised(unsigned long kib)
{
	char path[64];

	if (access("/sys/kernel/mm", F_OK) < 0)
		skip_because("/sys is not mounted");
	/* No hugetlbfs in the kernel, or a processor without huge pages. */
	if (access(POOLS, F_OK) < 0 && kernel_refuses(NO_SIZE) == ENOSYS)
		return ENOSYS;
	if (!kib)
		return access(POOLS, F_OK) < 0 ? ENOENT : 0;
	snprintf(path, sizeof(path), POOLS "/hugepages-%lukB", kib);
	return access(path, F_OK) < 0 ? ENODEV : 0;
}

static void is_huge(int fd, unsigned int flags, unsigned long kib)
{
	struct stat st;

	assert_int_equal(fcntl(fd, F_GETFD),
			 flags & MEMFD_INHERIT ? 0 : FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GET_SEALS),
			 (flags & MEMFD_ALLOW_SEALING ? 0 : MEMFD_SEAL_SEAL) |
				 (flags & MEMFD_EXEC ? 0 : first_seals()));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, flags & MEMFD_EXEC ? 0777 : 0666);
	if (kib)
		assert_true((unsigned long)st.st_blksize / 1024 == kib);
	else
		assert_true(st.st_blksize > sysconf(_SC_PAGESIZE));
	fails((int)write(fd, "x", 1), EINVAL);
	close_it(fd);
}

/* By number and by name: files, or this errno. */
static void makes(unsigned int flags, const char *names, unsigned long kib,
		  int err)
{
	if (flags & MEMFD_EXEC && denies_exec())
		err = EACCES;
	print_message("  %s: %s\n", names, err ? strerror(err) : "a file");
	if (err) {
		fails(memfd_new("huge", flags), err);
		fails(memfd_new_str("huge", names), err);
	} else {
		is_huge(succeeds(memfd_new("huge", flags)), flags, kib);
		is_huge(succeeds(memfd_new_str("huge", names)), flags, kib);
	}
}

/* The size that a name tells, in KiB; 0 for the default one. */
static unsigned long kib_of(const char *name)
{
	char *unit;
	unsigned long number =
		strtoul(name + strcspn(name, "123456789"), &unit, 10);

	return number << (*unit == 'g' ? 20 : *unit == 'm' ? 10 : 0);
}

static void each_size_is_a_file_or_enodev(void **state)
{
	static const char *const others[] = { "", "allow-sealing", "inherit",
					      "exec" };
	const struct word *size;
	unsigned int other;
	char names[64];
	size_t i;

	(void)state;
	for (size = flag_words; size->name; size++) {
		unsigned long kib = kib_of(size->name);
		unsigned int log2 = size->value >> 26;

		if (!(size->value & MEMFD_HUGETLB))
			continue;
		assert_true(kib ? 1024ULL * kib == 1ULL << log2 : !log2);
		for (i = 0; i < COUNT(others); i++) {
			snprintf(names, sizeof(names), "%s,%s", size->name,
				 others[i]);
			succeeds(memfd_parse_flags(others[i], &other, NULL));
			makes(size->value | other, names, kib, promised(kib));
		}
	}
}

/* The default size of huge pages; skips the test where there are none. */
static size_t huge_page(void)
{
	int fd = memfd_new("huge", MEMFD_HUGETLB);
	struct stat st;

	if (fd < 0)
		skip_because("hugetlbfs: %s", strerror(errno));
	assert_int_equal(fstat(fd, &st), 0);
	close_it(fd);
	return (size_t)st.st_blksize;
}

static void sized_in_whole_pages_only(void **state)
{
	size_t page = huge_page();
	struct stat st;
	int fd;

	(void)state;
	fails(memfd_new_sized("huge", MEMFD_HUGETLB, page - 1, 0), EINVAL);
	fails(memfd_new_sized("huge", MEMFD_HUGETLB, page + 4096,
			      MEMFD_SEAL_GROW),
	      EINVAL);
	fd = succeeds(memfd_new_sized_str("huge", "hugetlb", 3 * page,
					  "shrink,grow"));
	assert_int_equal(fstat(fd, &st), 0);
	assert_true((size_t)st.st_size == 3 * page);
	assert_int_equal(memfd_get_seals(fd),
			 MEMFD_SEAL_SHRINK | MEMFD_SEAL_GROW | first_seals());
	fails(ftruncate(fd, 0), EPERM);
	close_it(fd);
}

/*
 * No promise of ours, and what the header and the manual warn of. Where a
 * kernel enforces the seal, this fails, and they have to say since when.
 */
static void exec_seal_is_reported_but_not_enforced(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	if (!knows_exec_flags())
		skip_because("the kernel does not know the exec flags");
	huge_page();
	fd = succeeds(memfd_new("huge", MEMFD_HUGETLB | MEMFD_NOEXEC_SEAL));
	succeeds(memfd_check_seals(fd, MEMFD_SEAL_EXEC));
	assert_int_equal(fchmod(fd, 0777), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0777);
	succeeds(memfd_check_seals(fd, MEMFD_SEAL_EXEC));
	close_it(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		promise(each_size_is_a_file_or_enodev),
		promise(sized_in_whole_pages_only),
		promise(exec_seal_is_reported_but_not_enforced),
	};

	return cmocka_run_group_tests_name("hugetlb", tests, NULL, NULL);
}
