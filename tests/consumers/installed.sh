#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Whoever builds against an installation finds it, and it comes and goes whole.
#
# usage: installed.sh

set -eu
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

prefix=$tmp/prefix
# Where CMake looks, too.
multiarch=$(cc -print-multiarch 2>/dev/null) || multiarch=
libdir=lib${multiarch:+/$multiarch}
lib=$prefix/$libdir
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$source/meson.build")

# install BUILD PREFIX [OPTION]...
install() {
	build=$1 to=$2
	shift 2
	meson setup "$build" "$source" --prefix "$to" --libdir "$libdir" \
		-Dtests=disabled "$@"
	meson install -C "$build"
}

installs() {
	install "$tmp/build" "$prefix" -Ddefault_library=both
}

export PKG_CONFIG_PATH="$lib/pkgconfig"

uses_shared() {
	readelf -d "$1" | grep 'NEEDED.*\[libmemfd\.so\.1\]'
	LD_LIBRARY_PATH=${2-$lib} "$1"
}

c_by_pkg_config() {
	need pkg-config
	# shellcheck disable=SC2046
	cc -o "$tmp/shared" "$here/use.c" \
		$(pkg-config --cflags --libs libmemfd)
	uses_shared "$tmp/shared"
}

c_by_pkg_config_static() {
	need pkg-config
	# shellcheck disable=SC2046
	cc -static -o "$tmp/static" "$here/use.c" \
		$(pkg-config --static --cflags --libs libmemfd)
	"$tmp/static"
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

pkg_config_file_moves_along() {
	need pkg-config
	install "$tmp/moves" "$tmp/there" -Dpkgconfig.relocatable=true
	mv "$tmp/there" "$tmp/elsewhere"
	export PKG_CONFIG_PATH="$tmp/elsewhere/$libdir/pkgconfig"
	# shellcheck disable=SC2046
	cc -o "$tmp/moved" "$here/use.c" \
		$(pkg-config --cflags --libs libmemfd)
	uses_shared "$tmp/moved" "$tmp/elsewhere/$libdir"
}

# In the order of README.md: with the sources, by pkg-config, and to an object.
c_by_the_commands_of_the_readme() {
	need pkg-config
	block="awk -f $source/tests/example/block.awk"
	copy "$tmp/readme"
	cd "$tmp/readme"
	$block -v language=c -v n=1 "$source/README.md" >hello.c
	$block -v language=text -v n=2 "$source/README.md" |
		sed 's/,exec$//' >expected
	grep '^cc ' "$source/README.md" >commands
	same 3 "$(grep -c . commands)"
	for n in 1 2; do
		rm -f hello
		LD_LIBRARY_PATH=$lib sh -c "$(sed -n ${n}p commands)" |
			sed 's/,exec$//' | diff expected -
	done
	sh -c "$(sed -n 3p commands)"
	nm memfd.o names.o | grep ' T memfd_new$'
}

c_by_cmake() {
	need cmake pkg-config
	cmake -S "$here/cmake" -B "$tmp/cmake"
	cmake --build "$tmp/cmake"
	uses_shared "$tmp/cmake/use"
}

# cmake_finds PREFIX [OPTION]...: leaves the program in $tmp/find/use.
cmake_finds() {
	need cmake
	root=$1
	shift
	rm -rf "$tmp/find"
	cmake -S "$here/cmake-package" -B "$tmp/find" \
		-DCMAKE_PREFIX_PATH="$root" "$@" \
		>"$tmp/cmake.log" 2>&1 || {
		cat "$tmp/cmake.log"
		return 1
	}
	if grep -i warning "$tmp/cmake.log"; then
		return 1
	fi
	grep -x -e "-- version $version" "$tmp/cmake.log"
	cmake --build "$tmp/find"
}

c_by_cmake_package() {
	cmake_finds "$prefix"
	uses_shared "$tmp/find/use"
}

c_by_cmake_package_of_version() {
	for wanted in '' 1 1.0 "$version" '1...<2' "1.0...$version"; do
		cmake_finds "$prefix" -DWANT="$wanted"
	done
	for wanted in 0.9 1.999 2 0.9...2; do
		if cmake_finds "$prefix" -DWANT="$wanted"; then
			echo "found, though $wanted was asked for"
			return 1
		fi
		grep "config.cmake, version: $version" "$tmp/cmake.log"
	done
}

is_static() {
	readelf -d "$1" | grep NEEDED
	if readelf -d "$1" | grep 'NEEDED.*libmemfd'; then
		return 1
	fi
	"$1"
}

# By a target of its own, by a fully static link, and where it is all there is.
c_by_cmake_package_static() {
	cmake_finds "$prefix" -DTARGET=libmemfd::memfd_static
	is_static "$tmp/find/use"
	cmake_finds "$prefix" -DTARGET=libmemfd::memfd_static \
		-DCMAKE_EXE_LINKER_FLAGS=-static
	"$tmp/find/use"
	install "$tmp/archive" "$tmp/archive-only" -Ddefault_library=static
	cmake_finds "$tmp/archive-only"
	is_static "$tmp/find/use"
}

c_by_cmake_package_elsewhere() {
	install "$tmp/relative" "$tmp/before"
	mv "$tmp/before" "$tmp/after"
	cmake_finds "$tmp/after"
	uses_shared "$tmp/find/use" "$tmp/after/$libdir"

	# Found through a link, as where /lib is one to /usr/lib.
	mkdir "$tmp/root"
	mv "$tmp/after" "$tmp/root/usr"
	ln -s usr/lib "$tmp/root/lib"
	cmake_finds "$tmp/root" \
		-Dlibmemfd_DIR="$tmp/root/$libdir/cmake/libmemfd"
	uses_shared "$tmp/find/use" "$tmp/root/usr/$libdir"

	# With folders outside the prefix, as some distributions split it.
	meson setup "$tmp/split" "$source" --prefix "$tmp/out" \
		--libdir "$tmp/out-lib/lib" --includedir "$tmp/out-dev/include" \
		-Dtests=disabled
	meson install -C "$tmp/split"
	cmake_finds "$tmp/out-lib"
	uses_shared "$tmp/find/use" "$tmp/out-lib/lib"
}

# A Meson project that has CMake but no pkg-config.
meson_by_cmake_package() {
	need cmake
	mkdir "$tmp/meson"
	cp "$here/use.c" "$tmp/meson/"
	cat >"$tmp/meson/meson.build" <<-END
		project('consumer', 'c')
		executable('use', 'use.c', dependencies: dependency('libmemfd',
		  method: 'cmake', modules: 'libmemfd::memfd', version: '>=1.0'))
	END
	meson setup "$tmp/meson/build" "$tmp/meson" \
		--cmake-prefix-path "$prefix"
	ninja -C "$tmp/meson/build"
	uses_shared "$tmp/meson/build/use"
}

c_by_lmemfd() {
	cc -I "$prefix/include" -L "$lib" -o "$tmp/plain" "$here/use.c" -lmemfd
	uses_shared "$tmp/plain"
}

cxx_by_header() {
	need "$1"
	"$1" -Wall -Wextra -pedantic -Werror -I "$prefix/include" -L "$lib" \
		-o "$tmp/$1" -x c++ "$here/use.c" -lmemfd
	uses_shared "$tmp/$1"
}

examples=$(cd "$source/tests/example" &&
	find . -name '*.c' ! -name readme.c -o -name message.txt |
	sort | sed 's,^\.,./share/doc/libmemfd/examples,')

installs_these_files() {
	same "./include/memfd.h
./$libdir/cmake/libmemfd/libmemfd-config-version.cmake
./$libdir/cmake/libmemfd/libmemfd-config.cmake
./$libdir/libmemfd.a
./$libdir/libmemfd.so
./$libdir/libmemfd.so.1
./$libdir/libmemfd.so.$version
./$libdir/pkgconfig/libmemfd.pc
$examples" "$(files "$prefix")"
	same "libmemfd.so.1" "$(readlink "$lib/libmemfd.so")"
	same "libmemfd.so.$version" "$(readlink "$lib/libmemfd.so.1")"
	readelf -d "$lib/libmemfd.so" | grep 'SONAME.*\[libmemfd\.so\.1\]'
}

# What distributions put in libmemfd1 and libmemfd-dev, and examples with the
# latter or in a package of their own.
runtime_apart_from_devel() {
	DESTDIR=$tmp/runtime meson install -C "$tmp/build" --tags runtime
	same "./libmemfd.so.1
./libmemfd.so.$version" "$(files "$tmp/runtime$lib")"
	same 2 "$(files "$tmp/runtime" | grep -c .)"
	DESTDIR=$tmp/devel meson install -C "$tmp/build" --tags devel
	same "./include/memfd.h
./$libdir/cmake/libmemfd/libmemfd-config-version.cmake
./$libdir/cmake/libmemfd/libmemfd-config.cmake
./$libdir/libmemfd.a
./$libdir/libmemfd.so
./$libdir/pkgconfig/libmemfd.pc" "$(files "$tmp/devel$prefix")"
	DESTDIR=$tmp/doc meson install -C "$tmp/build" --tags doc
	same "$examples" "$(files "$tmp/doc$prefix")"
}

staged_by_destdir() {
	need pkg-config
	DESTDIR=$tmp/stage meson install -C "$tmp/build"
	diff -r "$prefix" "$tmp/stage$prefix"
	export PKG_CONFIG_SYSROOT_DIR="$tmp/stage"
	export PKG_CONFIG_PATH="$tmp/stage$lib/pkgconfig"
	# shellcheck disable=SC2046
	cc -o "$tmp/staged" "$here/use.c" \
		$(pkg-config --cflags --libs libmemfd)
	uses_shared "$tmp/staged" "$tmp/stage$lib"
	DESTDIR=$tmp/stage ninja -C "$tmp/build" uninstall
	same "" "$(find "$tmp/stage" ! -type d)"
}

reinstalled_over_an_older_copy() {
	install "$tmp/first" "$tmp/over" -Ddefault_library=both
	# Another build of the same version stands in for an older copy.
	for file in $(files "$tmp/over"); do
		[ -h "$tmp/over/$file" ] || echo older >"$tmp/over/$file"
	done
	install "$tmp/second" "$tmp/over" -Ddefault_library=both
	same "" "$(grep -rlx older "$tmp/over")"
	same "$(files "$prefix")" "$(files "$tmp/over")"
	LD_LIBRARY_PATH=$tmp/over/$libdir "$tmp/shared"
}

# The copy that is replaced is uninstalled by its own build, or it stays.
upgraded_then_uninstalled() {
	copy "$tmp/next"
	sed -i "s/version: '$version'/version: '1.999.0'/" \
		"$tmp/next/meson.build"
	install "$tmp/old" "$tmp/upgraded" -Ddefault_library=both
	source=$tmp/next
	install "$tmp/new" "$tmp/upgraded" -Ddefault_library=both
	same libmemfd.so.1.999.0 \
		"$(readlink "$tmp/upgraded/$libdir/libmemfd.so.1")"
	LD_LIBRARY_PATH=$tmp/upgraded/$libdir "$tmp/shared"
	ninja -C "$tmp/new" uninstall
	ninja -C "$tmp/old" uninstall
	same "" "$(find "$tmp/upgraded" ! -type d)"
}

uninstalled_without_a_trace() {
	install "$tmp/once" "$tmp/gone" -Ddefault_library=both
	ninja -C "$tmp/once" uninstall
	[ ! -e "$tmp/gone" ]
	# Meson takes away the folders that its last installation made.
	meson install -C "$tmp/once"
	meson install -C "$tmp/once"
	ninja -C "$tmp/once" uninstall
	same "" "$(find "$tmp/gone" ! -type d)"
}

header_read_by() {
	case $1 in
	bindgen) need bindgen rustc ;;
	swig) need swig ;;
	esac
	# Debian's, which has cffi.
	need /usr/bin/python3
	/usr/bin/python3 "$here/readers.py" "$1" "$prefix/include" "$lib" \
		"$tmp"
}

cell installs
cell installs_these_files
cell pkg_config_file_is_right
cell pkg_config_file_moves_along
cell c_by_pkg_config
cell c_by_pkg_config_static
cell c_by_the_commands_of_the_readme
cell c_by_cmake
cell c_by_cmake_package
cell c_by_cmake_package_of_version
cell c_by_cmake_package_static
cell c_by_cmake_package_elsewhere
cell meson_by_cmake_package
cell c_by_lmemfd
cell cxx_by_header g++
cell cxx_by_header clang++
cell header_read_by bindgen
cell header_read_by cffi
cell header_read_by swig
cell runtime_apart_from_devel
cell staged_by_destdir
cell reinstalled_over_an_older_copy
cell upgraded_then_uninstalled
cell uninstalled_without_a_trace
done_testing
