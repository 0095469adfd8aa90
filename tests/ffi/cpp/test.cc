// SPDX-License-Identifier: MIT
// What memfd.hpp promises, and the transcript in ../expected.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include "memfd.hpp"

using namespace memfd;

#define CHECK(condition)                                                       \
	if (!(condition))                                                      \
	std::printf("line %d: %s\n", __LINE__, #condition), std::exit(1)

// What does not compile.
static_assert(!std::is_constructible_v<Flags, double>);
static_assert(!std::is_constructible_v<Seals, std::nullptr_t>);
static_assert(!std::is_constructible_v<Size, const char *>);
static_assert(!std::is_copy_constructible_v<File>);

static const std::string nul("a\0b", 3), too_long(250, 'x');

// What went wrong, without the name of the call before it.
template <typename Action> static std::string reason(Action action) {
	try {
		action();
	} catch (const std::system_error &error) {
		return error.code().message();
	} catch (const std::exception &error) {
		return error.what();
	}
	return "should have been refused";
}

static std::string content(const File &file) {
	char data[64];
	auto size = pread(file.get(), data, sizeof(data), 0);
	return std::string(data, std::size_t(size));
}

static long descriptors() {
	std::filesystem::directory_iterator all("/proc/self/fd");
	return std::distance(begin(all), end(all));
}

static void transcript() {
	std::ostringstream lines, expected;
	File buf = create("buf", MEMFD_ALLOW_SEALING);
	lines << "wrote: " << write(buf.get(), "hello", 5) << " bytes\n";
	lines << "unsealed: "
	      << reason([&] { check_seals(buf.get(), "immutable"); }) << '\n';
	seal(buf.get(), "seal,immutable");
	// Linux 6.3 and later set MEMFD_SEAL_EXEC by themselves.
	auto seals = get_seals(buf.get()) & ~MEMFD_SEAL_EXEC;
	lines << "seals: " << format_seals(seals) << '\n';
	check_seals(buf.get(), MEMFD_SEAL_IMMUTABLE);
	lines << "immutable: yes\n";
	CHECK(write(buf.get(), "again", 5) < 0);
	lines << "write: " << std::strerror(errno) << '\n';
	lines << "new: " << reason([] {
		create("buf", "allow-sealing,sparkling");
	}) << '\n';
	lines << "seal: " << reason([&] { seal(buf.get(), "write|frozen"); })
	      << '\n';
	lines << "stdin: " << reason([] { check_seals(0, "immutable"); })
	      << '\n';
	File greeting = create_sealed("greeting", "hello, world");
	lines << "sealed: " << content(greeting) << '\n';

	expected << std::ifstream("../expected").rdbuf();
	CHECK(lines.str() == expected.str());
}

static void what_the_transcript_leaves_out() {
	struct stat st;
	File sized = create_sized("name", 5, "grow",
				  MEMFD_EXEC | MEMFD_ALLOW_SEALING);

	CHECK(fstat(sized.get(), &st) == 0 && st.st_size == 5);
	CHECK((st.st_mode & 0777) == 0777);
	seal(sized.get(), MEMFD_SEAL_SHRINK);
	CHECK(get_seals(sized.get()) == 6);
	check_seals(sized.get(), std::string("grow,shrink"));
	check_seals(sized.get(), 6UL);
	create_sized("name", 1, "0");
	File sealed = create_sealed("name", nul);
	check_seals(sealed.get(), "seal,immutable");
	CHECK(content(create_sealed_copy("name", sealed.get())) == nul);
	CHECK(content(create_sealed_copy("name", sealed.get(), 3)) == nul);
	CHECK(Flags(MEMFD_HUGE_16GB) == Flags("huge-16gb"));
	CHECK(format_seals(0x48) == "write,0x40");
}

static void ownership() {
	File one = create("one"), two = create("two");
	int first = one.get(), second = two.get();

	two = std::move(one);
	CHECK(two.get() == first && one.get() == -1);
	CHECK(fcntl(second, F_GETFD) < 0);
	two = std::move(*&two);
	CHECK(fcntl(first, F_GETFD) == FD_CLOEXEC);
	CHECK(two.release() == first && two.get() == -1);
	File three = File(first), four = std::move(three);
	CHECK(three.get() == -1);
	four = File();
	CHECK(reason([&] { get_seals(first); }) == "Bad file descriptor");
}

static void errors() {
	File file = create_sized("name", 5);
	int fd = file.get();

	// clang-format off
	CHECK(reason([&] { create_sealed_copy("name", fd, 4); }) == "File too large");
	CHECK(reason([] { Flags("exec|spärkling exec"); }) == "invalid flag: spärkling");
	CHECK(reason([] { Seals("write\tfrozen"); }) == "invalid seal: frozen");
	CHECK(reason([] { Seals(", "); }) == "no seal is named");
	CHECK(reason([] { create("name", nul); }) == "null byte in a string");
	CHECK(reason([] { create(nul); }) == "null byte in a string");
	CHECK(reason([] { create("name", -1); }) == "number out of range");
	CHECK(reason([] { create("name", 1LL << 32); }) == "number out of range");
	CHECK(reason([] { create_sized("name", -1); }) == "number out of range");
	// clang-format on
}

static void fail(int fd, const std::string &expected) {
	for (int i = 0; i < 1000; i++) {
		CHECK(reason([] { create(too_long); }) == "Invalid argument");
		CHECK(reason([] { create_sized("", 1, 1 << 30); }) ==
		      "Invalid argument");
		CHECK(reason([] { create_sealed("", "text", "hugetlb"); }) ==
		      "Invalid argument");
		CHECK(reason([&] { create_sealed_copy("", fd); }) == expected);
		reason([] {
			File file = create("name");
			throw std::exception();
		});
	}
}

static void errors_leave_nothing_open_and_each_thread_has_its_own() {
	long before = descriptors();
	std::thread one(fail, 0, "Illegal seek");
	std::thread two(fail, -1, "Bad file descriptor");

	one.join();
	two.join();
	CHECK(descriptors() == before);
}

int main() {
	transcript();
	what_the_transcript_leaves_out();
	ownership();
	errors();
	errors_leave_nothing_open_and_each_thread_has_its_own();
}
