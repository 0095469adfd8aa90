#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make small changes to src/, one at a time: a test has to fail for each.

mutate.py BUILD SOURCE MUTATIONS

The changed library is preloaded into the programs of the suite unit as BUILD
has them; those that contain its source are compiled anew. The first that fails
is enough.
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


def mutations(path):
    """Blocks of `@ FILE: what is changed`, `-old` lines, `+new` lines."""
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
        self.took = 0


class Build:
    def __init__(self, build, source):
        self.build, self.source = build, source
        self.compile, self.unchanged, units = {}, {}, {}
        entries = json.loads((build / "compile_commands.json").read_text())
        for entry in entries:
            file = (build / entry["file"]).resolve()
            command = shlex.split(entry["command"])
            # What is written beside the object would be the build's own.
            at = command.index("-MD")
            del command[at:at + 5]
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

    def cc(self, command, file, out):
        command = list(command)
        command[command.index("-o") + 1] = str(out)
        command[-1] = str(file)
        # What a change leaves unused is no reason to refuse it.
        return subprocess.run(command + ["-Wno-error", "-w"], cwd=self.build,
                              capture_output=True).returncode == 0

    def link(self, command, folder, *arguments):
        # A sanitizer or coverage counts here too.
        options = [word for word in command
                   if word.startswith(("-fsanitize", "--coverage"))]
        subprocess.run([command[0], *options, *map(str, arguments)],
                       cwd=folder, check=True, capture_output=True)

    def library(self, folder):
        """The library of the sources in folder; None where none comes out."""
        objects = []
        for name, command in self.compile.items():
            source = folder / "src" / name
            objects.append(folder / (name + ".o"))
            # syscalls.h is in all that memfd.c is.
            text = source.read_text() + (
                folder / "src" / "syscalls.h").read_text()
            if text in self.unchanged:
                objects[-1].write_bytes(self.unchanged[text])
            elif not self.cc(command, source, objects[-1]):
                return None
            elif len(self.unchanged) < len(self.compile):
                self.unchanged[text] = objects[-1].read_bytes()
        library = folder / "libmemfd.so.1"
        self.link(command, folder, "-shared", "-o", library, *objects,
                  "-Wl,-soname,libmemfd.so.1", "-Wl,-Bsymbolic-functions",
                  f"-Wl,--version-script={self.source}/src/libmemfd.map")
        return library

    def fails(self, test, library):
        folder = library.parent
        cmd = test.cmd
        if test.contains:
            source = pathlib.Path(test.contains[-1]).name
            cmd = [str(folder / test.name)]
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
            # Unchanged it took as long as this leaves room for ten times.
            status = process.wait(10 * test.took + 10 if test.took else None)
        except subprocess.TimeoutExpired:
            status = "timeout"
        # Children of a test that stopped half-way would stay.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        return status not in (0, 77)

    def caught_by(self, library):
        for test in self.tests:
            if self.fails(test, library):
                return test.name
        return None

    def sources(self, folder, file=None, old=None, new=None):
        ignore = shutil.ignore_patterns("man")
        shutil.copytree(self.source / "src", folder / "src", ignore=ignore)
        shutil.copytree(self.source / "tests" / "unit",
                        folder / "tests" / "unit")
        if not file:
            return None
        text = (folder / "src" / file).read_text()
        if text.count(old) != 1:
            return f"{text.count(old)} places like it in the source"
        (folder / "src" / file).write_text(text.replace(old, new))
        return None

    def measure(self):
        """Quick tests first; and none may fail for another reason."""
        with tempfile.TemporaryDirectory(prefix="mutate-") as name:
            self.sources(pathlib.Path(name))
            library = self.library(pathlib.Path(name))
            for test in self.tests:
                start = time.monotonic()
                if self.fails(test, library):
                    raise SystemExit(f"Bail out! {test.name} fails unchanged")
                test.took = time.monotonic() - start
        self.tests.sort(key=lambda test: test.took)

    def mutate(self, mutation):
        file, what, old, new = mutation
        with tempfile.TemporaryDirectory(prefix="mutate-") as name:
            folder = pathlib.Path(name)
            wrong = self.sources(folder, file, "\n".join(old), "\n".join(new))
            if wrong:
                return False, wrong
            library = self.library(folder)
            caught = self.caught_by(library) if library else "the compiler"
        # Only where it is meant to: else a slip of the pen would do.
        as_meant = (caught == "the compiler") == (
            what.endswith("(does not compile)"))
        return as_meant and caught is not None, f"caught by {caught}"


def main():
    build = Build(pathlib.Path(sys.argv[1]).resolve(),
                  pathlib.Path(sys.argv[2]).resolve())
    todo = mutations(pathlib.Path(sys.argv[3]))
    build.measure()
    for test in build.tests:
        print(f"# {test.name}: {test.took:.2f} s unchanged")
    print(f"1..{len(todo)}")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for n, (mutation, (good, said)) in enumerate(
                zip(todo, pool.map(build.mutate, todo)), 1):
            failed += not good
            print(f"{'' if good else 'not '}ok {n} - "
                  f"{mutation[0]}: {mutation[1]}: {said}", flush=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
