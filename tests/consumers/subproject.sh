#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A Meson project has libmemfd as a subproject where it is not installed.
#
# usage: subproject.sh

set -eu
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# parent FOLDER: a copy, since the subproject goes into it.
parent() {
	mkdir -p "$1/subprojects"
	cp "$here/parent/meson.build" "$here/parent/meson_options.txt" \
		"$here/use.c" "$1/"
}

# No installed copy may serve here.
export PKG_CONFIG_LIBDIR="$tmp/none"

# Names alone: what stands before them is not the same in each Meson.
tests_of() {
	meson test -C "$1" --list | sed '/^ninja/d; s,.*[:/] *,,'
}

fallback_by_its_name() {
	parent "$tmp/a"
	ln -s "$source" "$tmp/a/subprojects/libmemfd"
	meson setup "$tmp/a/build" "$tmp/a" -Dfallback=true --fatal-meson-warnings
	meson test -C "$tmp/a/build"
}

fallback_by_a_wrap() {
	parent "$tmp/b"
	ln -s "$source" "$tmp/b/subprojects/memfd-source"
	cp "$here/parent/libmemfd.wrap" "$tmp/b/subprojects/"
	meson setup "$tmp/b/build" "$tmp/b" --fatal-meson-warnings
	meson test -C "$tmp/b/build"
}

fallback_linked() {
	meson setup "$tmp/b/$1" "$tmp/b" --default-library "$1" -Dwerror=true \
		-Dlibmemfd:werror=true
	meson test -C "$tmp/b/$1"
	needed=$(readelf -d "$tmp/b/$1/use" | grep -c 'NEEDED.*libmemfd') ||
		true
	case $1 in
	static) same 0 "$needed" ;;
	*) same 1 "$needed" ;;
	esac
}

# As a parent would that hides what its own objects hold.
static_is_as_visible_as_the_parent_says() {
	CFLAGS=-fvisibility=hidden meson setup "$tmp/b/hidden" "$tmp/b" \
		--default-library static
	ninja -C "$tmp/b/hidden"
	nm "$tmp/b/hidden/libholder.so" | grep ' t memfd_new_sealed$'
	same "" "$(nm -D --defined-only "$tmp/b/hidden/libholder.so" |
		grep memfd_)"
}

# pthread_setcancelstate was not in a static libc before glibc 2.34.
static_brings_threads_along() {
	grep -e '-pthread' "$tmp/b/static/build.ninja"
	if grep -e '-pthread' "$tmp/b/shared/build.ninja"; then
		return 1
	fi
}

tests_stay_out_of_the_parent() {
	same use "$(tests_of "$tmp/b/build")"
}

tests_come_when_asked_for() {
	# Those of the subproject need cmocka.
	unset PKG_CONFIG_LIBDIR
	need pkg-config
	pkg-config --exists cmocka || {
		echo 'cmocka is missing'
		exit 77
	}
	meson setup "$tmp/b/tests" "$tmp/b" -Dlibmemfd:tests=enabled \
		--force-fallback-for libmemfd
	tests_of "$tmp/b/tests" | grep -x names
	meson test -C "$tmp/b/tests" libmemfd:names
}

parent_installs_it_whole() {
	DESTDIR=$tmp/stage meson install -C "$tmp/b/build"
	files "$tmp/stage/usr/local" | grep -e '/libmemfd\.so\.1$'
	files "$tmp/stage/usr/local" | grep -e '/memfd\.h$'
	# Programs alone, as a parent installs that links it in.
	DESTDIR=$tmp/alone meson install -C "$tmp/b/static" --skip-subprojects
	same ./bin/use "$(files "$tmp/alone/usr/local")"
}

installed_copy_comes_first() {
	need pkg-config
	meson setup "$tmp/build" "$source" --prefix "$tmp/prefix" \
		--libdir lib -Dtests=disabled
	meson install -C "$tmp/build"
	unset PKG_CONFIG_LIBDIR
	export PKG_CONFIG_PATH="$tmp/prefix/lib/pkgconfig"
	meson setup "$tmp/b/system" "$tmp/b" | tee "$tmp/setup"
	grep 'dependency libmemfd found: YES 1' "$tmp/setup"
	if grep -i 'executing subproject' "$tmp/setup"; then
		return 1
	fi
	meson test -C "$tmp/b/system"
}

cell fallback_by_its_name
cell fallback_by_a_wrap
cell fallback_linked shared
cell fallback_linked static
cell fallback_linked both
cell static_is_as_visible_as_the_parent_says
cell static_brings_threads_along
cell tests_stay_out_of_the_parent
cell tests_come_when_asked_for
cell parent_installs_it_whole
cell installed_copy_comes_first
done_testing
