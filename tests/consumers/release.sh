#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A release is a version, a tag and what `meson dist` makes of the last commit.
#
# usage: release.sh

set -eu
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

clone=$tmp/clone

# Of a later version: what has another one fails.
dist_passes_its_own_tests() {
	git clone -q "$source" "$clone"
	sed -i "s/^  version: '.*'/  version: '1.999.0'/" "$clone/meson.build"
	sed -i 's/\(MEMFD_VERSION_MINOR\) .*/\1 999/' "$clone/include/memfd.h"
	git -C "$clone" -c user.name=test -c user.email=test \
		commit -q -a -m 'Raise the version'
	meson setup "$clone/build" "$clone"
	meson dist -C "$clone/build" >"$tmp/dist" 2>&1 || {
		cat "$tmp/dist"
		return 1
	}
	# Not by having no tests.
	grep 'Ok: *[1-9]' "$tmp/dist"
}

dist_holds_what_is_committed() {
	tar -tf "$clone/build/meson-dist/libmemfd-1.999.0.tar.xz" |
		sed -n 's,^libmemfd-[^/]*/\(.*[^/]\)$,\1,p' | sort >"$tmp/held"
	git -C "$clone" ls-files | sort | diff - "$tmp/held"
}

if ! git -C "$source" rev-parse --git-dir >/dev/null 2>&1; then
	echo '1..0 # SKIP not a git repository: what was released'
	exit 0
fi

cell dist_passes_its_own_tests
cell dist_holds_what_is_committed
done_testing
