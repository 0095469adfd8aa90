#!/bin/sh
# SPDX-License-Identifier: MIT
#
# It builds without a warning as people and distributions build it, and the
# same each time.
#
# usage: builds.sh SOURCE

set -eu
# shellcheck source=tests/consumers/tap.sh
. "$1/tests/consumers/tap.sh"

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

# no_warning CC [OPTION]...: the library; .ci/run builds the tests so.
no_warning() {
	need "$1"
	export CC="$1"
	shift
	fresh --werror -Dwarning_level=3 -Dtests=disabled "$@"
	ninja -C "$tmp/build"
	# Nor is it by leaving everything out.
	same 13 "$(nm -D --defined-only "$tmp/build/src/libmemfd.so.1" |
		grep -c ' T memfd_')"
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
	cell no_warning_by_debian $compiler ''
	cell no_warning_by_debian $compiler 'hardening=+all'
	cell reproducible $compiler
done
cell no_warning_by_linker gcc ld.gold
cell no_warning_by_linker gcc ld.lld
cell no_warning_by_linker clang ld.lld
cell compiler_and_meson_suffice
cell tests_disabled
echo "1..$n"
