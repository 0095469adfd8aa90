#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The archive of a release becomes Debian and RPM packages, which are installed
# in a bare Debian, used by the first program of README.md, and removed without a
# trace. Needs root, for chroot(8).
#
# usage: packages.sh

set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

export LC_ALL=C.UTF-8
# Where lintian and rpmbuild look for settings of whoever runs this.
export HOME="$tmp"
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$source/meson.build")
root=$tmp/root
deb=$tmp/deb
rpm=$tmp/rpm
rpm_libdir=$(rpm --eval %_libdir) || :
block="awk -f $source/tests/example/block.awk"

tools() {
	need apt-get debootstrap dh dpkg-buildpackage git lintian meson ninja \
		rpm rpmbuild xz
	[ -e "$source/.git" ] || cannot 'not a git repository'
	[ "$(id -u)" -eq 0 ] || cannot 'chroot is for root only'
	git clone -q "$source" "$tmp/clone"
}

# What `meson dist` makes of the last commit. Its tests run as a package's.
archive() {
	meson setup "$tmp/build" "$tmp/clone"
	meson dist -C "$tmp/build" --no-tests
	mv "$tmp/build/meson-dist/libmemfd-$version.tar.xz" "$tmp/"
}

# A Debian of the release that runs here, with a C compiler and pkg-config.
bare_root() {
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	cache=${MEMFD_CACHE:-$tmp/cache}
	bare=$cache/bare-$codename
	if [ ! -e "$bare" ]; then
		# shellcheck disable=SC2016
		mirror=$(apt-get indextargets \
			--format '$(ORIGIN) $(RELEASE) $(SITE)' |
			sed -n "s/^Debian $codename //p" | head -n 1)
		mkdir -p "$cache"
		rm -rf "$bare.partial"
		debootstrap --variant=minbase \
			--include=gcc,libc6-dev,pkg-config \
			"$codename" "$bare.partial" "$mirror"
		rm -f "$bare.partial/var/cache/apt/archives"/*.deb
		mv "$bare.partial" "$bare"
	fi
	cp -a "$bare" "$root"
	mkdir "$root/work"
	# The folders that RPM's distributions have; the loader looks there.
	mkdir -p "$root$rpm_libdir/cmake" "$root$rpm_libdir/pkgconfig" \
		"$root/usr/share/licenses"
	echo "$rpm_libdir" >"$root/etc/ld.so.conf.d/rpm.conf"
}

# As whoever packages it does, with the tests, and without a warning.
deb_build() {
	mkdir "$deb"
	cd "$deb"
	cp "$tmp/libmemfd-$version.tar.xz" "libmemfd_$version.orig.tar.xz"
	tar -xf "libmemfd_$version.orig.tar.xz"
	cd "libmemfd-$version"
	cp -r tests/packages/debian debian
	debian/rules debian/changelog
	DEB_CFLAGS_APPEND=-Werror dpkg-buildpackage -us -uc
	find . -name testlog.json -exec cat {} + | grep -c '"result": "OK"'
}

# A function that is gone would leave programs behind that need it.
deb_misses_a_lost_function() {
	cd "$deb/libmemfd-$version"
	sed -i '/^	memfd_seal_str;$/d' src/libmemfd.map
	if DEB_BUILD_OPTIONS=nocheck DEB_BUILD_PROFILES=nocheck \
		dpkg-buildpackage -b -us -uc >"$tmp/lost" 2>&1; then
		return 1
	fi
	grep 'some symbols or patterns disappeared' "$tmp/lost"
	grep '^-  *memfd_seal_str@LIBMEMFD_1' "$tmp/lost"
	# Nor do tests run without their profile.
	same '' "$(find . -name testlog.json)"
}

# No remark of any kind, except those that lintian-tags lists with the reason.
deb_lintian_is_silent() {
	lintian --allow-root --pedantic --display-info \
		--fail-on error,warning,info,pedantic \
		--suppress-tags-from-file "$here/lintian-tags" \
		"$deb/libmemfd_$version-"*.changes
}

deb_packages() {
	echo "$deb"/libmemfd1_*.deb "$deb"/libmemfd-dev_*.deb
}

deb_install() {
	dpkg --root="$root" --install "$@"
}

deb_remove() {
	dpkg --root="$root" --purge "$@"
}

# Debian knows packages by other names, and has no database of RPM's, so that
# what is needed to build is not looked up.
rpm_build() {
	mkdir -p "$rpm/SOURCES"
	cp "$tmp/libmemfd-$version.tar.xz" "$rpm/SOURCES/"
	sed "s/@VERSION@/$version/; s/@DATE@/$(date '+%a %b %d %Y')/" \
		"$here/libmemfd.spec.in" >"$rpm/libmemfd.spec"
	rpmbuild -ba --nodeps -D "_topdir $rpm" -D "_tmppath $tmp" \
		-D "_dbpath $rpm/db" -D '_build_id_links none' \
		"$rpm/libmemfd.spec"
}

# Debian has no database of what RPM's packages need.
rpm_needs_libc_alone() {
	isa=$(rpm --eval %_isa)
	# shellcheck disable=SC2046
	rpm -qp --requires $(rpm_packages) |
		grep -v -e '^libc\.so' -e '^rpmlib(' -e '^rtld(' |
		sort -u >"$tmp/requires"
	printf '%s\n' /usr/bin/pkg-config "cmake-filesystem$isa" \
		"libmemfd$isa = $version-1" "libmemfd-devel$isa = $version-1" |
		sort | diff - "$tmp/requires"
}

rpm_packages() {
	echo "$rpm"/RPMS/*/libmemfd-"$version"-*.rpm \
		"$rpm"/RPMS/*/libmemfd-[ds]*-"$version"-*.rpm
}

# Whatever is installed there, glibc's trigger calls ldconfig.
rpm_install() {
	rpm --root "$root" --dbpath /var/lib/rpm --upgrade --replacepkgs \
		--nodeps "$@"
	in_root ldconfig
}

rpm_remove() {
	rpm --root "$root" --dbpath /var/lib/rpm --erase "$@"
}

# Every file of the root, but for the records of package managers and ldconfig.
contents() {
	(cd "$root" && find . \( -path ./work -o -path ./var/lib/dpkg -o \
		-path ./var/lib/rpm -o -path ./var/log -o \
		-path ./var/cache/ldconfig -o -path ./etc/ld.so.cache \) \
		-prune -o -type f -printf '%p %m %U:%G %s\n' -o \
		-printf '%p %m %U:%G %l\n' | sort)
}

in_root() {
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		LC_ALL=C.UTF-8 PKG_CONFIG_PATH="$rpm_libdir/pkgconfig" \
		sh -e -c "cd /work; $1"
}

# The first program of README.md prints what is shown there. Before Linux 6.3,
# memfds have no seal exec.
program_runs() {
	$block -v language=text -v n=1 "$source/README.md" |
		sed 's/,exec$//' >"$tmp/expected"
	in_root "$1" | sed 's/,exec$//' | diff "$tmp/expected" -
}

# installed KIND FOLDER: where the library is then.
installed() {
	kind=$1 folder=$2
	contents >"$tmp/before"
	# shellcheck disable=SC2046
	set -- $("${kind}_packages")
	# What bindings load is there without the development files.
	"${kind}_install" "$1"
	in_root 'ldconfig -p' | grep "libmemfd\.so\.1 .*$folder"
	[ ! -e "$root/usr/include/memfd.h" ]
	"${kind}_install" "$@"
	$block -v language=c -v n=1 "$source/README.md" >"$root/work/hello.c"
	program_runs "$(grep '^cc hello.c .*pkg-config' "$source/README.md")"
	in_root 'ldd ./hello' | grep "$folder/libmemfd.so.1"
	# shellcheck disable=SC2016
	program_runs 'cc -static hello.c -o static \
		$(pkg-config --static --cflags --libs libmemfd); ./static'
}

# removed KIND PACKAGE...: the first is what the others need.
removed() {
	kind=$1
	shift
	if "${kind}_remove" "$1"; then
		return 1
	fi
	"${kind}_remove" "$@"
	contents | diff "$tmp/before" -
}

cell tools
[ -e "$tmp/clone" ] || {
	done_testing
	exit
}
cell archive
cell bare_root

multiarch=/lib/$(cc -print-multiarch)
cell deb_build
cell deb_lintian_is_silent
cell installed deb "$multiarch"
cell removed deb libmemfd1 libmemfd-dev
cell deb_misses_a_lost_function

cell rpm_build
cell rpm_needs_libc_alone
cell installed rpm "$rpm_libdir"
cell removed rpm libmemfd libmemfd-devel libmemfd-static
done_testing
