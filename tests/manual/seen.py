#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
seen.py SOURCE PROGRAM...

Errors and system calls: the header and the manual name those that are seen in
the unit tests, the PROGRAMs, and no others.
"""

import errno
import os
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True  # leave the source folder as it is
sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
import tap  # noqa: E402

source = pathlib.Path(sys.argv[1])
functions = tap.functions(source / 'src/libmemfd.map')

# The kernel gives these, where a plain test cannot bring it to. The functions
# pass on whatever it answers, which tests/unit/calls.c tries.
NOT_SEEN = {
    # vm.memfd_noexec, limits of the system, a kernel that lacks something.
    'memfd_new': 'EACCES ENFILE ENODEV ENOENT ENOMEM ENOSYS',
    # No memory; and another process of the same user that comes in between.
    'memfd_new_sized': 'EBUSY EPERM',
    'memfd_new_sealed': 'EBUSY ENOMEM ENOSPC EPERM',
}


def in_header(function):
    """What its comment says after "Errors:", and of which other functions."""
    comment = re.search(rf'/\*\*\n((?: \*.*\n)+) \*/\nint {function}\(',
                        (source / 'include/memfd.h').read_text())[1]
    said = re.search(r'[Ee]rrors: (.*?)(\n \*\n|$)', comment, re.S)
    plain = re.sub(r'\([^()]*(\([^()]*\)[^()]*)*\)', '', said[1] if said else '')
    return re.findall(r'\bE[A-Z0-9]+\b', plain), \
        re.findall(r'memfd_\w+', plain.replace('\n *', ''))


def items(page):
    """Of ERRORS, for each item: its numbers, and the functions that it is for:
    those that it names, or the sentence before the list, or all of the page."""
    section = re.search(r'^\.Sh ERRORS\n(.*?)^\.Sh ', page, re.S | re.M)
    scope = every = re.findall(r'^\.Nm (memfd_\w+)', page, re.M)
    named = []
    for kind, what, own in re.findall(
            r'^\.(Bl -tag|El|Fn|It Bq Er)(.*)\n(?:\.Pq (Fn .*))?',
            section[1] if section else '', re.M):
        if kind == 'Bl -tag':
            scope = named or every
        elif kind == 'Fn':
            named.append(what.strip())
        elif kind == 'El':
            named = []
        else:
            yield re.findall(r'E\w+', what), \
                re.findall(r'memfd_\w+', own) or scope


def in_manual():
    """Errors and others, by function, and the items of all pages."""
    found = {function: (set(), []) for function in functions}
    every = []
    for path in sorted((source / 'src/man').glob('*.3')):
        page = path.read_text()
        others = re.findall(r'errors of\n\.Xr (memfd_\w+) 3', page)
        for function in re.findall(r'^\.Nm (memfd_\w+)', page, re.M):
            found[function][1].extend(others)
        for errors, scope in items(page):
            every += [(error, scope) for error in errors]
            for function in scope:
                found[function][0].update(errors)
    return found, every


def whole(said, function):
    """With those of the functions that it refers to."""
    errors, others = said[function]
    return {*errors}.union(*(whole(said, other) for other in others))


def diagnostics(page):
    """Of the list in section 7: (error, function)"""
    for item in re.findall(r'^\.It (Er .*)', page, re.M):
        for function in re.findall(r'Fn (memfd_\w+)', item):
            for error in re.findall(r'\bE[A-Z]+\b', item):
                yield function, error


def system_calls(page):
    """Of the list for sandboxes: each call, and the functions that its item
    names."""
    found = re.search(r'^\.It Fn memfd_create name flags\n.*?^\.El', page,
                      re.S | re.M)
    for calls, text in re.findall(r'^\.It ([^\n]*)\n(.*?)(?=^\.(?:It|El))',
                                  found[0] if found else '', re.S | re.M):
        for call in re.findall(r'Fn (fcntl fd \w+|\w+)', calls):
            yield call.replace(' fd', ''), {*re.findall(r'(memfd_\w+) 3', text)}


def run(program):
    """What it prints."""
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL,
                          env={**os.environ, 'SAW': '1'})
    tap.result(f'{os.path.basename(program)}_passes', done.returncode)
    return done.stdout


manual, every = in_manual()
header = {function: in_header(function) for function in functions}
output = ''.join(map(run, sys.argv[2:]))
# (function, error, or None for success) and (function, system call)
seen = {(function, errno.errorcode.get(int(number))) for function, number in
        re.findall(r'^saw (\w+) (\d+)$', output, re.M)}
made = {*re.findall(r'^made (\w+) (.*)$', output, re.M)}
not_seen = {(function, error) for function, errors in NOT_SEEN.items()
            for error in errors.split()}

tap.none('header_and_manual_give_the_same_errors',
         (f'{function}: {error} is in one of them only'
          for function in functions
          for error in whole(manual, function) ^ whole(header, function)))
tap.none('every_error_that_is_seen_is_documented',
         (f'{function}: {error}' for function, error in seen
          if error and error not in whole(manual, function)))
tap.none('every_error_that_is_documented_is_seen',
         (f'{" or ".join(scope)}: {error}' for error, scope in every
          if not (seen | not_seen) & {(function, error) for function in scope}))
tap.none('every_error_that_cannot_be_seen_is_documented',
         (f'{function}: {error}' for function, error in not_seen
          if error not in whole(manual, function)))
tap.none('every_function_is_seen_to_succeed_and_to_fail',
         (f'{function}: {"fails" if fails else "succeeds"} in no test'
          for function in functions for fails in (False, True)
          if not any(name == function and bool(error) == fails
                   for name, error in seen)))

section_7 = '\n'.join(page.read_text()
                      for page in sorted((source / 'src/man').glob('*.7')))
tap.none('diagnostics_are_errors_of_the_functions',
         (f'{function}: {error}' for function, error in diagnostics(section_7)
          if error not in whole(manual, function)))
listed = dict(system_calls(section_7))
makers = {call: {function for function, other in made if other == call}
          for _, call in made}
tap.none('every_system_call_is_listed_and_no_other', {*listed} ^ {*makers})
# Those of memfd_new are made by all that create.
of_new = {call for call, by in makers.items() if 'memfd_new' in by}
tap.none('system_calls_are_made_by_the_functions_that_are_named',
         (f'{call}: by {function}' for call, by in makers.items()
          for named in [listed.get(call, by)] if named
          for function in named ^ by if function in named or
          call not in of_new or not function.startswith('memfd_new_')))
tap.finish()
