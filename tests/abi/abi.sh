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

here=$(dirname "$0")
command=$1 object=$2

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

attribute() {
	sed -n "1s/.* $1='\([^']*\)'.*/\1/p"
}

n=0
cell() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

if ! command -v abidw >/dev/null || ! command -v abidiff >/dev/null; then
	if [ "${CI-}" = true ] || [ "$command" = baseline ]; then
		echo "Bail out! abidw and abidiff (abigail-tools) are missing"
		exit 1
	fi
	echo "1..0 # SKIP abidw and abidiff (abigail-tools) are not installed"
	exit 0
fi

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

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

abi "$object" >"$tmp/object.abi"
machine=$(attribute architecture <"$tmp/object.abi")
for baseline in "$here"/libmemfd-*.abi; do
	name=$(basename "$baseline" .abi)
	if [ "$(attribute architecture <"$baseline")" != "$machine" ]; then
		n=$((n + 1))
		echo "ok $n - $name # SKIP the baseline is not of $machine"
		continue
	fi

	status=0
	abidiff --no-added-syms --ignore-soname "$baseline" "$object" \
		>"$tmp/diff" || status=$?
	sed 's/^/# /' "$tmp/diff"
	cell "$status" "${name}_has_the_same_types_and_constants"

	symbols <"$baseline" >"$tmp/released"
	cat "$tmp/released" >>"$tmp/baselines"
	cut -d' ' -f1 "$tmp/released" | sort -u >"$tmp/nodes"
	abi "${3:-$object}" >"$tmp/library.abi"
	symbols <"$tmp/library.abi" |
		awk 'NR == FNR { node[$1]; next } $1 in node' "$tmp/nodes" - \
		>"$tmp/now"
	status=0
	diff "$tmp/released" "$tmp/now" >"$tmp/diff" || status=$?
	sed 's/^/# /' "$tmp/diff"
	[ "$status" -eq 0 ] ||
		echo "# a released node never changes; new functions need a new one"
	cell "$status" "${name}_has_the_same_symbols_in_its_nodes"

	[ $# -lt 3 ] || {
		status=0
		[ "$(attribute soname <"$tmp/library.abi")" = libmemfd.so.1 ] ||
			status=1
		cell "$status" "${name}_has_the_same_soname"
	}
done

if [ -e "$tmp/baselines" ]; then
	status=0
	sort -u "$tmp/baselines" >"$tmp/known"
	symbols <"$tmp/object.abi" | comm -23 - "$tmp/known" |
		sed 's/$/: in no baseline; meson compile abi-baseline adds it/' \
			>"$tmp/new"
	sed 's/^/# /' "$tmp/new"
	[ ! -s "$tmp/new" ] || status=1
	cell "$status" every_function_is_in_a_baseline
fi
echo "1..$n"
