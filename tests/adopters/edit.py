# SPDX-License-Identifier: MIT
"""Changes to another project's files by the names of what is in them, so that
none of its lines is here and its next version still works."""
import json
import re

from suite import call


class Edited:
    def __init__(self, path):
        self.path = path

    def _lines(self):
        return self.path.read_text().splitlines(keepends=True)

    def _definition(self, name):
        """The lines of a function, structure or macro."""
        tags = [json.loads(line) for line in call(
            'ctags', '--language-force=C', '--kinds-C=fsd', '--fields=+ne',
            '--output-format=json', '-f', '-', self.path).splitlines()]
        found = [tag for tag in tags if tag['name'] == name]
        if len(found) != 1 or 'end' not in found[0]:
            raise LookupError(f'{self.path.name}: {name} is defined '
                              f'{len(found)} times')
        first = found[0]['line'] - 1
        # The type of what a function returns may have a line of its own.
        lines = self._lines()
        while re.match(r'\w[\w\s*]*$', lines[first - 1]):
            first -= 1
        return first, found[0]['end']

    def take_out(self, *names):
        """Functions, structures or macros, with the comment right above."""
        for name in names:
            first, end = self._definition(name)
            lines = self._lines()
            if lines[first - 1].rstrip().endswith('*/'):
                while not lines[first - 1].lstrip().startswith('/*'):
                    first -= 1
                first -= 1
            while first and not lines[first - 1].strip() and \
                    end < len(lines) and not lines[end].strip():
                end += 1
            del lines[first:end]
            self.path.write_text(''.join(lines))

    def unifdef(self, *macros, inside=None):
        """Decide what is conditional on macros, which are given as for
        unifdef(1): everywhere, or inside one function."""
        lines = self._lines()
        first, end = self._definition(inside) if inside else (0, len(lines))
        part = self.path.with_suffix('.part')
        part.write_text(''.join(lines[first:end]))
        # With -x 2 the status is 0 whether it changed anything or not.
        kept = call('unifdef', '-x', '2', *macros, part)
        if kept == part.read_text():
            raise LookupError(f'{self.path.name}: nothing depends on '
                              f'{" ".join(macros)}')
        part.unlink()
        self.path.write_text(''.join([*lines[:first], kept, *lines[end:]]))

    def replace(self, pattern, new):
        """What matches, which is in one place."""
        text, times = re.subn(pattern, new, self.path.read_text(), flags=re.M)
        if times != 1:
            raise LookupError(f'{self.path.name}: {pattern} is there '
                              f'{times} times')
        self.path.write_text(text)

    def insert(self, after, new):
        """Text right after what matches in one place."""
        self.replace(after, lambda match: match[0] + new)
