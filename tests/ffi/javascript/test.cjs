// SPDX-License-Identifier: MIT
'use strict';

// What memfd.cjs promises, and the transcript in ../expected.

const assert = require('node:assert');
const fs = require('node:fs');
const test = require('node:test');
const { Worker, isMainThread, workerData } = require('node:worker_threads');
const memfd = require('./memfd.cjs');
const { Flag, Seal } = memfd;

const long = 'x'.repeat(250);
const descriptors = () => fs.readdirSync('/proc/self/fd').length;

// A thread of the last test: an error, a thousand times.
if (!isMainThread) {
  const [name, argument, errno] = workerData;
  for (let i = 0; i < 1000; i++) assert.throws(() => memfd[name](argument), { errno });
  return;
}

// What went wrong, without the code before it and the call after it.
function reason(action, ...args) {
  try {
    action(...args);
  } catch (error) {
    return error.message.replace(/^E\w+: |, \w+$/g, '');
  }
  throw new Error('should have been refused');
}

test('the transcript', () => {
  const lines = [];
  memfd.use(memfd.new('buf', Flag.ALLOW_SEALING), (buf) => {
    lines.push(`wrote: ${fs.writeSync(buf, 'hello')} bytes`);
    lines.push(`unsealed: ${reason(memfd.checkSeals, buf, 'immutable')}`);
    memfd.seal(buf, 'seal,immutable');
    // Linux 6.3 and later add Seal.EXEC by themselves.
    const seals = memfd.getSeals(buf) & ~Seal.EXEC;
    lines.push(`seals: ${memfd.formatSeals(seals)}`);
    memfd.checkSeals(buf, Seal.IMMUTABLE);
    lines.push('immutable: yes');
    lines.push(`write: ${reason(fs.writeSync, buf, 'again')}`);
    lines.push(`new: ${reason(memfd.new, 'buf', 'allow-sealing,sparkling')}`);
    lines.push(`seal: ${reason(memfd.seal, buf, 'write|frozen')}`);
  });
  lines.push(`stdin: ${reason(memfd.checkSeals, 0, 'immutable')}`);
  memfd.use(memfd.newSealed('greeting', Buffer.from('hello, world')), (greeting) => {
    lines.push(`sealed: ${fs.readFileSync(greeting, 'utf8')}`);
  });
  // Node.js writes the system's messages in lower case.
  const expected = fs.readFileSync('../expected', 'utf8').toLowerCase();
  assert.equal(`${lines.join('\n')}\n`.toLowerCase(), expected);
});

test('the constants are those of the library', () => {
  for (const [name, value] of Object.entries(Flag)) assert.equal(memfd.parseFlags(name), value);
  for (const [name, value] of Object.entries(Seal)) assert.equal(memfd.parseSeals(name), value);
});

test('what the transcript leaves out', () => {
  memfd.use(memfd.newSized('name', 1, '0'), () => {});
  memfd.use(memfd.newSized('name', 5n, 'grow', Flag.EXEC), (fd) => {
    assert.equal(fs.fstatSync(fd).mode & 0o777, 0o777);
    memfd.seal({ fd }, Seal.SHRINK);
    memfd.checkSeals({ fd }, Seal.GROW | Seal.SHRINK);
    for (const max of [undefined, 5])
      memfd.use(memfd.newSealedCopy('name', fd, max), (copy) => {
        memfd.checkSeals(copy, 'immutable');
        assert.equal(fs.readFileSync(copy, 'latin1'), '\0'.repeat(5));
      });
    assert.throws(() => memfd.newSealedCopy('name', fd, 4), { code: 'EFBIG' });
  });
  const bytes = Uint8Array.of(9, 1, 0, 2).subarray(1);
  for (const data of [bytes, Buffer.from(bytes), new DataView(bytes.buffer, 1)])
    memfd.use(memfd.newSealed('name', data), (fd) => {
      assert.deepEqual([...fs.readFileSync(fd)], [1, 0, 2]);
    });
  assert.equal(memfd.parseSeals(''), 0);
  assert.equal(memfd.formatSeals(0x48), 'write,0x40');
  assert.equal(memfd.formatSeals(1 << 31), '0x80000000');
});

test('errors', () => {
  for (const [error, name, ...args] of [
    [{ message: 'data is not a Buffer' }, 'newSealed', 'name', 'text'],
    [TypeError, 'newSealed', 'name', 5],
    [TypeError, 'new', 5],
    [TypeError, 'new', 'name', 1.5],
    [TypeError, 'new', 'name', null],
    [TypeError, 'seal', 0],
    [TypeError, 'seal', '0', 8],
    [TypeError, 'newSized', 'name', '5'],
    [RangeError, 'new', 'a\0b'],
    [RangeError, 'new', 'name', 'exec\0x'],
    [RangeError, 'seal', 0, ', '],
    [RangeError, 'new', 'name', 2 ** 32],
    [RangeError, 'seal', 2 ** 32, 8],
    [RangeError, 'formatSeals', 2 ** 32],
    [RangeError, 'newSized', 'name', -1],
    [RangeError, 'newSized', 'name', 2n ** 64n],
    [{ code: 'EFBIG' }, 'newSized', 'name', 2 ** 63],
    [RangeError, 'newSealedCopy', 'name', 0, -1],
    [{ message: 'invalid flag: spärkling' }, 'parseFlags', 'exec|spärkling exec'],
    [{ message: 'invalid seal: frozen' }, 'seal', 0, 'write\tfrozen'],
    [{ code: 'EBADF', errno: -9, syscall: 'memfd_get_seals' }, 'getSeals', -1],
  ])
    assert.throws(() => memfd[name](...args), error, `${name} ${args}`);
});

test('nothing is left open', () => {
  const text = Buffer.from('text');
  const stop = () => assert.fail();
  const before = descriptors();
  for (let i = 0; i < 1000; i++) {
    assert.throws(() => memfd.new(long), { code: 'EINVAL' });
    assert.throws(() => memfd.newSized('name', 1, 0x40000000), { code: 'EINVAL' });
    assert.throws(() => memfd.newSealed('name', text, Flag.HUGETLB), { code: 'EINVAL' });
    assert.throws(() => memfd.newSealedCopy('name', 0), { code: 'ESPIPE' });
    assert.throws(() => memfd.use(memfd.new('name'), stop), assert.AssertionError);
  }
  assert.equal(descriptors(), before);
});

test('each thread has its own errno', async () => {
  const run = (workerData) =>
    new Promise((resolve, reject) => {
      const worker = new Worker(__filename, { workerData });
      worker.on('error', reject).on('exit', resolve);
    });
  const done = [run(['getSeals', -1, -9]), run(['new', long, -22])];
  assert.deepEqual(await Promise.all(done), [0, 0]);
});
