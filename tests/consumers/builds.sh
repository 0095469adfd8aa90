#!/bin/sh
# SPDX-License-Identifier: MIT
#
# It builds without a warning as people and distributions build it, and the
# same each time.
#
# usage: builds.sh

set -eu
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

fresh() {
	rm -rf "$tmp/build"
	meson setup "$tmp/build" "$source" --fatal-meson-warnings "$@"
}

# What is there afterwards, and that it links; .ci/run passes the tests of each.
default_library() {
	need pkg-config
	fresh -Ddefault_library="$1" -Dtests=disabled --prefix "$tmp/$1" \
		--libdir lib
	meson install -C "$tmp/build"
	export PKG_CONFIG_PATH="$tmp/$1/lib/pkgconfig"
	# shellcheck disable=SC2046
	cc -o "$tmp/use" "$here/use.c" \
		$(pkg-config --cflags --libs libmemfd)
	LD_LIBRARY_PATH=$tmp/$1/lib "$tmp/use"
	case $1 in
	shared) kinds=libmemfd.so ;;
	static) kinds=libmemfd.a ;;
	both) kinds='libmemfd.a
libmemfd.so' ;;
	esac
	same "$kinds" "$(files "$tmp/$1" |
		sed -n 's/.*\(libmemfd\.\(a\|so\)\)$/\1/p')"
}

# The functions in the version script, and in the dynamic symbols of a library.
exports_the_map() {
	same "$(sed -n 's/^\t\(memfd_[a-z_]*\);$/\1/p' \
		"$source/src/libmemfd.map" | sort)" \
		"$(nm -D --defined-only "$1" |
			sed -n 's/.* T \(memfd_[a-z_]*\).*/\1/p' | sort)"
}

# no_warning CC [OPTION]...: the library; .ci/run builds the tests so.
no_warning() {
	need "$1"
	export CC="$1"
	shift
	fresh --werror -Dwarning_level=3 -Dtests=disabled "$@"
	ninja -C "$tmp/build"
	# Nor is it by leaving everything out.
	exports_the_map "$tmp/build/src/libmemfd.so.1"
}

no_warning_by_flags() {
	compiler=$1
	shift
	export CFLAGS="$*"
	no_warning "$compiler"
}

no_warning_by_linker() {
	need "$2"
	export LDFLAGS="-fuse-ld=${2#ld.}"
	no_warning "$1"
}

# As debhelper calls Meson.
no_warning_by_debian() {
	need dpkg-buildflags
	DEB_BUILD_MAINT_OPTIONS=$2
	export DEB_BUILD_MAINT_OPTIONS
	eval "$(dpkg-buildflags --export=sh)"
	no_warning "$1" --buildtype=plain --wrap-mode=nodownload \
		-Db_lundef=true
}

# The same tree and build folder names, one level apart.
reproducible() {
	need "$1"
	export CC="$1"
	for place in one two/deeper; do
		copy "$tmp/$place/tree"
		# As whoever packages does it.
		export CFLAGS="-ffile-prefix-map=$tmp/$place/tree=."
		meson setup "$tmp/$place/tree/build" "$tmp/$place/tree" \
			--prefix /usr -Dtests=disabled -Ddefault_library=both
		DESTDIR=$tmp/$place/stage meson install \
			-C "$tmp/$place/tree/build"
	done
	diff -r "$tmp/one/stage" "$tmp/two/deeper/stage"
	# That there was something to differ.
	readelf -S "$tmp"/one/stage/usr/lib*/libmemfd.so \
		"$tmp"/one/stage/usr/lib*/*/libmemfd.so | grep '\.debug_info'
	rm -rf "$tmp/one" "$tmp/two"
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
	rm -rf "$tmp/musl"
	cp -rL "$musl" "$tmp/musl"
	grep -rl '_LARGEFILE64_SOURCE' "$tmp/musl" | while read -r header; do
		awk '/^#if.*_LARGEFILE64_SOURCE/ { skip = 1 }
			!skip { print } /^#endif/ { skip = 0 }' "$header" \
			>"$tmp/header"
		cp "$tmp/header" "$header"
	done
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
	# Those that need no cmocka are there; asked for, all must be.
	tests=$(meson test -C "$tmp/build" --list)
	case $tests in
	*names*) return 1 ;;
	*example*) ;;
	*) return 1 ;;
	esac
	if meson setup "$tmp/enabled" "$source" -Dtests=enabled; then
		return 1
	fi
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

tests_disabled() {
	fresh -Dtests=disabled
	meson test -C "$tmp/build" --list 2>&1 | grep 'No tests defined'
}

for kind in shared static both; do
	cell default_library $kind
done
for compiler in gcc clang; do
	cell no_warning $compiler
	cell no_warning $compiler -Dbuildtype=release -Db_lto=true \
		-Dsyscall=raw
	cell no_warning $compiler -Doptimization=s -Dunity=on -Dc_std=c2x \
		-Dsyscall=libc
	cell no_warning_by_flags $compiler -D_GNU_SOURCE \
		-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
	cell no_warning_by_flags $compiler -O2 -D_FORTIFY_SOURCE=3 \
		-fvisibility=hidden
	cell no_warning_by_flags $compiler -include stdio.h
	cell no_build_system $compiler
	cell no_build_system $compiler -std=c99 -include stdio.h
	cell no_build_system $compiler -include stdio.h \
		-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
	cell no_warning_by_debian $compiler ''
	cell no_warning_by_debian $compiler 'hardening=+all'
	cell reproducible $compiler
done
cell no_warning_by_linker gcc ld.gold
cell no_warning_by_linker gcc ld.lld
cell no_warning_by_linker clang ld.lld
cell no_build_system_without_lfs64
cell compiler_and_meson_suffice
cell libc_has_no_memfd_create
cell tests_disabled
done_testing
