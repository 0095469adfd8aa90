#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The types of the interface against those of each release that added to it.
# Which functions are in which release, tests/manual/places.py compares.
#
# usage: abi.sh check OBJECT
#        abi.sh baseline OBJECT VERSION
#
# OBJECT is the library with its debugging information. baseline writes
# libmemfd-VERSION.abi beside this script, and never twice: what was released
# does not change.

set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

object=$2

if [ "$1" = baseline ]; then
	to=$here/libmemfd-$3.abi
	if [ -e "$to" ]; then
		echo "$to was released and stays; raise the version first" >&2
		exit 1
	fi
	abidw --exported-interfaces-only --no-corpus-path --no-comp-dir-path \
		--short-locs --no-show-locs --no-elf-needed \
		--no-parameter-names --out-file "$to" "$object"
	echo "wrote $to"
	exit 0
fi

same_types() {
	need abidiff
	abidiff --no-added-syms --ignore-soname "$here/$1" "$object"
}

for baseline in "$here"/*.abi; do
	cell same_types "${baseline##*/}"
done
done_testing
