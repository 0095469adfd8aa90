#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh: build fuzz.c with the sanitizers and run it for FUZZ_SECONDS (20 in
# CI, else 5). It begins with nothing, or with the folder FUZZ_CORPUS, where new
# inputs are kept.
set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

seconds=${FUZZ_SECONDS:-$([ "${CI-}" = true ] && echo 20 || echo 5)}

# fuzzed SECONDS: with the words and prefixes of the grammar, which are enough to
# get everywhere in seconds. What it finds is shown.
fuzzed() {
	need clang
	mkdir "$tmp/build" "$tmp/new"
	corpus=$(realpath "${FUZZ_CORPUS:-$tmp/new}")
	sanitizers=-fsanitize=fuzzer,address,undefined
	cd "$tmp/build"
	clang -std=c11 -g -O1 -Wall -Wextra -Werror \
		$sanitizers -fno-sanitize-recover=all \
		-DHAVE_MEMFD_CREATE -I"$source/include" -c "$here/fuzz.c" \
		"$source/src/memfd.c" "$source/src/names.c"
	clang $sanitizers ./*.o -o fuzz || {
		echo "clang has no libFuzzer"
		exit 77
	}
	grep -o '"[a-z0-9][^"]*"' "$source/tests/shared/grammar.h" |
		sort -u >dictionary
	./fuzz -max_total_time="$1" -max_len=256 -timeout=10 \
		-dict=dictionary "$corpus" >log 2>&1 || {
		tail -n 40 log
		for found in crash-* timeout-* oom-*; do
			[ ! -e "$found" ] || od -c "$found"
		done
		return 1
	}
	sed -n 's/.*#\([0-9]*\)\tDONE *cov: \([0-9]*\).*/# inputs: \1, edges: \2/p' \
		log
}

cell fuzzed "$seconds"
done_testing
