#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make small changes to src/, one at a time: a test has to fail for each.

The changes are those that mutants.py derives, and the mistakes in mistakes.py.
The file `survivors` lists the derived ones that change nothing which a test
could see, with the reason.

Each is made in a copy of the source, where the programs of the suite unit are
built and run until one fails. A change that does not compile, or to the same
library, is none.
"""

import collections
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent import futures

sys.dont_write_bytecode = True  # leave the source folder as it is

from mistakes import MISTAKES  # noqa: E402
from mutants import mutants  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "shared"))
import tap  # noqa: E402

TIMEOUT = 20  # seconds of a test that takes less than one
LIBRARY = "src/libmemfd.a"


class Test:
    def __init__(self, program):
        self.program, self.took = program, 1
        # How many changes of each file it has caught.
        self.caught = collections.Counter()

    def order(self, file):
        """The quickest way to an answer comes first."""
        return self.took / (1 + self.caught[file])


class Tree:
    """A copy of the source, and a folder to build it in."""

    def __init__(self, source, folder):
        for name in "src", "include", "tests":
            shutil.copytree(source / name, folder / name)
        for name in "meson.build", "meson_options.txt":
            shutil.copy(source / name, folder)
        self.source, self.build = folder, folder / "build"
        # Debugging information would make every change a difference.
        subprocess.run(
            ["meson", "setup", self.build, folder, "-Ddebug=false",
             "-Ddefault_library=static", "-Dtests=enabled"],
            check=True, capture_output=True)
        self.makes(LIBRARY)
        self.unchanged = (self.build / LIBRARY).read_bytes()

    def programs(self):
        info = self.build / "meson-info/intro-tests.json"
        for test in json.loads(info.read_text()):
            if test["suite"] == ["libmemfd:unit"]:
                yield pathlib.Path(test["cmd"][0]).relative_to(self.build)

    def makes(self, target):
        return subprocess.run(["ninja", "-C", self.build, target],
                              capture_output=True).returncode == 0

    def fails(self, test):
        if not self.makes(test.program):
            return False
        # A pipe: where 0 is taken for a new file, /dev/null would change its mode.
        process = subprocess.Popen(
            [self.build / test.program], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, cwd=self.build)
        try:
            status = process.wait(TIMEOUT * max(1, test.took))
        except subprocess.TimeoutExpired:
            status = "timeout"
        # Children of a test that stopped half-way would stay.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        return status not in (0, 77)

    def measure(self, tests):
        """How long each test takes after a change; and none may fail for
        another reason."""
        for test in tests:
            self.makes(test.program)
        for path in (self.source / "src").glob("*.c"):
            path.touch()
        self.makes(LIBRARY)
        for test in tests:
            start = time.monotonic()
            if self.fails(test):
                raise SystemExit(f"Bail out! {test.program} fails unchanged")
            test.took = time.monotonic() - start

    def caught_by(self, tests, file, text):
        """The name of the test that fails; None for a change that is none."""
        path = self.source / "src" / file
        before = path.read_text()
        path.write_text(text)
        try:
            if not self.makes(LIBRARY) or \
                    (self.build / LIBRARY).read_bytes() == self.unchanged:
                return None
            for test in sorted(tests, key=lambda test: test.order(file)):
                if self.fails(test):
                    test.caught[file] += 1
                    return test.program.name
            return "nothing"
        finally:
            path.write_text(before)


def changes(source):
    """What each is called, its file, what that then holds, and whether it is
    one of the list."""
    for file, mistakes in MISTAKES.items():
        text = (source / "src" / file).read_text()
        for what, old, new in mistakes:
            yield f"{file}: {what}", file, (
                text.replace(old, new) if text.count(old) == 1 else None), True
        for mutant in mutants(text):
            yield f"{file}: {mutant}", file, mutant.text, False


def main():
    source = HERE.parents[1]
    survivors = {line for line in (HERE / "survivors").read_text().splitlines()
                 if line and line[0] != "#"}
    trees = queue.SimpleQueue()
    none = 0
    seen = set()

    def run(change):
        _, file, text, _ = change
        if not text:
            return "no such place"
        tree = trees.get()
        try:
            return tree.caught_by(tests, file, text)
        finally:
            trees.put(tree)

    with tempfile.TemporaryDirectory(prefix="mutate-") as folder, \
            futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number in range(os.cpu_count()):
            tree = Tree(source, pathlib.Path(folder, str(number)))
            trees.put(tree)
        tests = [Test(program) for program in tree.programs()]
        tree.measure(tests)
        todo = list(changes(source))
        for (what, *_, listed), caught in zip(todo, pool.map(run, todo)):
            if caught is None and not listed:
                none += 1
            elif caught == "nothing" and what in survivors:
                seen.add(what)
            else:
                tap.result(f"{what}: caught by {caught}".replace("#", ""),
                           caught in (None, "nothing", "no such place"))
    for key in sorted(survivors - seen):
        tap.result(f"{key}: is in the list of survivors, and is none", True)
    tap.comment(f"{none} more do not compile, or to the same code, and "
                f"{len(seen)} cannot be seen")
    tap.finish()


if __name__ == "__main__":
    main()
