#!/bin/sh
# SPDX-License-Identifier: MIT
#
# It builds without a warning as people and distributions build it.
#
# usage: builds.sh

set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

fresh() {
	rm -rf "$tmp/build"
	meson setup "$tmp/build" "$source" --fatal-meson-warnings "$@"
}

# no_warning CC [OPTION]...: the library; .ci/run builds the tests so.
no_warning() {
	need "$1"
	export CC="$1"
	shift
	fresh --werror -Dtests=disabled "$@"
	ninja -C "$tmp/build"
	# Nor is it by leaving out, or hiding, what the version script exports.
	same "$(grep -c '^	memfd_.*;$' "$source/src/libmemfd.map")" \
		"$(nm -D --defined-only "$tmp/build/src/libmemfd.so.1" |
			grep -c ' T memfd_')"
}

no_warning_by_linker() {
	need "ld.$2"
	no_warning "$1" "-Dc_link_args=-fuse-ld=$2"
}

# no_build_system CC [OPTION]...: two files and an include path.
no_build_system() {
	need "$1"
	(cd "$tmp" && "$@" -Wall -Wextra -Wconversion -Werror \
		-I "$source/include" -fPIC -shared -o libplain.so \
		"$source/src/memfd.c" "$source/src/names.c")
	"$1" -I "$source/include" -o "$tmp/plain" "$here/use.c" \
		"$tmp/libplain.so" "-Wl,-rpath,$tmp"
	"$tmp/plain"
}

# A musl whose headers have no names that end in 64, as some later one may be.
no_build_system_without_lfs64() {
	need musl-gcc
	musl=$(musl-gcc -print-file-name=include)
	[ -e "$musl/sys/sendfile.h" ] || musl=/usr/include/$(uname -m)-linux-musl
	cp -rL "$musl" "$tmp/musl"
	grep -rl '_LARGEFILE64_SOURCE' "$tmp/musl" |
		xargs sed -i '/^#if.*_LARGEFILE64_SOURCE/,/^#endif/d'
	if grep -w pwrite64 "$tmp/musl/unistd.h"; then
		return 1
	fi
	no_build_system musl-gcc -isystem "$tmp/musl"
}

# Without pkg-config, CMake and cmocka: beside these are POSIX's tools only.
compiler_and_meson_suffice() {
	mkdir "$tmp/bin"
	for tool in cc as ld ar ninja meson python3 awk sed sh; do
		ln -s "$(command -v "$tool")" "$tmp/bin/"
	done
	rm -rf "$tmp/build"
	PATH=$tmp/bin
	meson setup "$tmp/build" "$source" --prefix "$tmp/bare"
	ninja -C "$tmp/build"
	meson install -C "$tmp/build"
	if meson setup "$tmp/enabled" "$source" -Dtests=enabled; then
		return 1
	fi
}

# generic CC STANDARD: tests/unit builds it with older compilers.
generic() {
	need "$1"
	nullptr=
	[ "$2" != c2x ] || nullptr=-DHAVE_NULLPTR
	"$1" "-std=$2" $nullptr -Wall -Wextra -pedantic -Werror \
		-I "$source/include" -o "$tmp/generic" \
		"$source/tests/unit/generic.c" \
		"$source/src/memfd.c" "$source/src/names.c" -lcmocka
	"$tmp/generic"
}

# What is neither a string nor a number does not compile, whichever function it
# would go to.
generic_refuses() {
	need "$1"
	for argument in '(volatile char *)0' '(unsigned char *)0' '(int *)0' \
		'(struct { int i; }){ 1 }' 'main'; do
		printf '%s\n' '#define MEMFD_GENERIC' '#include <memfd.h>' \
			"int main(void) { return memfd_new(\"\", $argument); }" |
			"$1" -I "$source/include" -Werror=int-conversion \
			-xc -fsyntax-only - 2>"$tmp/refused" && return 1
		grep -e int-conversion -e 'incompatible type' "$tmp/refused"
	done
}

# Whichever header of libc comes first, without _GNU_SOURCE.
header_first() {
	need "$1"
	for header in fcntl.h pthread.h stdio.h sys/mman.h sys/sendfile.h \
		sys/stat.h sys/syscall.h unistd.h; do
		for standard in c99 gnu11 c2x; do
			for define in -DHAVE_MEMFD_CREATE -D_TIME_BITS=64; do
				"$1" -std=$standard -include $header $define \
					-D_FILE_OFFSET_BITS=64 -Wall -Werror \
					-I "$source/include" -fsyntax-only \
					"$source/src/memfd.c"
			done
		done
	done
}

other_systems_are_an_error() {
	"$1" -U__linux__ -I "$source/include" -fsyntax-only \
		"$source/src/memfd.c" 2>"$tmp/error" && return 1
	grep 'error.*requires Linux' "$tmp/error"
}

# As in a glibc before 2.27: nothing of that name can be linked.
libc_has_no_memfd_create() {
	export CFLAGS=-Dmemfd_create=no_such_function
	if fresh -Dtests=disabled -Dsyscall=libc; then
		return 1
	fi
	for syscall in auto raw; do
		fresh -Dtests=disabled -Dsyscall=$syscall
		ninja -C "$tmp/build"
		nm -D --undefined-only "$tmp/build/src/libmemfd.so.1" |
			grep -w syscall
	done
}

flags='-D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -include stdio.h'
flags="$flags -O2 -D_FORTIFY_SOURCE=3 -fvisibility=hidden"
for compiler in gcc clang; do
	cell no_warning $compiler -Dbuildtype=release -Db_lto=true \
		-Dsyscall=raw
	cell no_warning $compiler -Doptimization=s -Dunity=on -Dc_std=c2x \
		-Dsyscall=libc
	cell no_warning $compiler "-Dc_args=$flags"
	cell no_build_system $compiler
	cell header_first $compiler
	cell other_systems_are_an_error $compiler
done
cell header_first musl-gcc
cell no_warning_by_linker gcc gold
cell no_warning_by_linker clang lld
for compiler in clang-16 clang-19; do
	cell generic $compiler c11
	cell generic $compiler c2x
done
for compiler in gcc clang clang-16 clang-19; do
	cell generic_refuses $compiler
done
cell no_build_system_without_lfs64
cell compiler_and_meson_suffice
cell libc_has_no_memfd_create
done_testing
