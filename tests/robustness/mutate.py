#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make small changes to src/, one at a time: a test has to fail for each.

mutate.py BUILD SOURCE MUTATIONS [TEST...]

The changed library is preloaded into the tests of tests/unit as BUILD has
them, and into the test programs given; it stops at the first that fails.
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


class Build:
    def __init__(self, build, source, tests):
        self.build, self.src = build, source / "src"
        entries = json.loads((build / "compile_commands.json").read_text())
        self.compile = {}
        for entry in entries:
            file = (build / entry["file"]).resolve()
            if file.parent == self.src and "libmemfd.so" in entry["output"]:
                self.compile[file.name] = (entry, shlex.split(entry["command"]))
        info = build / "meson-info" / "intro-tests.json"
        self.tests = []
        for test in json.loads(info.read_text()):
            if f"{os.sep}tests{os.sep}unit{os.sep}" in test["cmd"][0]:
                self.tests.append((test["name"], test["cmd"], test["env"]))
        for test in tests:
            self.tests.append((pathlib.Path(test).name, [test], {}))
        if not all(os.path.exists(cmd[0]) for _, cmd, _ in self.tests):
            subprocess.run(["ninja", "-C", build], check=True,
                           stdout=subprocess.DEVNULL)

    def library(self, folder):
        """The library of the sources in folder; None where none comes out."""
        objects = []
        for name, (entry, command) in self.compile.items():
            out = folder / (name + ".o")
            command = list(command)
            command[command.index("-o") + 1] = str(out)
            command[-1] = str(folder / name)
            if "-MF" in command:
                at = command.index("-MQ")
                del command[at:at + 4]
            objects.append(str(out))
            # Unused variables are no reason to refuse a change.
            if subprocess.run(command + ["-Wno-error", "-w"],
                              cwd=self.build, capture_output=True).returncode:
                return None
        library = folder / "libmemfd.so.1"
        link = [command[0], "-shared", "-o", str(library), *objects,
                "-Wl,-soname,libmemfd.so.1", "-Wl,-Bsymbolic-functions",
                f"-Wl,--version-script={self.src / 'libmemfd.map'}"]
        # Options such as a sanitizer's or --coverage count at the link too.
        link += [word for word in command if word.startswith(("-fsan", "--cov"))]
        subprocess.run(link, check=True, capture_output=True)
        return library

    def caught_by(self, library):
        for name, cmd, env in self.tests:
            process = subprocess.Popen(
                cmd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True,
                cwd=library.parent,
                env=os.environ | env | {"LD_PRELOAD": str(library)})
            try:
                status = process.wait(60)
            except subprocess.TimeoutExpired:
                status = "timeout"
            finally:
                # Children of a test that stopped half-way would stay.
                try:
                    os.killpg(process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                process.wait()
            if status not in (0, 77):
                return name
        return None

    def sources(self, folder, file=None, old=None, new=None):
        shutil.copytree(self.src, folder, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns("man"))
        if not file:
            return None
        text = (folder / file).read_text()
        if text.count(old) != 1:
            return f"{text.count(old)} places like it in the source"
        (folder / file).write_text(text.replace(old, new))
        return None

    def mutate(self, mutation):
        file, what, old, new = mutation
        with tempfile.TemporaryDirectory(prefix="mutate-") as name:
            folder = pathlib.Path(name)
            wrong = self.sources(folder, file, "\n".join(old), "\n".join(new))
            if wrong:
                return False, wrong
            library = self.library(folder)
            if not library:
                caught = "the compiler"
            else:
                caught = self.caught_by(library)
        # Only where it is meant to: else a slip of the pen would do.
        if (caught == "the compiler") != what.endswith("(does not compile)"):
            return False, f"caught by {caught}"
        return caught is not None, f"caught by {caught}"


def main():
    build = Build(pathlib.Path(sys.argv[1]).resolve(),
                  pathlib.Path(sys.argv[2]).resolve(), sys.argv[4:])
    todo = mutations(pathlib.Path(sys.argv[3]))
    with tempfile.TemporaryDirectory(prefix="mutate-") as name:
        folder = pathlib.Path(name)
        build.sources(folder)
        library = build.library(folder)
        took = {}
        for test in list(build.tests):
            build_tests, build.tests = build.tests, [test]
            start = time.monotonic()
            caught = build.caught_by(library)
            took[test[0]] = time.monotonic() - start
            build.tests = build_tests
            if caught:
                raise SystemExit(f"Bail out! {caught} fails unchanged")
        build.tests.sort(key=lambda test: took[test[0]])

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
