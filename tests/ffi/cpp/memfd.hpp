// SPDX-License-Identifier: MIT
/**
 * @file
 * libmemfd 1.0.0 for C++17: memory files with safe defaults, and their seals.
 *
 * Copy this file into your project, and compile with the output of
 * `pkg-config --cflags --libs libmemfd`.
 *
 * Flags and seals are constants of <memfd.h> joined by |, or names:
 * "allow-sealing,huge-2mb". Every function throws std::system_error with the
 * errno, which the manual page of the C function explains;
 * std::invalid_argument for an unknown name, or a null byte in a string; and
 * std::out_of_range for a number that is negative or too large.
 *
 * @code
 * #include "memfd.hpp"
 *
 * int main()
 * {
 *	memfd::File file = memfd::create_sealed("greeting", "hello, world");
 *	memfd::check_seals(file.get(), MEMFD_SEAL_IMMUTABLE);
 *	char text[12];
 *	return read(file.get(), text, sizeof(text)) == 12 ? 0 : 1;
 * }
 * @endcode
 */
#ifndef MEMFD_HPP
#define MEMFD_HPP

#if !__has_include(<memfd.h>)
#error "<memfd.h> is missing: install libmemfd, and use pkg-config to find it"
#endif

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>

#include <memfd.h>
#include <unistd.h>

namespace memfd {

namespace detail {

inline int check(int result, const char *function) {
	if (result < 0)
		throw std::system_error(errno, std::generic_category(),
					function);
	return result;
}

inline const char *c_string(const std::string &text) {
	if (text.find('\0') != text.npos)
		throw std::invalid_argument("null byte in a string");
	return text.c_str();
}

using parser = int (*)(const char *, unsigned int *, std::size_t *);

// A number, from any integer that fits, or from names.
template <typename Number, parser parse> class argument {
      public:
	template <typename T,
		  std::enable_if_t<std::is_integral_v<T> || std::is_enum_v<T>,
				   int> = 0>
	argument(T value) : number_(static_cast<Number>(value)) {
		constexpr std::uintmax_t most = Number(-1);
		if (+value < 0 || static_cast<std::uintmax_t>(value) > most)
			throw std::out_of_range("number out of range");
	}

	template <typename T,
		  std::enable_if_t<
			  parse && !std::is_null_pointer_v<T> &&
				  std::is_convertible_v<T, std::string_view>,
			  int> = 0>
	argument(const T &value) {
		constexpr bool seals = parse == memfd_parse_seals;
		const std::string names{ std::string_view(value) };
		std::size_t stop;

		if (parse(c_string(names), &number_, &stop) < 0) {
			const auto end =
				names.find_first_of(",| \t\n\v\f\r", stop);
			throw std::invalid_argument(
				(seals ? "invalid seal: " : "invalid flag: ") +
				names.substr(stop, end - stop));
		}
		if (seals && number_ == 0 && names.find('0') == names.npos)
			throw std::invalid_argument("no seal is named");
	}

	operator Number() const noexcept { return number_; }

      private:
	Number number_ = 0;
};

}

/** Flags for a new memfd; see memfd_new(3). */
using Flags = detail::argument<unsigned int, memfd_parse_flags>;
/** Seals of a memfd; see memfd_seal(3). In a string, at least one is named. */
using Seals = detail::argument<unsigned int, memfd_parse_seals>;
/** A number of bytes. */
using Size = detail::argument<std::size_t, nullptr>;

/** A descriptor that is closed with the object. */
class File {
      public:
	explicit File(int fd = -1) noexcept : fd_(fd) {}
	File(File &&other) noexcept : fd_(other.release()) {}
	File &operator=(File &&other) noexcept {
		File old(std::exchange(fd_, other.release()));
		return *this;
	}
	~File() {
		if (fd_ >= 0)
			close(fd_);
	}
	int get() const noexcept { return fd_; }
	/** Give the descriptor to the caller, who closes it. */
	int release() noexcept { return std::exchange(fd_, -1); }

      private:
	int fd_;
};

/** Create an empty memfd. */
inline File create(const std::string &name, Flags flags = 0) {
	const char *text = detail::c_string(name);
	return File(detail::check(memfd_new(text, flags), "memfd_new"));
}

/** Create a memfd of size zero bytes, and add seals. */
inline File create_sized(const std::string &name, Size size, Seals seals = 0,
			 Flags flags = 0) {
	int fd = memfd_new_sized(detail::c_string(name), flags, size, seals);
	return File(detail::check(fd, "memfd_new_sized"));
}

/** Create a memfd with the bytes of data, which can never change. */
inline File create_sealed(const std::string &name, std::string_view data,
			  Flags flags = 0) {
	int fd = memfd_new_sealed(detail::c_string(name), flags, data.data(),
				  data.size());
	return File(detail::check(fd, "memfd_new_sealed"));
}

/**
 * Create a memfd with a copy of a file, which can never change. More than max
 * bytes are EFBIG: set it if the file comes from somebody else.
 */
inline File create_sealed_copy(const std::string &name, int file,
			       Size max = SIZE_MAX, Flags flags = 0) {
	int fd =
		memfd_new_sealed_copy(detail::c_string(name), flags, file, max);
	return File(detail::check(fd, "memfd_new_sealed_copy"));
}

/** Add seals: all of them or, on error, none. */
inline void seal(int fd, Seals seals) {
	detail::check(memfd_seal(fd, seals), "memfd_seal");
}

/** Get the seals. To verify a file that you received, use check_seals. */
inline unsigned int get_seals(int fd) {
	int seals = memfd_get_seals(fd);
	return unsigned(detail::check(seals, "memfd_get_seals"));
}

/** Throw unless all the given seals are set; others may be, too. */
inline void check_seals(int fd, Seals seals) {
	detail::check(memfd_check_seals(fd, seals), "memfd_check_seals");
}

/** Convert seals to names: "shrink,grow". */
inline std::string format_seals(Seals seals) {
	char text[MEMFD_SEALS_STRLEN];

	memfd_format_seals(seals, text, sizeof(text));
	return text;
}

}

#endif
