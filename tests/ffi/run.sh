#!/bin/sh
# SPDX-License-Identifier: MIT
# Every language, against the library as it is installed.
#
# Usage: run.sh BUILD-DIRECTORY [LANGUAGE...]
#
# A language has a program that prints the transcript in `expected`. Instead, a
# module to copy, in a folder, has tests (LANGUAGE-tests), which compare the
# transcript, too; and the language's own tools check its form (LANGUAGE-format).
set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

build=$(cd "$1" && pwd)
shift
only=$*
jna=/usr/share/java/jna.jar

# Where npm, Go and Lisp keep what they fetch and compile.
cache=$build/tests/ffi/cache
export XDG_CACHE_HOME="$cache" NODE_PATH="$cache/node_modules"
export LC_ALL=C.UTF-8

# Installed, but not where the system looks.
meson install -C "$build" --destdir "$tmp/root" --no-rebuild --quiet \
	--tags runtime,devel
libdir=$(dirname "$(find "$tmp/root" -name libmemfd.so.1)")
export LD_LIBRARY_PATH="$libdir"
export PKG_CONFIG_PATH="$libdir/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$tmp/root"
# In case the prefix is /usr, whose folders are not mentioned otherwise.
export PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1

# from_npm PACKAGE. All at once, since npm removes what it is not asked for.
# shellcheck disable=SC2317 # called by name
from_npm() {
	[ -d "$NODE_PATH/$1" ] || npm install --prefix "$cache" --no-save \
		--cache "$cache/npm" --ignore-scripts koffi@3.3.4 prettier@3.10.1
}

# example START END PREFIX FILE: the lines with the prefix in this part of the
# documentation.
# shellcheck disable=SC2317
example() {
	sed -n "/$1/,/$2/s/^$3//p" "$4" | grep -v '^@'
}

# missing COMMAND...: without the library, it fails and says what to do.
# shellcheck disable=SC2317
missing() {
	mkdir missing
	touch missing/libmemfd.so.1
	! LD_LIBRARY_PATH=$PWD/missing "$@" >missing/log 2>&1 || return 1
	grep 'install libmemfd, or add its folder to LD_LIBRARY_PATH' missing/log
}

# shellcheck disable=SC2317
transcript_of() {
	(eval "$needs") || {
		echo "not here: $needs" | tr -s '\\\n\t ' ' '; echo
		exit 77
	}
	cp -R "$here" "$tmp/$1"
	cd "$tmp/$1"
	# Not in a condition: there the shell forgets -e. The input is a pipe.
	set +e
	true | (set -e; eval "$command") >"$tmp/out"
	status=$?
	set -e
	case $1 in
	# Some print what looks like a remark of this script.
	*-tests | *-format | *-drop-in) sed 's/^#//' "$tmp/out" ;;
	# Linux 6.3 and later add "exec" by themselves.
	*) sed '/^seals:/s/,exec$//' "$tmp/out" | diff -u "$here/expected" - ;;
	esac
	return "$status"
}

# Every module says which version it goes with, and has what memfd.h has. The
# constants in C++ are those of memfd.h itself.
modules() {
	cd "$here"
	version=$(sed -n "s/^ *version: '\(.*\)',/\1/p" "$source/meson.build")
	functions=$(sed -n 's/^\tmemfd_\(.*\);/\1/p' "$source/src/libmemfd.map" |
		grep -v '_str$')
	constants=$(sed -nE 's/^(#define|)\s*MEMFD_(SEAL_)?(\w+) .*0x.*/\3/p' \
		"$source/include/memfd.h")
	words=
	for module in cpp/memfd.hpp */memfd.[!th]* perl/Memfd.pm; do
		for word in "libmemfd $version for" $functions $words; do
			grep -qE "(\b|memfd_|MEMFD_|SEAL_)$word\b" "$module" ||
				{ echo "$module lacks $word" && exit 1; }
		done
		words=$constants
	done
}

# language NAME NEEDS COMMAND: the last two are shell code. COMMAND runs in a
# folder of its own, beside copies of the files of this one. It is to print the
# transcript; or, where NAME ends in -tests, -format or -drop-in, to succeed.
language() {
	case " ${only:-$1} " in *" $1 "*) ;; *) return 0 ;; esac
	needs=$2 command=$3
	cell transcript_of "$1"
}

# shellcheck disable=SC2016 # expanded when they run
{
libs='$(pkg-config --libs libmemfd)'
both='$(pkg-config --cflags --libs libmemfd)'

cell modules

# Python modules are packaged for the system's own Python.
# The example in the README at the top says in a comment what it prints.
language python-tests 'need /usr/bin/python3' \
	'cd python && /usr/bin/python3 test.py &&
	/usr/bin/python3 -m doctest memfd.py &&
	missing /usr/bin/python3 -c "import memfd" &&
	awk -v language=python -v n=1 -f "$here/../example/block.awk" \
		"$here/../../README.md" >readme.py &&
	/usr/bin/python3 readme.py >readme.out &&
	sed -n "s/.*  # //p" readme.py | diff - readme.out'
language python-format 'need black' 'black --check .'

language javascript-tests 'need node npm && from_npm koffi' \
	'cd javascript && node test.cjs &&
	example @example "\\*\\/" " \\* " memfd.cjs >example.cjs &&
	same "hello, world" "$(node example.cjs)" &&
	missing node memfd.cjs'
language javascript-format 'need node npm && from_npm prettier' \
	'node "$NODE_PATH/prettier/bin/prettier.cjs" --single-quote --print-width 100 --check \
		javascript'

language go-tests 'need go cc pkg-config' \
	'cd go && go test . &&
	mkdir example && {
		echo "package example; import \"memfd\"; func example() error {" &&
		example "^\/\/ Package" "^package" "\/\/\t" memfd.go && echo "}"
	} >example/example.go && go vet ./example'
language go-format 'need go gofmt' \
	'cd go && same "" "$(gofmt -l .)" && go vet .'

language rust-tests 'need rustc rustdoc cc pkg-config' \
	'cd rust &&
	set -- --edition 2021 -D warnings $(pkg-config --libs-only-L libmemfd) &&
	rustc --test "$@" test.rs && ./test --test-threads=1 &&
	rustc --crate-type lib "$@" memfd.rs &&
	rustdoc --test --extern memfd=libmemfd.rlib "$@" test.rs'
language rust-format 'need rustfmt' \
	'rustfmt --edition 2021 --check rust/*.rs'

language ruby-tests 'ruby -rfiddle -rminitest -e ""' \
	'cd ruby && ruby -w test.rb &&
	example @example ^module "#   " memfd.rb >example.rb &&
	same "hello, world" "$(ruby example.rb)" &&
	missing ruby memfd.rb'
language ruby-format 'need rubocop' \
	'echo "AllCops: { TargetRubyVersion: 3.1 }" >config.yml &&
	rubocop -c config.yml --cache false --only Layout,Lint ruby'

language perl-tests 'perl -e "use FFI::Platypus 2.00; use threads"' \
	'cd perl && perl memfd.t &&
	example SYNOPSIS DESCRIPTION "    " Memfd.pm >example.pl &&
	same "hello, world" "$(perl -I. example.pl)" &&
	missing perl -I. -e "use Memfd" &&
	cd ../drop-in && perl -I. -I../perl memfile.t'
language perl-format 'need perltidy podchecker' \
	'podchecker perl/Memfd.pm &&
	for file in perl/* drop-in/*.pm; do
		perltidy -npro -l=100 -pt=2 -sbt=2 -bt=2 -st -se "$file" |
			diff "$file" - || exit 1
	done'

language c++-tests 'need c++ pkg-config' \
	"cd cpp && set -- -std=c++17 -Wall -Wextra -Wshadow -Werror &&
	c++ \"\$@\" -pthread -o out test.cc $both && ./out &&
	example @code @endcode ' \\*[ ]*' memfd.hpp >example.cc &&
	c++ \"\$@\" -o out example.cc $both && ./out &&"'
	! c++ "$@" -nostdinc -I. -fsyntax-only memfd.hpp 2>log &&
	grep "install libmemfd, and use pkg-config" log'
language c++-format 'need clang-format' \
	'clang-format --dry-run -Werror "$here"/cpp/*'

language cffi-tests 'need cc pkg-config && /usr/bin/python3 -c "import cffi"' \
	'/usr/bin/python3 memfd_cffi.py'
language luajit 'need luajit' \
	'luajit memfd.lua'
language java "need javac java && ls $jna" \
	"javac -cp $jna -d . Memfd.java && java -cp $jna:. Memfd"
language haskell 'need ghc pkg-config' \
	"ghc -v0 -Wall memfd.hs $libs && ./memfd"
language haskell-drop-in 'need ghc pkg-config' \
	"cd drop-in && ghc -v0 -Wall memfd-test.hs $libs && ./memfd-test"
language csharp 'need mcs mono' \
	'mcs -out:memfd.exe memfd.cs && mono memfd.exe'
language ocaml 'ocamlfind query ctypes.foreign' \
	'ocamlfind ocamlopt -thread -package ctypes.foreign -linkpkg \
		memfd.ml -o memfd && ./memfd'
language php 'php -r "FFI::cdef();"' \
	'php memfd.php'
language guile 'need guile' \
	'guile --no-auto-compile memfd.scm'
language common-lisp 'sbcl --noinform --non-interactive \
		--eval "(require :asdf)" --eval "(asdf:load-system :cffi)"' \
	'sbcl --script memfd.lisp'
language fortran 'need gfortran pkg-config' \
	"gfortran -Wall -o memfd memfd.f90 $libs && ./memfd"
language ada 'need gnatmake pkg-config' \
	"gnatmake -q -gnatwa memfd.adb -largs $libs && ./memfd"
}

done_testing
