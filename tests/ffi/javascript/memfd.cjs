// SPDX-License-Identifier: MIT
'use strict';

/**
 * libmemfd 1.0.0 for Node.js: memory files with safe defaults, and their seals.
 *
 * Copy this file into your project. It needs libmemfd.so.1, and koffi of npm.
 *
 * A new memfd is a descriptor, as from fs.openSync: use() closes it for you. A
 * parameter `file` is a descriptor, or an object that has one as its `fd`. Flags
 * and seals are numbers of Flag and Seal joined by |, or names:
 * 'allow-sealing,huge-2mb'.
 *
 * Every function throws an Error like those of node:fs (`code`, `errno` and
 * `syscall`) for what the manual page of the C function lists; RangeError for an
 * unknown name, a null byte, and a number that is negative or too large; and
 * TypeError for the wrong type, for example a string where bytes are due.
 *
 * @module memfd
 * @example
 * const fs = require('node:fs');
 * const memfd = require('./memfd.cjs');
 *
 * memfd.use(memfd.newSealed('greeting', Buffer.from('hello, world')), (fd) => {
 *   memfd.checkSeals(fd, 'immutable');
 *   console.log(fs.readFileSync(fd, 'utf8')); // hello, world
 * });
 */

const fs = require('node:fs');
const util = require('node:util');
const koffi = require('koffi');

/** Flags for a new memfd; see memfd_new(3). */
// prettier-ignore
const Flag = Object.freeze({
  CLOEXEC: 0x0001, ALLOW_SEALING: 0x0002, HUGETLB: 0x0004,
  NOEXEC_SEAL: 0x0008, EXEC: 0x0010, INHERIT: 0x02000000,
  HUGE_64KB: 0x40000004, HUGE_512KB: 0x4c000004, HUGE_1MB: 0x50000004,
  HUGE_2MB: 0x54000004, HUGE_8MB: 0x5c000004, HUGE_16MB: 0x60000004,
  HUGE_32MB: 0x64000004, HUGE_256MB: 0x70000004, HUGE_512MB: 0x74000004,
  HUGE_1GB: 0x78000004, HUGE_2GB: 0x7c000004, HUGE_16GB: 0x88000004,
});

/** Seals of a memfd; see memfd_seal(3). */
// prettier-ignore
const Seal = Object.freeze({
  SEAL: 0x01, SHRINK: 0x02, GROW: 0x04, WRITE: 0x08,
  FUTURE_WRITE: 0x10, EXEC: 0x20, IMMUTABLE: 0x0e,
});

let lib;
try {
  lib = koffi.load('libmemfd.so.1');
} catch (error) {
  const hint = 'install libmemfd, or add its folder to LD_LIBRARY_PATH';
  throw new Error(`${error.message}: ${hint}`);
}

const SIZE_MAX = 2n ** BigInt(8 * koffi.sizeof('size_t')) - 1n;

const functions = {};
for (const [name, parameters] of Object.entries({
  new: 'str, uint',
  new_sized: 'str, uint, size_t, uint',
  new_sealed: 'str, uint, void *, size_t',
  new_sealed_copy: 'str, uint, int, size_t',
  seal: 'int, uint',
  get_seals: 'int',
  check_seals: 'int, uint',
  format_seals: 'uint, _Out_ char *, size_t',
  parse_flags: 'str, _Out_ uint *, _Out_ size_t *',
  parse_seals: 'str, _Out_ uint *, _Out_ size_t *',
}))
  functions[name] = lib.func(`int memfd_${name}(${parameters})`);

function call(name, ...args) {
  const result = functions[name](...args);
  if (result >= 0) return result;
  const errno = -koffi.errno();
  const known = util.getSystemErrorMap().get(errno);
  const [code, text] = known ?? ['UNKNOWN', `errno ${-errno}`];
  const error = new Error(`${code}: ${text}, memfd_${name}`);
  throw Object.assign(error, { code, errno, syscall: `memfd_${name}` });
}

function integer(value, least, most) {
  if (typeof value !== 'bigint' && !Number.isInteger(value))
    throw new TypeError(`${util.inspect(value)} is not an integer`);
  if (value < least || value > most)
    throw new RangeError(`${value} is not from ${least} to ${most}`);
  return value;
}

function string(value) {
  if (typeof value !== 'string') throw new TypeError(`${util.inspect(value)} is not a string`);
  if (value.includes('\0')) throw new RangeError('null byte in a string');
  return value;
}

function parse(kind, names) {
  const [number, stop] = [[0], [0]];
  if (functions[`parse_${kind}s`](string(names), number, stop) === 0) return number[0];
  const rest = Buffer.from(names).subarray(stop[0]).toString();
  throw new RangeError(`invalid ${kind}: ${rest.split(/[,| \t-\r]/, 1)}`);
}

// Numbers joined by | are negative where bit 31 is set.
function bits(kind, value) {
  if (typeof value !== 'string') return Number(integer(value, -(2 ** 31), 2 ** 32 - 1)) >>> 0;
  const number = parse(kind, value);
  if (kind === 'seal' && !number && !value.includes('0')) throw new RangeError('no seal is named');
  return number;
}

// koffi would change a large Number.
const toSize = (size) => BigInt(integer(size, 0, SIZE_MAX));
const toFd = (file) => integer(file?.fd ?? file, -1, 0x7fffffff);
const toSeals = (seals) => bits('seal', seals);

const create = (kind, name, flags, ...more) =>
  call(kind, string(name), bits('flag', flags), ...more);

module.exports = {
  Flag,
  Seal,

  /** Creates an empty memfd. */
  new: (name, flags = 0) => create('new', name, flags),

  /** Creates a memfd of size zero bytes, and adds seals. */
  newSized: (name, size, seals = 0, flags = 0) =>
    create('new_sized', name, flags, toSize(size), toSeals(seals)),

  /** Creates a memfd with the bytes of a Buffer or view; it can never change. */
  newSealed(name, data, flags = 0) {
    if (!ArrayBuffer.isView(data)) throw new TypeError('data is not a Buffer');
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    return create('new_sealed', name, flags, bytes, bytes.length);
  },

  /**
   * Creates a memfd with a copy of a file; it can never change. More than max
   * bytes are EFBIG: set it if the file comes from somebody else.
   */
  newSealedCopy: (name, file, max = SIZE_MAX, flags = 0) =>
    create('new_sealed_copy', name, flags, toFd(file), toSize(max)),

  /** Adds seals: all of them or, on error, none. */
  seal: (file, seals) => void call('seal', toFd(file), toSeals(seals)),

  /** Returns the seals. To verify a file that you received, use checkSeals. */
  getSeals: (file) => call('get_seals', toFd(file)),

  /** Throws unless all the given seals are set; others may be, too. */
  checkSeals: (file, seals) => void call('check_seals', toFd(file), toSeals(seals)),

  /** Converts names to a number of Flag. */
  parseFlags: (names) => parse('flag', names),

  /** Converts names to a number of Seal; no name is no seal. */
  parseSeals: (names) => parse('seal', names),

  /** Converts seals to names: 'shrink,grow'. */
  formatSeals(seals) {
    const text = Buffer.alloc(128);
    const length = call('format_seals', toSeals(seals), text, text.length);
    return text.toString('latin1', 0, length);
  },

  /** Calls action(fd), and closes fd, also if action throws; for no async function. */
  use(fd, action) {
    try {
      return action(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
};
