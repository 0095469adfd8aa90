#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is installed, and that whoever builds against it finds it.
#
# usage: installed.sh

set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

prefix=$tmp/prefix
# Where CMake looks, too.
multiarch=$(cc -print-multiarch 2>/dev/null) || multiarch=
libdir=lib${multiarch:+/$multiarch}
lib=$prefix/$libdir
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$source/meson.build")
export PKG_CONFIG_PATH="$lib/pkgconfig"

# install BUILD PREFIX [OPTION]...
install() {
	build=$1 to=$2
	shift 2
	meson setup "$build" "${tree-$source}" --prefix "$to" --libdir "$libdir" \
		-Dtests=disabled "$@"
	meson install -C "$build"
}

# What is installed, by Meson's tag: distributions put it in libmemfd1, in
# libmemfd-dev, and in the latter or a package of its own.
cat >"$tmp/promised" <<-END
	runtime ./$libdir/libmemfd.so.1
	runtime ./$libdir/libmemfd.so.$version
	devel ./$libdir/libmemfd.a
	devel ./$libdir/libmemfd.so
	devel ./$libdir/pkgconfig/libmemfd.pc
	devel ./$libdir/cmake/libmemfd/libmemfd-config.cmake
	devel ./$libdir/cmake/libmemfd/libmemfd-config-version.cmake
	devel ./include/memfd.h
	$(cd "$source/tests/example" &&
		find ./*.[ch] | sed 's,^\.,doc ./share/doc/libmemfd/examples,')
	$(cd "$source/src/man" &&
		find . -name '*.[0-9]' |
		sed 's,^\.\(.*\)\(.\)$,man ./share/man/man\2\1\2,')
END

installs_these_files() {
	install "$tmp/build" "$prefix" -Ddefault_library=both
	same "$(sed 's/.* //' "$tmp/promised" | sort)" "$(files "$prefix")"
	meson test -C "$tmp/build" --list 2>&1 | grep 'No tests defined'
}

installs_by_tag() {
	DESTDIR=$tmp/$1 meson install -C "$tmp/build" --tags "$1"
	same "$(sed -n "s/^$1 //p" "$tmp/promised" | sort)" \
		"$(files "$tmp/$1$prefix")"
}

# Whoever links to it decides what is exported, with options of the linker.
archive_is_visible() {
	install "$tmp/archive" "$tmp/archive-only" -Ddefault_library=static
	for archive in "$lib" "$tmp/archive-only/$libdir"; do
		cc -shared -o "$tmp/libvisible.so" -Wl,--whole-archive \
			"$archive/libmemfd.a" -Wl,--no-whole-archive
		same "$(grep -c '^	memfd_.*;$' "$source/src/libmemfd.map")" \
			"$(nm -D --defined-only "$tmp/libvisible.so" |
				grep -c memfd_)"
	done
}

uses_shared() {
	readelf -d "$1" | grep 'NEEDED.*\[libmemfd\.so\.1\]'
	LD_LIBRARY_PATH=${2-$lib} "$1"
}

uses_static() {
	readelf -d "$1" | grep NEEDED
	if readelf -d "$1" | grep 'NEEDED.*libmemfd'; then
		return 1
	fi
	"$1"
}

pkg_config_file_is_right() {
	need pkg-config
	pkg-config --validate libmemfd
	same "$version" "$(pkg-config --modversion libmemfd)"
	grep '^Description: .' "$lib/pkgconfig/libmemfd.pc"
	# Not even one that happens to be installed here.
	if grep '^Requires' "$lib/pkgconfig/libmemfd.pc"; then
		return 1
	fi
	# What only a static link needs, not for everybody.
	pkg-config --static --libs libmemfd | grep -e -pthread
	if pkg-config --libs libmemfd | grep -e -pthread; then
		return 1
	fi
}

# In the order of README.md: with the sources, and by pkg-config.
c_by_the_commands_of_the_readme() {
	need pkg-config
	block="awk -f $source/tests/example/block.awk"
	copy "$tmp/readme"
	cd "$tmp/readme"
	$block -v language=c -v n=1 "$source/README.md" >hello.c
	$block -v language=text -v n=1 "$source/README.md" >expected
	grep '^cc ' "$source/README.md" >commands
	same 2 "$(grep -c . commands)"
	LD_LIBRARY_PATH=$lib sh -e commands >output
	# Before Linux 6.3, there is no seal exec.
	sed -i 's/,exec$//' expected output
	cat expected expected | diff - output
}

# cmake_finds PREFIX [OPTION]...: leaves the program in $tmp/find/use.
cmake_finds() {
	need cmake
	root=$1
	shift
	rm -rf "$tmp/find"
	cmake -Werror=dev -S "$here/cmake" -B "$tmp/find" \
		-DCMAKE_PREFIX_PATH="$root" "$@"
	cmake --build "$tmp/find"
}

c_by_cmake() {
	cmake_finds "$prefix"
	uses_shared "$tmp/find/use"
	if links_threads; then
		return 1
	fi
}

links_threads() {
	grep -e -pthread "$tmp/find/CMakeFiles/use.dir/link.txt"
}

# In an installation of 1.2.3.
cmake_compares_versions() {
	tree=$tmp/tree
	copy "$tree"
	sed -i "s/^  version: '.*'/  version: '1.2.3'/" "$tree/meson.build"
	install "$tree/build" "$tmp/1.2.3"
	finds='1;1.0;1.2;1.2.3;1.2.3 EXACT;1.2.3...1.2.3;1.0...1.2.3'
	finds="$finds;1.0...1.9;1...2;1...<2;1.0...<1.2.4"
	refuses='0.9;1.2.4;1.3;2;1 EXACT;1.2 EXACT;1.2.2 EXACT;1.2.4 EXACT'
	refuses="$refuses;0.9...2;1.0...1.2;1.0...1.2.2;1.0...<1.2.3"
	refuses="$refuses;1.2.4...1.9;1.3...2;2...3"
	finds="$finds;1.0 OPTIONAL_COMPONENTS some"
	refuses="$refuses;1.0 COMPONENTS some"
	cmake_finds "$tmp/1.2.3" -DFINDS="$finds" -DREFUSES="$refuses"
}

# cmake_refuses REASON PREFIX [OPTION]...
cmake_refuses() {
	reason=$1
	shift
	if cmake_finds "$@" -DFINDS='' -DREFUSES=1.0 >"$tmp/refused" 2>&1; then
		return 1
	fi
	cat "$tmp/refused"
	if grep 'was asked for' "$tmp/refused"; then
		return 1
	fi
	tr -s '\n ' ' ' <"$tmp/refused" | grep -F "$reason"
}

cmake_tells_32_bits_from_64() {
	need i686-linux-gnu-gcc
	same 8 "$(echo __SIZEOF_POINTER__ | cc -E -P -)"
	cmake_refuses "libmemfd-config.cmake, version: $version (64bit)" \
		"$lib/cmake" -DCMAKE_C_COMPILER=i686-linux-gnu-gcc
}

cmake_misses_the_library() {
	cp -r "$prefix" "$tmp/none"
	rm "$tmp/none/$libdir"/libmemfd.*
	cmake_refuses "no library in $tmp/none/$libdir" "$tmp/none"
}

# By a target of its own, by a fully static link, and where it is all there is.
c_by_cmake_static() {
	cmake_finds "$prefix" -DTARGET=libmemfd::memfd_static
	uses_static "$tmp/find/use"
	links_threads
	cmake_finds "$prefix" -DTARGET=libmemfd::memfd_static \
		-DCMAKE_EXE_LINKER_FLAGS=-static
	"$tmp/find/use"
	cmake_finds "$tmp/archive-only"
	uses_static "$tmp/find/use"
	links_threads
}

c_by_cmake_elsewhere() {
	install "$tmp/relative" "$tmp/before"
	mkdir "$tmp/root"
	mv "$tmp/before" "$tmp/root/usr"
	cmake_finds "$tmp/root/usr"
	uses_shared "$tmp/find/use" "$tmp/root/usr/$libdir"
	# Through a link, as where /lib is one to /usr/lib.
	ln -s usr/lib "$tmp/root/lib"
	cmake_finds "$tmp/root" \
		-Dlibmemfd_DIR="$tmp/root/$libdir/cmake/libmemfd"
	uses_shared "$tmp/find/use" "$tmp/root/usr/$libdir"
}

# c_by_cmake_split LIBDIR INCLUDEDIR: in the prefix or, where it begins with a
# slash, outside, as some distributions have it.
c_by_cmake_split() {
	case $1 in /*) set -- "$tmp$1" "$2" ;; esac
	case $2 in /*) set -- "$1" "$tmp$2" ;; esac
	rm -rf "$tmp/split" "$tmp/in"
	install "$tmp/split" "$tmp/in" --libdir "$1" --includedir "$2"
	cd "$tmp/in"
	cmake_finds "$(realpath "$1/..")"
	uses_shared "$tmp/find/use" "$(realpath "$1")"
}

cell installs_these_files
for tag in runtime devel doc man; do
	cell installs_by_tag $tag
done
cell archive_is_visible
cell pkg_config_file_is_right
cell c_by_the_commands_of_the_readme
cell c_by_cmake
cell c_by_cmake_static
cell cmake_compares_versions
cell cmake_tells_32_bits_from_64
cell cmake_misses_the_library
cell c_by_cmake_elsewhere
cell c_by_cmake_split lib /dev/include
cell c_by_cmake_split /run/lib include
done_testing
