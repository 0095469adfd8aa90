// SPDX-License-Identifier: MIT
// libmemfd from Node.js, with koffi of npm.
'use strict';

const fs = require('node:fs');
const util = require('node:util');
const koffi = require('koffi');

const lib = koffi.load('libmemfd.so.1');

// A function that throws where C returns -1, with the errno as fs has it.
function declare(prototype) {
  const call = lib.func(prototype);
  return (...args) => {
    const result = call(...args);
    if (result < 0) {
      const [code, reason] = util.getSystemErrorMap().get(-koffi.errno());
      throw Object.assign(new Error(`${code}: ${reason}`), { code });
    }
    return result;
  };
}

const memfd = {
  new: declare('int memfd_new(const char *name, uint flags)'),
  seal: declare('int memfd_seal(int fd, uint seals)'),
  getSeals: declare('int memfd_get_seals(int fd)'),
  newSealed: declare('int memfd_new_sealed_str(const char *name, ' +
    'const char *flags, const void *data, size_t size)'),
  checkSeals: declare('int memfd_check_seals_str(int fd, const char *seals)'),
  formatSeals:
    declare('int memfd_format_seals(uint seals, _Out_ char *buf, size_t size)'),
  parse: {
    flag: lib.func('int memfd_parse_flags(const char *names, ' +
      '_Out_ uint *flags, _Out_ size_t *stop)'),
    seal: lib.func('int memfd_parse_seals(const char *names, ' +
      '_Out_ uint *seals, _Out_ size_t *stop)'),
  },
};

function parse(kind, text) {
  const number = [0];
  const end = [0];
  if (memfd.parse[kind](text, number, end) < 0) {
    const [word] = text.slice(end[0]).match(/^[^,|\s]*/);
    throw new RangeError(`invalid ${kind}: ${word}`);
  }
  return number[0];
}

function formatSeals(seals) {
  const text = Buffer.alloc(128);
  const length = memfd.formatSeals(seals, text, text.length);
  return text.toString('latin1', 0, length);
}

// What went wrong, without the code before it and the call after it.
function reason(action) {
  try {
    action();
  } catch (error) {
    if (error.code) {
      return error.message.replace(/^\w+: |, \w+$/g, '');
    }
    return error.message;
  }
  throw new Error('should have been refused');
}

const fd = memfd.new('buf', parse('flag', 'allow-sealing'));
console.log(`wrote: ${fs.writeSync(fd, 'hello')} bytes`);
memfd.seal(fd, parse('seal', 'seal,immutable'));
// Linux 6.3 and later add "exec" by themselves.
const seals = memfd.getSeals(fd) & ~parse('seal', 'exec');
console.log(`seals: ${formatSeals(seals)}`);
memfd.checkSeals(fd, 'immutable');
console.log('immutable: yes');

console.log('write:', reason(() => fs.writeSync(fd, 'again')));
console.log('new:', reason(() => parse('flag', 'allow-sealing,sparkling')));
console.log('seal:', reason(() => parse('seal', 'write|frozen')));
fs.closeSync(fd);

// Node.js has no pipe(2) of its own; the runner gives one as standard input.
console.log('pipe:', reason(() => memfd.checkSeals(0, 'immutable')));

const unsealed = memfd.new('unsealed', 0);
console.log('unsealed:', reason(() => memfd.checkSeals(unsealed, 'immutable')));
fs.closeSync(unsealed);

const data = Buffer.from('hello, world');
const greeting = memfd.newSealed('greeting', null, data, data.length);
console.log('sealed:', fs.readFileSync(greeting, 'utf8'));
fs.closeSync(greeting);
