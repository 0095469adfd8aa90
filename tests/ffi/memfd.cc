// SPDX-License-Identifier: MIT
// libmemfd from C++: the header as it is, errno as std::system_error.

#include <cerrno>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <memfd.h>
#include <unistd.h>

namespace
{

template <typename Result> Result check(Result result, const char *what)
{
	if (result < 0)
		throw std::system_error(errno, std::generic_category(), what);
	return result;
}

class Memfd
{
      public:
	explicit Memfd(int fd) : fd_(fd)
	{
	}
	Memfd(Memfd &&other) noexcept : fd_(std::exchange(other.fd_, -1))
	{
	}
	Memfd &operator=(Memfd &&) = delete;
	~Memfd()
	{
		if (fd_ >= 0)
			close(fd_);
	}

	static Memfd create(const std::string &name, unsigned int flags = 0)
	{
		return Memfd(
			check(memfd_new(name.c_str(), flags), "memfd_new"));
	}

	static Memfd sealed(const std::string &name, std::string_view data)
	{
		return Memfd(check(memfd_new_sealed(name.c_str(), 0,
						    data.data(), data.size()),
				   "memfd_new_sealed"));
	}

	std::size_t write(std::string_view data)
	{
		return check(::write(fd_, data.data(), data.size()), "write");
	}

	std::string read()
	{
		char data[64];
		return { data,
			 std::size_t(check(::read(fd_, data, sizeof(data)),
					   "read")) };
	}

	void seal(unsigned int seals)
	{
		check(memfd_seal(fd_, seals), "memfd_seal");
	}

	unsigned int seals() const
	{
		return check(memfd_get_seals(fd_), "memfd_get_seals");
	}

	void require(unsigned int seals) const
	{
		check(memfd_check_seals(fd_, seals), "memfd_check_seals");
	}

      private:
	int fd_;
};

unsigned int parse(decltype(memfd_parse_flags) function, const char *kind,
		   std::string_view text)
{
	unsigned int number;
	std::size_t end;

	if (function(std::string(text).c_str(), &number, &end) < 0) {
		auto word = text.substr(end);
		word = word.substr(0, word.find_first_of(",| \t\n\v\f\r"));
		throw std::invalid_argument(std::string("invalid ") + kind +
					    ": " + std::string(word));
	}
	return number;
}

unsigned int flags(std::string_view text)
{
	return parse(memfd_parse_flags, "flag", text);
}

unsigned int seals(std::string_view text)
{
	return parse(memfd_parse_seals, "seal", text);
}

std::string format(unsigned int seals)
{
	char text[MEMFD_SEALS_STRLEN];
	memfd_format_seals(seals, text, sizeof(text));
	return text;
}

// What went wrong, without the name of the call before it.
template <typename Action> std::string reason(Action action)
{
	try {
		action();
	} catch (const std::system_error &error) {
		return error.code().message();
	} catch (const std::invalid_argument &error) {
		return error.what();
	}
	throw std::logic_error("should have been refused");
}

} // namespace

int main()
{
	auto buf = Memfd::create("buf", flags("allow-sealing"));
	std::cout << "wrote: " << buf.write("hello") << " bytes\n";
	buf.seal(seals("seal,immutable"));
	// Linux 6.3 and later set MEMFD_SEAL_EXEC by themselves.
	std::cout << "seals: " << format(buf.seals() & ~MEMFD_SEAL_EXEC)
		  << '\n';
	buf.require(MEMFD_SEAL_IMMUTABLE);
	std::cout << "immutable: yes\n";

	std::cout << "write: " << reason([&] { buf.write("again"); }) << '\n';
	std::cout << "new: " << reason([] {
		Memfd::create("buf", flags("allow-sealing,sparkling"));
	}) << '\n';
	std::cout << "seal: "
		  << reason([&] { buf.seal(seals("write|frozen")); }) << '\n';

	int fds[2];
	check(pipe(fds), "pipe");
	Memfd reader(fds[0]), writer(fds[1]);
	std::cout << "pipe: " << reason([&] {
		reader.require(MEMFD_SEAL_IMMUTABLE);
	}) << '\n';
	auto unsealed = Memfd::create("unsealed");
	std::cout << "unsealed: " << reason([&] {
		unsealed.require(MEMFD_SEAL_IMMUTABLE);
	}) << '\n';

	std::cout << "sealed: "
		  << Memfd::sealed("greeting", "hello, world").read() << '\n';
}
