#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The binary interface against that of each release that added to it.
#
# usage: abi.sh check OBJECT [LIBRARY]
#        abi.sh baseline OBJECT VERSION
#
# OBJECT is the library with its constants and debugging information, LIBRARY
# what is installed. baseline writes libmemfd-VERSION.abi beside this script,
# and never twice: what was released does not change.

set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

command=$1 object=$2 library=${3-}

abi() {
	abidw --exported-interfaces-only --no-corpus-path --no-comp-dir-path \
		--short-locs --no-show-locs --no-elf-needed \
		--no-parameter-names "$1"
}

# Lines "node symbol" of the version nodes that the baseline has; constants
# are in no installed library.
symbols() {
	sed -n "s/.*<elf-symbol name='\([^']*\)' version='\([^']*\)'.*/\2 \1/p" |
		grep -v '^CONSTANTS ' | sort
}

if [ "$command" = baseline ]; then
	to=$here/libmemfd-$3.abi
	if [ -e "$to" ]; then
		echo "$to was released and stays; raise the version first" >&2
		exit 1
	fi
	abi "$object" >"$to"
	echo "wrote $to"
	exit 0
fi

same_types_and_constants() {
	abidiff --no-added-syms --ignore-soname "$here/$1" "$object"
}

same_symbols_in_its_nodes() {
	symbols <"$here/$1" >"$tmp/released"
	cut -d' ' -f1 "$tmp/released" | sort -u >"$tmp/nodes"
	abi "${library:-$object}" | symbols |
		awk 'NR == FNR { node[$1]; next } $1 in node' "$tmp/nodes" - |
		diff "$tmp/released" - || {
		echo 'a released node never changes; a new function needs a new one'
		return 1
	}
}

every_function_is_in_a_baseline() {
	same '' "$(symbols <"$tmp/object" | comm -23 - "$tmp/known" |
		sed 's/$/ is in none: meson compile abi-baseline writes one/')"
}

compared() {
	need abidw abidiff
	abi "$object" >"$tmp/object"
	machine=$(sed -n "1s/.* architecture='\([^']*\)'.*/\1/p" "$tmp/object")
	grep -l "^<abi-corpus .*architecture='$machine'" "$here"/*.abi \
		>"$tmp/baselines" || cannot "there is no baseline of $machine"
	xargs cat <"$tmp/baselines" | symbols >"$tmp/known"
}

touch "$tmp/baselines"
cell compared
while read -r baseline; do
	baseline=${baseline##*/}
	cell same_types_and_constants "$baseline"
	cell same_symbols_in_its_nodes "$baseline"
done <"$tmp/baselines"
[ ! -s "$tmp/known" ] || cell every_function_is_in_a_baseline
done_testing
