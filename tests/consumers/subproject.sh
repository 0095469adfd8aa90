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

# The copy inside leaves alone what others call: libmemfd.so.1 of some other
# version, with a function that tells.
neighbours_call_libmemfd_so_1() {
	cd "$tmp"
	cat >other.c <<-'END'
		int memfd_new_sealed(const char *name, unsigned int flags,
			const void *data, unsigned long size)
		{
			return name || flags || data || size ? -1 : 77;
		}
	END
	cat >neighbour.c <<-'END'
		#include <memfd.h>
		#include <unistd.h>
		__attribute__((constructor)) static void check(void)
		{
			if (memfd_new_sealed(0, 0, 0, 0) != 77)
				_exit(1);
			write(1, "called\n", 7);
		}
	END
	cc -shared -fPIC -o libmemfd.so.1 other.c -Wl,-soname,libmemfd.so.1 \
		"-Wl,--version-script=$source/src/libmemfd.map"
	cc -shared -fPIC "-I$source/include" -o libneighbour.so neighbour.c \
		libmemfd.so.1 "-Wl,-rpath,$tmp"
	# A program that has the copy, and one that gets it from a library.
	ninja -C "$parent/static"
	echo 'int consume(void); int main(void) { return consume(); }' >held.c
	cc -o held held.c "$parent/static/libholder.so" \
		"-Wl,-rpath,$parent/static"
	for program in "$parent/static/use" ./held; do
		same called "$(LD_PRELOAD=./libneighbour.so "$program")"
	done
}

# installs WHAT FOLDER
installs() {
	DESTDIR=$tmp/stage-$1 meson install -C "$2"
	files "$tmp/stage-$1$tmp/prefix" >"$tmp/files-$1"
}

parents_files() {
	printf './%s\n' bin/use lib/libholder.a lib/libholder.so
}

static_installs_nothing_of_its_own() {
	installs static "$parent/static"
	parents_files | diff - "$tmp/files-static"
	# The parent's archive is whole without libmemfd.a.
	cc -o "$tmp/archived" "$tmp/held.c" -pthread \
		"$tmp/stage-static$tmp/prefix/lib/libholder.a"
	"$tmp/archived"
}

shared_is_installed_whole() {
	installs shared "$parent/shared"
	meson setup "$tmp/alone" "$source" --prefix "$tmp/prefix" --libdir lib \
		-Dtests=disabled
	installs alone "$tmp/alone"
	grep -c 'man/man' "$tmp/files-alone"
	parents_files | sort - "$tmp/files-alone" | diff - "$tmp/files-shared"
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

# The parent installs it whole, and the parent's next build takes that copy.
installed_copy_comes_first() {
	need pkg-config
	meson install -C "$parent/shared"
	unset PKG_CONFIG_LIBDIR
	export PKG_CONFIG_PATH="$tmp/prefix/lib/pkgconfig"
	meson setup "$parent/system" "$parent" | tee "$tmp/setup"
	grep 'dependency libmemfd found: YES 1' "$tmp/setup"
	if grep -i 'executing subproject' "$tmp/setup"; then
		return 1
	fi
	ninja -C "$parent/system"
	LD_LIBRARY_PATH=$tmp/prefix/lib "$parent/system/use"
}

cell fallback_linked shared
cell fallback_linked static
cell fallback_linked both
cell hidden_inside default
cell hidden_inside hiding -fvisibility=hidden
cell hidden_inside showing -fvisibility=default
cell neighbours_call_libmemfd_so_1
cell static_installs_nothing_of_its_own
cell shared_is_installed_whole
cell static_brings_threads_along
cell tests_stay_out_of_the_parent
cell tests_come_when_asked_for
cell installed_copy_comes_first
done_testing
