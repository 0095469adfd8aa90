# SPDX-License-Identifier: MIT
"""Derive small changes from C source, token by token, as a mutation tool does:
another operator, another constant, a statement or a condition left out."""

import re

TOKEN = re.compile(r'''
    (?P<skip>\s+|/\*.*?\*/|^\#(?:\\\n|[^\n])*) | (?P<string>"(?:\\.|[^"])*") |
    (?P<char>'(?:\\.|[^'])*') | (?P<word>[A-Za-z_]\w*) |
    (?P<number>0x[0-9a-fA-F]+|\d+) |
    (?P<operator><<=|>>=|->|\+\+|--|&&|\|\||[-+*/|&<>=!]=|<<|>>|.)''',
    re.X | re.S | re.M)

OPERATORS = {
    '<': '<=', '<=': '<', '>': '>=', '>=': '>', '==': '!=', '!=': '==',
    '&&': '||', '||': '&&', '+': '-', '-': '+', '+=': '-=', '-=': '+=',
    '|': '&', '&': '|', '|=': '=', '~': '', '!': '', '++': '--', '--': '++',
    '<<': '>>', '>>=': '<<='}
WORDS = {
    'EINVAL': 'EPERM', 'EPERM': 'EINVAL', 'EFAULT': 'EINVAL', 'EFBIG': 'EPERM',
    'EIO': 'EINVAL', 'EINTR': 'EAGAIN', 'EBADF': 'EINVAL',
    'break': 'continue', 'continue': 'break',
    'PTHREAD_CANCEL_DISABLE': 'PTHREAD_CANCEL_ENABLE'}


class Mutant:
    """A change, and the text that it makes of the whole file."""

    def __init__(self, text, start, end, new):
        self.text = text[:start] + new + text[end:]
        # A change may span lines: the first one names it.
        begin = text.rfind('\n', 0, start) + 1
        self.was = text[begin:].split('\n', 1)[0].strip()
        self.now = self.text[begin:].split('\n', 1)[0].strip()
        functions = re.findall(r'^[A-Za-z][^\n;={]*?\b(\w+)\([^;]*?\)\n\{',
                               text[:start], re.M)
        self.where = functions[-1] if functions else 'table'

    def __str__(self):
        return f'{self.where}: {self.was} -> {self.now}'


def closing(tokens, at):
    """Where the parenthesis that opens at this token is closed."""
    depth = 0
    for place in range(at, len(tokens)):
        depth += {'(': 1, ')': -1}.get(tokens[place].group(), 0)
        if not depth:
            return place
    raise ValueError('parentheses do not match')


def statement(tokens, at):
    """Where the expression statement that begins here ends, or None."""
    before = tokens[at - 1].group() if at else ''
    word = tokens[at].group()
    if before not in ('{', '}', ';', ')', 'else', 'do') or \
            tokens[at].lastgroup not in ('word', 'operator') or \
            word in ('if', 'for', 'while', 'do', 'else', 'return', 'static',
                     'int', 'const', 'break', 'continue', '{', '}', ';', '=',
                     '#', '(', '?', ':', ','):
        return None
    depth = 0
    for place in range(at, len(tokens)):
        token = tokens[place].group()
        if token in '{}':
            return None
        depth += {'(': 1, ')': -1}.get(token, 0)
        if token == ';' and depth == 0:
            text = [t.group() for t in tokens[at:place]]
            # A declaration: two words in a row, or a type and a star.
            if len(text) > 1 and tokens[at + 1].lastgroup == 'word' or \
                    text[1:2] == ['*']:
                return None
            return place
    return None


def mutants(text):
    """Every change of the C source text."""
    tokens = [t for t in TOKEN.finditer(text) if t.lastgroup != 'skip']
    for at, token in enumerate(tokens):
        word, start, end = token.group(), token.start(), token.end()
        kind = token.lastgroup
        if kind == 'operator' and word in OPERATORS:
            yield Mutant(text, start, end, OPERATORS[word])
        elif kind == 'number':
            yield Mutant(text, start, end, hex(int(word, 0) + 1))
        elif kind == 'string' and len(word) > 2:
            yield Mutant(text, start, end, word[:-2] + '?"')
        elif word in WORDS:
            yield Mutant(text, start, end, WORDS[word])
        elif re.match(r'MEMFD_[A-Z]', word):
            yield Mutant(text, start, end, '0')
        elif word in ('if', 'while') and tokens[at + 1].group() == '(':
            stop = tokens[closing(tokens, at + 1)].start()
            for value in '01' if word == 'if' else '0':
                yield Mutant(text, tokens[at + 1].end(), stop, value)
        stop = statement(tokens, at)
        if stop:
            yield Mutant(text, start, tokens[stop].start(), '')
