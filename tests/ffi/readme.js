// SPDX-License-Identifier: MIT
const assert = require('node:assert');
const fs = require('node:fs');
const util = require('node:util');
const koffi = require('koffi');

const newSealed = koffi.load('libmemfd.so.1').func('memfd_new_sealed_str', 'int',
  ['str', 'str', 'void *', 'size_t']);
const data = Buffer.from('hello, world');
const fd = newSealed('greeting', '', data, data.length);
if (fd < 0)
  throw new Error(util.getSystemErrorName(-koffi.errno()));

assert.deepEqual(fs.readFileSync(fd), data);
assert.throws(() => fs.writeSync(fd, 'again'), { code: 'EPERM' });
