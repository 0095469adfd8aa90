#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make small changes to src/, one at a time: a test has to fail for each.

usage: mutate.py BUILD SOURCE MUTATIONS SURVIVORS

The changes are those that mutants.py derives, and those of the file MUTATIONS,
which were real mistakes or are larger. SURVIVORS lists the derived ones that
change nothing which a test could see, with the reason.

The changed library is preloaded into the programs of the suite unit as BUILD
has them; those that contain its source are compiled anew. The first that fails
is enough. A change that compiles to the same code, or not at all, is none.
"""

import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # leave the source folder as it is

from mutants import mutants  # noqa: E402

sys.path.append(os.path.join(os.path.dirname(__file__), '../shared'))
import tap  # noqa: E402

TIMEOUT = 20  # seconds of a test that takes less than one


def blocks(path):
    """Blocks of `@ FILE: what is wrong then`, `-old` lines, `+new` lines."""
    found = []
    for line in path.read_text().splitlines():
        if line.startswith("@ "):
            file, what = line[2:].split(": ", 1)
            found.append((file, what, [], []))
        elif line.startswith("-"):
            found[-1][2].append(line[1:])
        elif line.startswith("+"):
            found[-1][3].append(line[1:])
        elif line and not line.startswith("#"):
            raise SystemExit(f"Bail out! {path}: what is {line!r}?")
    return found


class Test:
    def __init__(self, name, cmd, env):
        self.name, self.cmd, self.env = name, cmd, env
        # How to compile one that contains src/memfd.c, instead of using it.
        self.contains = None
        self.took = 1
        # How many changes of each file it has caught.
        self.caught = {}

    def order(self, file):
        """The quickest way to an answer comes first."""
        return self.took / (1 + self.caught.get(file, 0))


class Build:
    def __init__(self, build, source):
        self.build, self.source = build, source
        self.compile, units = {}, {}
        entries = json.loads((build / "compile_commands.json").read_text())
        for entry in entries:
            file = (build / entry["file"]).resolve()
            command = shlex.split(entry["command"])
            # What is written beside the object would be the build's own.
            at = command.index("-MD")
            del command[at:at + 5]
            # Debugging information would make every change a difference.
            command.append("-g0")
            if file.parent == source / "src" and (
                    "libmemfd.so" in entry["output"]):
                self.compile[file.name] = command
            elif file.parent == source / "tests" / "unit":
                units["test-" + file.stem] = command
        self.tests = []
        info = build / "meson-info" / "intro-tests.json"
        for test in json.loads(info.read_text()):
            program = pathlib.Path(test["cmd"][0])
            if test["suite"] != ["libmemfd:unit"] or (
                    build not in program.parents):
                continue
            made = Test(program.name, test["cmd"], test["env"])
            self.tests.append(made)
            if made.name in units and "src/memfd.c" in subprocess.run(
                    units[made.name] + ["-MM", "-MF-"], cwd=build, check=True,
                    capture_output=True, text=True).stdout:
                made.contains = units[made.name]
        if not all(os.path.exists(test.cmd[0]) for test in self.tests):
            subprocess.run(["ninja", "-C", build], check=True,
                           stdout=subprocess.DEVNULL)
        self.unchanged = {}

    def cc(self, command, file, out):
        command = list(command)
        command[command.index("-o") + 1] = str(out)
        command[command.index("-c") + 1] = str(file)
        # What a change leaves unused is no reason to refuse it.
        return subprocess.run(command + ["-Wno-error", "-w"], cwd=self.build,
                              capture_output=True).returncode == 0

    def link(self, command, folder, *arguments):
        # A sanitizer or coverage counts here too.
        options = [word for word in command
                   if word.startswith(("-fsanitize", "--coverage"))]
        subprocess.run([command[0], *options, *map(str, arguments)],
                       cwd=folder, check=True, capture_output=True)

    def library(self, folder, changed):
        """The library of the sources in folder, of which these have changed;
        None where it is the same as without, or none comes out."""
        objects = []
        for name, command in self.compile.items():
            objects.append(folder / (name + ".o"))
            if name not in changed:
                objects[-1].write_bytes(self.unchanged[name])
            elif not self.cc(command, folder / "src" / name, objects[-1]):
                return None
            elif objects[-1].read_bytes() == self.unchanged.get(name):
                return None
        library = folder / "libmemfd.so.1"
        self.link(command, folder, "-shared", "-o", library, *objects,
                  "-Wl,-soname,libmemfd.so.1", "-Wl,-Bsymbolic-functions",
                  f"-Wl,--version-script={self.source}/src/libmemfd.map")
        return library

    def fails(self, test, library):
        folder = library.parent
        cmd = test.cmd
        if test.contains:
            at = test.contains.index("-c") + 1
            source = pathlib.Path(test.contains[at]).name
            cmd = [str(folder / test.name), *cmd[1:]]
            if not self.cc(test.contains, folder / "tests" / "unit" / source,
                           folder / (source + ".o")):
                return False
            self.link(test.contains, folder, "-o", cmd[0], source + ".o",
                      library, "-lcmocka", "-pthread")
        process = subprocess.Popen(
            cmd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True, cwd=folder,
            env=os.environ | test.env | {"LD_PRELOAD": str(library)})
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

    def sources(self, folder):
        ignore = shutil.ignore_patterns("man")
        for name in "src", "include", "tests/unit", "tests/proofs", "tests/shared":
            shutil.copytree(self.source / name, folder / name, ignore=ignore)

    def measure(self):
        """How long each test takes; and none may fail for another reason."""
        with tempfile.TemporaryDirectory(prefix="mutate-") as name:
            folder = pathlib.Path(name)
            self.sources(folder)
            library = self.library(folder, set(self.compile))
            for name in self.compile:
                self.unchanged[name] = (folder / (name + ".o")).read_bytes()
            for test in self.tests:
                start = time.monotonic()
                if self.fails(test, library):
                    raise SystemExit(f"Bail out! {test.name} fails unchanged")
                test.took = time.monotonic() - start

    def caught_by(self, file, text):
        """The name of the test that fails; None for a change that is none."""
        with tempfile.TemporaryDirectory(prefix="mutate-") as name:
            folder = pathlib.Path(name)
            self.sources(folder)
            (folder / "src" / file).write_text(text)
            # syscalls.h is in memfd.c.
            library = self.library(
                folder, {file} if file in self.compile else {"memfd.c"})
            if not library:
                return None
            for test in sorted(self.tests, key=lambda test: test.order(file)):
                if self.fails(test, library):
                    test.caught[file] = test.caught.get(file, 0) + 1
                    return test.name
        return "nothing"


def written(build, path):
    """The changes of the file: what each is called, and what it comes to."""
    for file, what, old, new in blocks(path):
        text = (build.source / "src" / file).read_text()
        old, new = "\n".join(old), "\n".join(new)
        yield f"{file}: {what}", file, (
            text.replace(old, new) if text.count(old) == 1 else None)


def derived(build):
    """The changes that mutants.py derives."""
    for file in build.compile:
        text = (build.source / "src" / file).read_text()
        for mutant in mutants(text):
            yield f"{file}: {mutant}", file, mutant.text


def main():
    build = Build(pathlib.Path(sys.argv[1]).resolve(),
                  pathlib.Path(sys.argv[2]).resolve())
    survivors = {line for line in pathlib.Path(
        sys.argv[4]).read_text().splitlines() if line and line[0] != "#"}
    by_hand = list(written(build, pathlib.Path(sys.argv[3])))
    by_tool = list(derived(build))
    build.measure()
    none = 0
    seen = set()

    def say(good, what):
        tap.result(what.replace('#', ''), not good)

    def run(change):
        what, file, text = change
        return build.caught_by(file, text) if text else "no such place"

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for (what, _, _), caught in zip(by_hand, pool.map(run, by_hand)):
            say(caught not in (None, "nothing", "no such place"),
                f"{what}: caught by {caught}")
        for (what, _, _), caught in zip(by_tool, pool.map(run, by_tool)):
            if caught is None:
                none += 1
            elif what in survivors and caught == "nothing":
                seen.add(what)
            else:
                say(caught != "nothing", f"{what}: caught by {caught}")
    for key in sorted(survivors - seen):
        say(False, f"{key}: is in the list of survivors, and is none")
    tap.comment(f"{none} more do not compile, or to the same code, and "
                f"{len(seen)} cannot be seen")
    tap.finish()


if __name__ == "__main__":
    main()
