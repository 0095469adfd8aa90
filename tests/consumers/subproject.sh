#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A Meson project has libmemfd as a subproject where it is not installed.
#
# usage: subproject.sh

set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

# No installed copy may serve here.
export PKG_CONFIG_LIBDIR="$tmp/none"

# The project, and libmemfd under that name in its folder for subprojects.
parent=$tmp/parent
mkdir -p "$parent/subprojects"
cp "$here/parent/meson.build" "$here/use.c" "$parent/"
ln -s "$source" "$parent/subprojects/libmemfd"

# Names alone: what stands before them is not the same in each Meson.
tests_of() {
	meson test -C "$1" --list | sed '/^ninja/d; s,.*[:/] *,,'
}

fallback_linked() {
	meson setup "$parent/$1" "$parent" --default-library "$1" \
		--prefix "$tmp/prefix" --libdir lib --fatal-meson-warnings \
		-Dwerror=true -Dlibmemfd:werror=true
	meson test -C "$parent/$1"
	if [ "$1" = static ]; then needed=0; else needed=1; fi
	same $needed "$(readelf -d "$parent/$1/use" |
		grep -c 'NEEDED.*libmemfd')"
}

# hidden_inside NAME [CFLAGS]: whatever the parent does with its own.
hidden_inside() {
	CFLAGS=${2-} meson setup "$parent/$1" "$parent" --default-library static
	ninja -C "$parent/$1"
	for object in use libholder.so; do
		nm "$parent/$1/$object" | grep ' t memfd_new_sealed$'
		same '' "$(nm -D --defined-only "$parent/$1/$object" |
			grep memfd_)"
	done
}

# The parent's archive is whole without libmemfd.a.
static_installs_nothing_of_its_own() {
	DESTDIR=$tmp/stage meson install -C "$parent/static"
	printf './%s\n' bin/use lib/libholder.a lib/libholder.so >"$tmp/wanted"
	files "$tmp/stage$tmp/prefix" | diff "$tmp/wanted" -
	echo 'int consume(void); int main(void) { return consume(); }' \
		>"$tmp/held.c"
	cc -o "$tmp/held" "$tmp/held.c" -pthread \
		"$tmp/stage$tmp/prefix/lib/libholder.a"
	"$tmp/held"
}

# pthread_setcancelstate was not in a static libc before glibc 2.34.
static_brings_threads_along() {
	grep -e '-pthread' "$parent/static/build.ninja"
	if grep -e '-pthread' "$parent/shared/build.ninja"; then
		return 1
	fi
}

tests_stay_out_of_the_parent() {
	same use "$(tests_of "$parent/shared")"
}

tests_come_when_asked_for() {
	# Those of the subproject need cmocka.
	need pkg-config
	unset PKG_CONFIG_LIBDIR
	meson setup "$parent/tests" "$parent" -Dlibmemfd:tests=enabled \
		--force-fallback-for libmemfd
	tests_of "$parent/tests" | grep -x names
	meson test -C "$parent/tests" libmemfd:names
}

shared_is_installed_whole() {
	meson install -C "$parent/shared"
	files "$tmp/prefix" | grep /man3/memfd_new.3
	LD_LIBRARY_PATH=$tmp/prefix/lib "$tmp/prefix/bin/use"
}

cell fallback_linked shared
cell fallback_linked static
cell fallback_linked both
cell hidden_inside default
cell hidden_inside showing -fvisibility=default
cell static_installs_nothing_of_its_own
cell static_brings_threads_along
cell tests_stay_out_of_the_parent
cell tests_come_when_asked_for
cell shared_is_installed_whole
done_testing
