// SPDX-License-Identifier: MIT
// What memfd.hpp promises.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include "memfd.hpp"

using namespace memfd;

#define CHECK(condition)                                                       \
	if (!(condition))                                                      \
	std::printf("line %d: %s\n", __LINE__, #condition), std::exit(1)

// What does not compile.
template <typename Data>
constexpr bool content_may_be =
	std::is_invocable_v<decltype(create_sealed), std::string, Data, int>;
static_assert(content_may_be<const char *> && !content_may_be<int>);
static_assert(!content_may_be<void *> && !content_may_be<std::wstring>);
static_assert(!std::is_constructible_v<Flags, double>);
static_assert(!std::is_constructible_v<Seals, std::nullptr_t>);
static_assert(!std::is_constructible_v<Size, const char *>);
static_assert(!std::is_copy_constructible_v<File>);

static const std::string nul("a\0b", 3), too_long(250, 'x');

// The errno of an action, or what else it throws.
template <typename Action> static std::string error(Action action) {
	try {
		action();
	} catch (const std::system_error &error) {
		return std::to_string(error.code().value());
	} catch (const std::exception &error) {
		return error.what();
	}
	return "nothing";
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

static void whole_interface() {
	struct stat st;

	for (Flags flags : { Flags(MEMFD_ALLOW_SEALING | MEMFD_EXEC),
			     Flags("exec|allow-sealing") }) {
		File file = create("name", flags);
		seal(file.get(), MEMFD_SEAL_GROW);
		seal(file.get(), "shrink");
		CHECK(get_seals(file.get()) == 6);
		check_seals(file.get(), std::string("grow,shrink"));
		check_seals(file.get(), 6UL);
	}
	File sized = create_sized("name", 5, "grow", MEMFD_EXEC);
	CHECK(fstat(sized.get(), &st) == 0 && st.st_size == 5);
	CHECK((st.st_mode & 0777) == 0777);
	check_seals(sized.get(), MEMFD_SEAL_GROW);
	create_sized("name", 1, "0");
	File sealed = create_sealed("name", nul);
	check_seals(sealed.get(), "seal,immutable");
	CHECK(content(sealed) == nul);
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
	CHECK(error([&] { get_seals(first); }) == std::to_string(EBADF));
}

// clang-format off
static void errors()
{
	File file = create_sized("name", 5);
	CHECK(error([&] { create_sealed_copy("name", file.get(), 4); }) == std::to_string(EFBIG));
	CHECK(error([] { Flags("exec|spärkling exec"); }) == "invalid flag: spärkling");
	CHECK(error([] { Flags("huge-2mb,huge-1gb"); }) == "invalid flag: huge-1gb");
	CHECK(error([] { Seals("write\tfrozen"); }) == "invalid seal: frozen");
	CHECK(error([] { Seals(", "); }) == "no seal is named");
	CHECK(error([] { create("name", nul); }) == "null byte in a string");
	CHECK(error([] { create(nul); }) == "null byte in a string");
	CHECK(error([] { create("name", -1); }) == "number out of range");
	CHECK(error([] { create("name", 1LL << 32); }) == "number out of range");
	CHECK(error([] { create_sized("name", -1); }) == "number out of range");
}

// Leaves nothing open, and each thread has its own errno.
static void fail(int fd, int expected)
{
	const auto invalid = std::to_string(EINVAL);

	for (int i = 0; i < 1000; i++) {
		CHECK(error([] { create(too_long); }) == invalid);
		CHECK(error([] { create_sized("name", 1, 1 << 30); }) == invalid);
		CHECK(error([] { create_sealed("name", "text", "hugetlb"); }) == invalid);
		CHECK(error([&] { create_sealed_copy("name", fd); }) == std::to_string(expected));
		error([] { File file = create("name"); throw std::exception(); });
	}
}
// clang-format on

int main() {
	int pipes[2];

	whole_interface();
	ownership();
	errors();
	CHECK(pipe(pipes) == 0);
	long before = descriptors();
	std::thread one(fail, pipes[0], ESPIPE), two(fail, -1, EBADF);
	one.join();
	two.join();
	CHECK(descriptors() == before);
}
