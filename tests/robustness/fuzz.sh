#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh flags|seals|format: builds fuzz.c with the sanitizers and runs it for
# FUZZ_SECONDS (60 in CI, else 5). What it finds new goes into FUZZ_CORPUS,
# where that is set.
set -eu

target=$1
here=$(dirname "$0")
src=$here/../../src
seconds=${FUZZ_SECONDS:-$(if [ "${CI-}" ]; then echo 60; else echo 5; fi)}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

echo 1..2
if ! echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) {
	return 0; }' | clang -fsanitize=fuzzer,address,undefined -x c - \
	-o "$dir/probe" 2>"$dir/log"; then
	if [ "${CI-}" ]; then
		sed 's/^/# /' "$dir/log"
		echo "not ok 1 - $target: clang with libFuzzer is missing"
		exit 1
	fi
	echo "ok 1 - $target: corpus # SKIP no clang with libFuzzer"
	echo "ok 2 - $target: fuzzing # SKIP no clang with libFuzzer"
	exit 0
fi

clang -std=c11 -g -O1 -Wall -Wextra -Werror \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	-DTARGET="$(echo "$target" | tr '[:lower:]' '[:upper:]')" -DHAVE_MEMFD_CREATE \
	-I"$here/../../include" \
	"$here/fuzz.c" "$src/memfd.c" "$src/names.c" -o "$dir/fuzz"

# fuzz N NAME [ARGUMENT...]
fuzz() {
	n=$1
	name=$2
	shift 2
	if "$dir/fuzz" -artifact_prefix="$dir/" -print_final_stats=1 "$@" \
		>"$dir/log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' \
			"$dir/log")
		edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$dir/log" |
			tail -n 1)
		echo "ok $n - $target: $name: ${runs:-all} inputs," \
			"${edges:-all} edges"
	else
		sed 's/^/# /' "$dir/log" | tail -n 60
		for found in "$dir"/crash-* "$dir"/timeout-* "$dir"/oom-*; do
			[ ! -e "$found" ] || od -c "$found" | sed 's/^/# /'
		done
		echo "not ok $n - $target: $name"
		exit 1
	fi
}

fuzz 1 "the corpus" -runs=0 "$here/corpus/$target"
mkdir "$dir/new"
fuzz 2 "$seconds s" -max_total_time="$seconds" -max_len=256 -timeout=10 \
	-dict="$here/names.dict" "${FUZZ_CORPUS:-$dir/new}" \
	"$here/corpus/$target"
