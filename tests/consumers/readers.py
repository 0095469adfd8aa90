#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What reads a C header for another language sees all of the installed one.

usage: readers.py bindgen|cffi|swig INCLUDE LIB WORK

Each reader makes its binding in WORK; every constant is compared with what a C
compiler makes of it, and every function is called for, or resolved, through
the binding.
"""

import os
import re
import subprocess
import sys

READER, INCLUDE, LIB, WORK = sys.argv[1:]
HEADER = os.path.join(INCLUDE, "memfd.h")
MAP = os.path.join(os.path.dirname(__file__), "../../src/libmemfd.map")


def run(*command, **more):
    return subprocess.run(
        command, check=True, text=True, cwd=WORK, stdout=subprocess.PIPE, **more
    ).stdout


def write(name, text):
    with open(os.path.join(WORK, name), "w") as file:
        file.write(text)


def read(name):
    with open(name) as file:
        return file.read()


def names():
    """Every constant of the header, and every function of the library."""
    text = re.sub(r"/\*.*?\*/", "", read(HEADER), flags=re.S)
    constants = re.findall(r"\b(MEMFD_\w+) =", text)
    constants += re.findall(r"^#define (MEMFD_\w+) \S", text, re.M)
    return constants, re.findall(r"^\t(memfd_\w+);", read(MAP), re.M)


def by_c(constants):
    lines = "".join(f'P({name})' for name in constants)
    write(
        "values.c",
        "#include <memfd.h>\n#include <stdio.h>\n"
        '#define P(n) printf("%s %lld\\n", #n, (long long)n);\n'
        f"int main(void) {{ {lines} return 0; }}\n",
    )
    run("cc", "-I", INCLUDE, "-o", "values", "values.c")
    return run("./values")


def by_bindgen(constants, functions):
    run("bindgen", HEADER, "-o", "memfd.rs", "--no-prepend-enum-name")
    write(
        "main.rs",
        "#[allow(dead_code, non_camel_case_types)]\nmod memfd;\nfn main() {\n"
        + "".join(f'    println!("{n} {{}}", memfd::{n} as i64);\n' for n in constants)
        + "".join(f"    assert!(memfd::{n} as usize != 0);\n" for n in functions)
        + "}\n",
    )
    run("rustc", "-o", "rust", "main.rs", "-L", LIB, "-l", "memfd")
    return run("./rust", env={**os.environ, "LD_LIBRARY_PATH": LIB})


def by_cffi(constants, functions):
    try:
        from cffi import FFI
    except ImportError:
        print("cffi is missing")
        sys.exit(77)
    ffi = FFI()
    # The preprocessor takes macros out; cffi reads those with a plain value.
    macros = re.findall(r"^#define MEMFD_\w+ \w+$", read(HEADER), re.M)
    ffi.cdef(run("cc", "-std=c99", "-E", "-P", HEADER) + "\n".join(macros))
    library = ffi.dlopen(os.path.join(LIB, "libmemfd.so.1"))
    for name in functions:
        assert ffi.typeof(getattr(library, name)).kind == "function", name
    return "".join(f"{name} {getattr(library, name)}\n" for name in constants)


def by_swig(constants, functions):
    import sysconfig

    python = sysconfig.get_path("include")
    if not os.path.exists(os.path.join(python, "Python.h")):
        print("Python.h is missing")
        sys.exit(77)
    write(
        "memfd.i",
        "%module memfd\n%{\n#include <memfd.h>\n%}\n%include <memfd.h>\n",
    )
    run("swig", "-python", "-I" + INCLUDE, "memfd.i")
    run("cc", "-shared", "-fPIC", "-I", INCLUDE, "-I", python, "-L", LIB,
        "-Wl,-rpath," + LIB, "-o", "_memfd.so", "memfd_wrap.c", "-lmemfd")
    sys.path.insert(0, WORK)
    import memfd

    for name in functions:
        assert callable(getattr(memfd, name)), name
    return "".join(f"{name} {getattr(memfd, name)}\n" for name in constants)


def main():
    constants, functions = names()
    assert constants and functions
    expected = by_c(constants)
    seen = globals()["by_" + READER](constants, functions)
    print(f"by C:\n{expected}by {READER}:\n{seen}")
    assert seen == expected
    print(f"{len(constants)} constants, {len(functions)} functions")


main()
