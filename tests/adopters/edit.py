# SPDX-License-Identifier: MIT
"""Changes to another project's files by the names of what is in them, so that
none of its lines is here and its next version still works."""
import json
import re
from pathlib import Path

from suite import call


class Edited:
    """A file, written back when the `with` block ends."""

    def __init__(self, path):
        self.path = Path(path)

    def __enter__(self):
        self.lines = self.path.read_text().splitlines(keepends=True)
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self._write()

    def _write(self):
        self.path.write_text(''.join(self.lines))

    def _definition(self, name):
        """The lines of a function, structure or macro, and that of its name."""
        self._write()
        tags = [json.loads(line) for line in call(
            'ctags', '--language-force=C', '--kinds-C=fsd', '--fields=+ne',
            '--output-format=json', '-f', '-', self.path).splitlines()]
        found = [tag for tag in tags if tag['name'] == name]
        if len(found) != 1 or 'end' not in found[0]:
            raise LookupError(f'{self.path.name}: {name} is defined '
                              f'{len(found)} times')
        first = named = found[0]['line'] - 1
        # The type of what a function returns may have a line of its own.
        while re.match(r'\w[\w\s*]*$', self.lines[first - 1]):
            first -= 1
        return first, named, found[0]['end']

    def take_out(self, *names):
        """Functions, structures or macros, with the comment right above."""
        for name in names:
            first, _, end = self._definition(name)
            if self.lines[first - 1].rstrip().endswith('*/'):
                while not self.lines[first - 1].lstrip().startswith('/*'):
                    first -= 1
                first -= 1
            while first and not self.lines[first - 1].strip() and \
                    end < len(self.lines) and not self.lines[end].strip():
                end += 1
            del self.lines[first:end]

    def rename(self, name, new):
        """A function in its definition: who calls it calls another one."""
        _, named, _ = self._definition(name)
        self.lines[named] = re.sub(rf'\b{name}\b', new, self.lines[named])

    def publish(self, *names):
        """Static functions, for the file that stands in for their caller."""
        for name in names:
            first, named, _ = self._definition(name)
            for line in range(first, named + 1):
                self.lines[line] = re.sub(r'\bstatic\s+', '', self.lines[line])

    def unifdef(self, *macros, inside=None):
        """Decide what is conditional on macros, which are given as for
        unifdef(1): everywhere, or inside one function."""
        first, end = 0, len(self.lines)
        if inside:
            first, _, end = self._definition(inside)
        part = self.path.with_suffix('.part')
        part.write_text(''.join(self.lines[first:end]))
        # With -x 2 the status is 0 whether it changed anything or not.
        call('unifdef', '-x', '2', *macros, '-o', part, part)
        kept = part.read_text().splitlines(keepends=True)
        part.unlink()
        if kept == self.lines[first:end]:
            raise LookupError(f'{self.path.name}: nothing depends on '
                              f'{" ".join(macros)}')
        self.lines[first:end] = kept

    def drop(self, pattern):
        """The one line that matches."""
        del self.lines[self._line(pattern)]

    def _line(self, pattern):
        found = [n for n, line in enumerate(self.lines)
                 if re.search(pattern, line)]
        if len(found) != 1:
            raise LookupError(f'{self.path.name}: {pattern} is in '
                              f'{len(found)} lines')
        return found[0]

    def insert(self, after, *new):
        """Lines for a build file, after the one line that matches."""
        at = self._line(after)
        indent = re.match(r'\s*', self.lines[at])[0]
        self.lines[at + 1:at + 1] = [f'{indent}{line}\n' for line in new]

    def extend(self, pattern, new):
        """Text for a build file, right after what matches in one line."""
        at = self._line(pattern)
        self.lines[at] = re.sub(pattern, lambda match: match[0] + new,
                                self.lines[at])


def changed(before, after):
    """The numbers of lines that went and came between two trees."""
    output = call('sh', '-c', 'diff -urN "$0" "$1" || [ $? -eq 1 ]',
                  before, after)
    lines = [line[0] for line in output.splitlines()
             if line[:1] in '+-' and line[:4] not in ('--- ', '+++ ')]
    return lines.count('-'), lines.count('+')
