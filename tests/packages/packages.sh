#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The archive of a release becomes Debian and RPM packages, which are installed
# in a bare Debian, used by the first program of README.md, upgraded, and removed
# without a trace. Needs root, for chroot(8).
#
# usage: packages.sh

set -eu
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

export LC_ALL=C.UTF-8
packages=$source/tests/packages
version=$(sed -n "s/^  version: '\(.*\)',/\1/p" "$source/meson.build")
next=1.999.0
cache=${MEMFD_CACHE:-$tmp/cache}
root=$tmp/root
deb=$tmp/deb
rpm=$tmp/rpm
block="awk -f $source/tests/example/block.awk"

# there FILE...: without what an earlier cell makes, this one is skipped.
there() {
	for file; do
		[ -e "$file" ] || {
			echo "there is no ${file##*/}"
			exit 77
		}
	done
}

# The archives of a release, and of a later one that has nothing new.
archives() {
	need git meson ninja xz
	git clone -q "$source" "$tmp/clone"
	for release in "$version" "$next"; do
		sed -i "s/^  version: '.*'/  version: '$release'/" \
			"$tmp/clone/meson.build"
		git -C "$tmp/clone" -c user.name=test -c user.email=test \
			commit -q -a --allow-empty -m "Release $release"
		meson setup "$tmp/clone/build-$release" "$tmp/clone" \
			-Dtests=disabled
		meson dist -C "$tmp/clone/build-$release" --no-tests
		mv "$tmp/clone/build-$release/meson-dist/"*.tar.xz "$tmp/"
	done
}

# deb_build VERSION: as whoever packages it does. Here functions that are not in
# the symbols file are an error, too.
deb_build() {
	need dh dpkg-buildpackage
	archive=$tmp/libmemfd-$1.tar.xz
	there "$archive"
	mkdir -p "$deb/$1"
	cd "$deb/$1"
	cp "$archive" "libmemfd_$1.orig.tar.xz"
	tar -xf "$archive"
	cd "libmemfd-$1"
	cp -r tests/packages/debian debian
	debian/rules debian/changelog
	dpkg-buildpackage -us -uc
}

deb_build_runs_the_tests() {
	need dh dpkg-buildpackage
	there "$deb/$version"
	grep -c '"result": "OK"' "$deb/$version/libmemfd-$version"/*/meson-logs/testlog.json
}

deb_build_without_tests() {
	DEB_BUILD_OPTIONS=nocheck DEB_BUILD_PROFILES=nocheck
	export DEB_BUILD_OPTIONS DEB_BUILD_PROFILES
	deb_build "$1"
	[ -z "$(find "$deb/$1/libmemfd-$1" -name 'testlog*')" ]
}

# No remark of any kind, except those that lintian-tags lists with the reason.
deb_lintian_is_silent() {
	need lintian
	there "$deb/$version/libmemfd_$version-"*.changes
	HOME=$tmp lintian --allow-root --pedantic --display-info \
		--suppress-tags "$(sed 's/ .*//' "$packages/lintian-tags" |
			paste -sd ,)" \
		"$deb/$version/libmemfd_$version-"*.changes >"$tmp/lintian" 2>&1
	same '' "$(grep -v '^running with root privileges' "$tmp/lintian")"
}

# A Debian of the release that runs here, with a C compiler and pkg-config.
bare_root() {
	[ "$(id -u)" -eq 0 ] || {
		echo 'chroot is for root only'
		exit 77
	}
	need apt-get debootstrap
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
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
	cp -a "$bare" "$root.partial"
	mkdir "$root.partial/work"
	# The loader of RPM's distributions looks there by itself.
	rpm --eval %_libdir >"$root.partial/etc/ld.so.conf.d/rpm.conf"
	rm -rf "$root.partial/tmp/"* "$root.partial/root/.rpmdb"
	mv "$root.partial" "$root"
}

# Every file of the root, but for the records of package managers and ldconfig.
contents() {
	(cd "$root" && find . -path ./work -prune -o \
		-path ./var/lib/dpkg -prune -o -path ./var/lib/rpm -prune -o \
		-path ./var/log -prune -o -path ./var/cache/ldconfig -prune -o \
		-path ./etc/ld.so.cache -prune -o \
		-type f -printf '%p %m %U:%G %s\n' -o \
		-printf '%p %m %U:%G %l\n' | sort)
}

in_root() {
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		LC_ALL=C.UTF-8 PKG_CONFIG_PATH="$(rpm --eval %_libdir)/pkgconfig" \
		sh -e -c "cd /work; $1"
}

# program_runs: the one that was built before, or a new one if there is none.
program_runs() {
	$block -v language=text -v n=2 "$source/README.md" |
		sed 's/,exec$//' >"$tmp/expected"
	[ -e "$root/work/hello" ] || {
		$block -v language=c -v n=1 "$source/README.md" \
			>"$root/work/hello.c"
		command=$(grep '^cc hello.c .*pkg-config' "$source/README.md")
		in_root "$command" >/dev/null
	}
	in_root ./hello | sed 's/,exec$//' | diff "$tmp/expected" -
	in_root 'ldd ./hello' | grep "$1"
}

static_program_runs() {
	# shellcheck disable=SC2016
	in_root 'cc -static hello.c \
		$(pkg-config --static --cflags --libs libmemfd) -o static'
	in_root ./static | sed 's/,exec$//' | diff "$tmp/expected" -
}

debs() {
	cp "$deb/$1/"libmemfd*_"$1-"*.deb "$root/work/"
}

deb_installed() {
	there "$root" "$deb/$version/libmemfd_$version-"*.changes
	contents >"$tmp/before"
	debs "$version"
	in_root "dpkg -i libmemfd1_$version-*.deb"
	# What bindings load is there without the development files.
	in_root 'ldconfig -p' | grep 'libmemfd\.so\.1 .*/lib/.*-linux-gnu'
	[ ! -e "$root/usr/include/memfd.h" ]
	in_root "dpkg -i libmemfd-dev_$version-*.deb"
	rm -f "$root/work/hello"
	program_runs /lib/x86_64-linux-gnu/libmemfd.so.1
	static_program_runs
}

# A program that was built with the version before runs with the next.
deb_upgraded() {
	there "$root/work/hello" "$deb/$next/libmemfd_$next-"*.changes
	debs "$next"
	in_root "dpkg -i libmemfd1_$next-*.deb libmemfd-dev_$next-*.deb"
	same "libmemfd.so.$next" \
		"$(readlink "$root"/usr/lib/*/libmemfd.so.1)"
	same '' "$(find "$root/usr/lib" -name "libmemfd.so.$version")"
	program_runs libmemfd.so.1
	rm "$root/work/hello"
	program_runs libmemfd.so.1
	in_root 'dpkg --verify libmemfd1 libmemfd-dev'
}

deb_removed() {
	there "$root" "$tmp/before"
	# Not what others still need.
	if in_root 'dpkg --remove libmemfd1'; then
		return 1
	fi
	in_root 'dpkg --purge libmemfd-dev libmemfd1'
	contents | diff "$tmp/before" -
	rm -f "$tmp/before" "$root/work/"*
}

# run_rpmbuild OPTION...: Debian knows packages by other names, and has no
# database of RPM's, so that what is needed to build is not looked up.
run_rpmbuild() {
	HOME=$tmp rpmbuild --nodeps -D "_topdir $rpm" -D "_tmppath $tmp" \
		-D "_dbpath $rpm/db" -D '_build_id_links none' \
		-D 'packager libmemfd maintainers <maintainers@libmemfd.example>' \
		"$@"
}

rpm_build() {
	need rpm rpmbuild
	release=$1
	shift
	there "$tmp/libmemfd-$release.tar.xz"
	mkdir -p "$rpm/SOURCES"
	cp "$tmp/libmemfd-$release.tar.xz" "$rpm/SOURCES/"
	sed "s/@VERSION@/$release/; s/@DATE@/$(LC_ALL=C date '+%a %b %d %Y')/" \
		"$packages/libmemfd.spec.in" >"$rpm/libmemfd.spec"
	run_rpmbuild -ba "$@" "$rpm/libmemfd.spec"
}

rpms() {
	find "$rpm" -name "libmemfd*-$1-*.rpm" ! -name '*.src.rpm'
}

# No remark of any kind, except those that rpmlint.toml lists with the reason.
rpm_rpmlint_is_silent() {
	need rpmlint
	there "$rpm/SRPMS/libmemfd-$version-"*.src.rpm
	# shellcheck disable=SC2046
	rpmlint -c "$packages/rpmlint.toml" "$rpm/libmemfd.spec" \
		"$rpm/SRPMS/libmemfd-$version-"*.src.rpm \
		$(rpms "$version") | tee "$tmp/rpmlint"
	grep ' 4 packages and 1 specfiles checked; 0 errors, 0 warnings' \
		"$tmp/rpmlint"
}

# A package that stands for the system: it provides what the libc of the root
# has, under the names that RPM gives it, and owns the folders that packages
# share. A dependency that it does not provide is an error.
rpm_system() {
	lib=$(rpm --eval %_libdir)
	cat >"$rpm/system.spec" <<-END
		Name: system
		Version: 1
		Release: 1
		Summary: The system that packages are tried in
		License: MIT
		$(find "$root"/lib/ -name libc.so.6 |
			/usr/lib/rpm/find-provides | sed 's/^/Provides: /')
		Provides: rtld(GNU_HASH) /sbin/ldconfig /usr/bin/pkg-config
		%description
		What others need.
		%install
		mkdir -p %{buildroot}$lib/cmake %{buildroot}$lib/pkgconfig
		mkdir -p %{buildroot}/usr/share/licenses
		%files
		%dir $lib/cmake
		%dir $lib/pkgconfig
		%dir /usr/share/licenses
	END
	run_rpmbuild -bb "$rpm/system.spec"
}

rpm_in_root() {
	HOME=$tmp rpm --root "$root" --dbpath /var/lib/rpm "$@"
}

rpm_installed() {
	need rpm rpmbuild
	there "$root" "$rpm/SRPMS/libmemfd-$version-"*.src.rpm
	rpm_system
	contents >"$tmp/before"
	# shellcheck disable=SC2046
	rpm_in_root -i "$rpm"/RPMS/*/system-1-1.*.rpm $(rpms "$version")
	in_root 'ldconfig -p' | grep "libmemfd\.so\.1 .*$(rpm --eval %_libdir)"
	program_runs "$(rpm --eval %_libdir)/libmemfd.so.1"
	static_program_runs
}

rpm_upgraded() {
	need rpm rpmbuild
	there "$root/work/hello" "$rpm/SRPMS/libmemfd-$next-"*.src.rpm
	# shellcheck disable=SC2046
	rpm_in_root -U $(rpms "$next")
	same "libmemfd.so.$next" \
		"$(readlink "$root$(rpm --eval %_libdir)/libmemfd.so.1")"
	program_runs libmemfd.so.1
	rm "$root/work/hello"
	program_runs libmemfd.so.1
	rpm_in_root -V libmemfd libmemfd-devel libmemfd-static
}

rpm_removed() {
	need rpm rpmbuild
	there "$root" "$tmp/before"
	if rpm_in_root -e libmemfd; then
		return 1
	fi
	rpm_in_root -e libmemfd-static libmemfd-devel libmemfd system
	contents | diff "$tmp/before" -
}

if ! git -C "$source" rev-parse --git-dir >/dev/null 2>&1; then
	echo '1..0 # SKIP not a git repository: nothing to make a release of'
	exit 0
fi

cell archives
cell bare_root
cell deb_build "$version"
cell deb_build_runs_the_tests
cell deb_build_without_tests "$next"
cell deb_lintian_is_silent
cell deb_installed
cell deb_upgraded
cell deb_removed
cell rpm_build "$version"
cell rpm_build "$next" --nocheck
cell rpm_rpmlint_is_silent
cell rpm_installed
cell rpm_upgraded
cell rpm_removed
done_testing
