#!/bin/sh
# SPDX-License-Identifier: MIT
# fuzz.sh: build fuzz.c with the sanitizers and run it for FUZZ_SECONDS (60 in
# CI, else 5). It begins with nothing, or with the folder FUZZ_CORPUS, where new
# inputs are kept.
set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

seconds=${FUZZ_SECONDS:-$([ "${CI-}" = true ] && echo 60 || echo 5)}

builds() {
	need clang
	echo 'int LLVMFuzzerTestOneInput(void);
		int LLVMFuzzerTestOneInput(void) { return 0; }' |
		clang -fsanitize=fuzzer,address,undefined -x c - \
			-o "$tmp/probe" || {
		echo "clang has no libFuzzer"
		exit 77
	}
	clang -std=c11 -g -O1 -Wall -Wextra -Werror \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		-DHAVE_MEMFD_CREATE -I"$source/include" "$here/fuzz.c" \
		"$source/src/memfd.c" "$source/src/names.c" -o "$tmp/fuzz"
}

# run_fuzzer [ARGUMENT]...: what it finds is shown.
run_fuzzer() {
	[ -e "$tmp/fuzz" ] || {
		echo "there is no fuzzer"
		exit 77
	}
	"$tmp/fuzz" -artifact_prefix="$tmp/" -print_final_stats=1 "$@" \
		>"$tmp/fuzz.log" 2>&1 || {
		tail -n 40 "$tmp/fuzz.log"
		for found in "$tmp"/crash-* "$tmp"/timeout-* "$tmp"/oom-*; do
			[ ! -e "$found" ] || od -c "$found"
		done
		return 1
	}
	sed -n 's/^stat::number_of_executed_units: */# inputs: /p' \
		"$tmp/fuzz.log"
	sed -n 's/.* cov: \([0-9]*\) .*/# edges: \1/p' "$tmp/fuzz.log" |
		tail -n 1
}

# fuzzed SECONDS: with the words and prefixes of the grammar, which are enough to
# get everywhere in seconds.
fuzzed() {
	mkdir "$tmp/new"
	grep -o '"[a-z0-9][^"]*"' "$source/tests/shared/grammar.h" |
		sort -u >"$tmp/dictionary"
	run_fuzzer -max_total_time="$1" -max_len=256 -timeout=10 \
		-dict="$tmp/dictionary" "${FUZZ_CORPUS:-$tmp/new}"
}

cell builds
cell fuzzed "$seconds"
done_testing
