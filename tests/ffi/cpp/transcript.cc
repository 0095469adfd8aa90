// SPDX-License-Identifier: MIT
// The transcript in ../expected, from C++.

#include <cstring>
#include <iostream>

#include "memfd.hpp"

// What went wrong, without the name of the call before it.
template <typename Action> static std::string reason(Action action) {
	try {
		action();
	} catch (const std::system_error &error) {
		return error.code().message();
	} catch (const std::invalid_argument &error) {
		return error.what();
	}
	throw std::logic_error("should have been refused");
}

int main() {
	auto buf = memfd::create("buf", MEMFD_ALLOW_SEALING);
	std::cout << "wrote: " << write(buf.get(), "hello", 5) << " bytes\n";
	memfd::seal(buf.get(), "seal,immutable");
	// Linux 6.3 and later set MEMFD_SEAL_EXEC by themselves.
	auto seals = memfd::get_seals(buf.get()) & ~MEMFD_SEAL_EXEC;
	std::cout << "seals: " << memfd::format_seals(seals) << '\n';
	memfd::check_seals(buf.get(), MEMFD_SEAL_IMMUTABLE);
	std::cout << "immutable: yes\n";

	if (write(buf.get(), "again", 5) < 0)
		std::cout << "write: " << std::strerror(errno) << '\n';
	std::cout << "new: " << reason([] {
		memfd::create("buf", "allow-sealing,sparkling");
	}) << '\n';
	std::cout << "seal: " << reason([&] {
		memfd::seal(buf.get(), "write|frozen");
	}) << '\n';

	int fds[2];
	if (pipe(fds) < 0)
		return 1;
	memfd::File reader(fds[0]), writer(fds[1]);
	std::cout << "pipe: " << reason([&] {
		memfd::check_seals(reader.get(), MEMFD_SEAL_IMMUTABLE);
	}) << '\n';
	auto unsealed = memfd::create("unsealed");
	std::cout << "unsealed: " << reason([&] {
		memfd::check_seals(unsealed.get(), MEMFD_SEAL_IMMUTABLE);
	}) << '\n';

	auto greeting = memfd::create_sealed("greeting", "hello, world");
	char text[64];
	auto length = read(greeting.get(), text, sizeof(text));
	std::cout << "sealed: " << std::string_view(text, length) << '\n';
}
