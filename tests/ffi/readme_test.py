#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every snippet of the README's section on other languages is cut from a file
here, which the suite runs: each paragraph of it, in order, indentation aside.
Prints TAP.

Usage: readme_test.py README.md
"""

import pathlib
import re
import sys

SUFFIXES = {
    "python": ".py",
    "js": ".js",
    "rust": ".rs",
    "go": ".go",
    "java": ".java",
    "perl": ".pl",
    "ruby": ".rb",
}


def is_cut_from(snippet, text):
    at = 0
    for paragraph in re.split(r"\n{2,}", snippet.strip("\n")):
        lines = [re.escape(line.strip()) for line in paragraph.split("\n")]
        found = re.compile(
            "^[ \t]*" + "\n[ \t]*".join(lines) + "$", re.MULTILINE
        ).search(text, at)
        if not found:
            return False
        at = found.end()
    return True


def main(readme):
    text = pathlib.Path(readme).read_text()
    section = re.search(
        r"^## From other languages\n(.*?)(?=^## |\Z)", text, re.M | re.S
    )
    snippets = re.findall(
        r"^```(\w+)\n(.*?)^```$", section[1] if section else "", re.M | re.S
    )
    here = pathlib.Path(__file__).parent
    failed = len(snippets) < 5
    for number, (language, snippet) in enumerate(snippets, 1):
        files = here.glob("*" + SUFFIXES.get(language, "!"))
        names = [f.name for f in files if is_cut_from(snippet, f.read_text())]
        failed |= not names
        print(
            f"{'ok' if names else 'not ok'} {number} - the README's {language}",
            f"is from {names[0]}" if names else "is in no file here",
        )
    enough = "ok" if len(snippets) >= 5 else "not ok"
    print(f"{enough} {len(snippets) + 1} - the README has five snippets")
    print(f"1..{len(snippets) + 1}")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
