#!/bin/sh
# SPDX-License-Identifier: MIT
# One program a language, against the library as it is installed.
#
# Usage: run.sh BUILD-DIRECTORY [LANGUAGE...]
#
# Every program prints the same transcript, which is in `expected`; those in
# drop-in/ are tests of their own.
set -eu
# shellcheck source=tests/shared/tap.sh
. "$(dirname "$0")/../shared/tap.sh"

build=$(cd "$1" && pwd)
shift
only=$*
koffi=koffi@3.3.4
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

# shellcheck disable=SC2317 # called by name
npm_koffi() {
	[ -d "$NODE_PATH/koffi" ] || npm install --prefix "$cache" \
		--cache "$cache/npm" --no-save --ignore-scripts "$koffi"
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
	true | (eval "$command") >"$tmp/out"
	case $1 in
	*-drop-in) cat "$tmp/out" ;;
	# Go and Node.js write the system's messages in lower case.
	*) diff -iu "$here/expected" "$tmp/out" ;;
	esac
}

# language NAME NEEDS COMMAND: the last two are shell code. COMMAND runs in a
# folder of its own, beside copies of the files of this one. It is to print the
# transcript; or, where NAME ends in drop-in, to succeed.
language() {
	case " ${only:-$1} " in *" $1 "*) ;; *) return 0 ;; esac
	needs=$2 command=$3
	cell transcript_of "$1"
}

# shellcheck disable=SC2016 # expanded when they run
{
libs='$(pkg-config --libs libmemfd)'
both='$(pkg-config --cflags --libs libmemfd)'

# Python modules are packaged for the system's own Python.
# That of the README says in a comment what it prints.
language python-ctypes 'need /usr/bin/python3' \
	'awk -v language=python -v n=1 -f "$here/../example/block.awk" \
		"$here/../../README.md" >readme.py &&
	/usr/bin/python3 readme.py >readme.out &&
	sed -n "s/.*  # //p" readme.py | diff - readme.out >&2 &&
	/usr/bin/python3 memfd_ctypes.py'
language python-cffi 'need cc pkg-config && /usr/bin/python3 -c "import cffi"' \
	'/usr/bin/python3 memfd_cffi.py'
language perl 'perl -e "use FFI::Platypus 2.00"' \
	'perl memfd.pl'
language perl-drop-in 'perl -e "use FFI::Platypus 2.00"' \
	'cd drop-in && perl -I. memfd.t'
language ruby 'ruby -rfiddle -e ""' \
	'ruby memfd.rb'
language luajit 'need luajit' \
	'luajit memfd.lua'
language node 'need node npm && npm_koffi' \
	'node memfd.js'
language rust 'need rustc cc pkg-config' \
	"rustc --edition 2021 memfd.rs $libs && ./memfd"
language go 'need go cc pkg-config' \
	'go build -o memfd memfd.go && ./memfd'
language java "need javac java && ls $jna" \
	"javac -cp $jna -d . Memfd.java && java -cp $jna:. Memfd"
language haskell 'need ghc pkg-config' \
	"ghc -v0 -Wall memfd.hs $libs && ./memfd"
language haskell-drop-in 'need ghc pkg-config' \
	"cd drop-in && ghc -v0 -Wall memfd-test.hs $libs && ./memfd-test"
language c++ 'need c++ pkg-config' \
	"c++ -std=c++17 -Wall -Wextra -o memfd memfd.cc $both && ./memfd"
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
