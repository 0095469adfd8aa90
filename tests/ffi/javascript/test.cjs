// SPDX-License-Identifier: MIT
'use strict';

// What memfd.cjs promises.

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

test('the constants are those of the library', () => {
  for (const [name, value] of Object.entries(Flag)) assert.equal(memfd.parseFlags(name), value);
  for (const [name, value] of Object.entries(Seal)) assert.equal(memfd.parseSeals(name), value);
});

test('the whole interface', () => {
  for (const flags of [Flag.ALLOW_SEALING | Flag.EXEC, 'exec|allow-sealing'])
    memfd.use(memfd.new('name', flags), (fd) => {
      assert.equal(fs.fstatSync(fd).mode & 0o777, 0o777);
      memfd.seal(fd, Seal.GROW);
      memfd.seal({ fd }, 'shrink');
      assert.equal(memfd.getSeals(fd), Seal.GROW | Seal.SHRINK);
      memfd.checkSeals(fd, 'grow,shrink');
      memfd.checkSeals(fd, 6);
      const error = { code: 'EPERM', syscall: 'memfd_check_seals' };
      assert.throws(() => memfd.checkSeals(fd, Seal.WRITE), error);
    });
  memfd.use(memfd.newSized('name', 1, '0'), () => {});
  memfd.use(memfd.newSized('name', 5n, 'grow'), (sized) => {
    memfd.checkSeals(sized, Seal.GROW);
    for (const max of [undefined, 5])
      memfd.use(memfd.newSealedCopy('name', sized, max), (fd) => {
        memfd.checkSeals(fd, 'immutable');
        assert.equal(fs.readFileSync(fd, 'latin1'), '\0'.repeat(5));
      });
    assert.throws(() => memfd.newSealedCopy('name', sized, 4), { code: 'EFBIG' });
  });
  const bytes = Uint8Array.of(9, 1, 0, 2).subarray(1);
  for (const data of [bytes, Buffer.from(bytes), new DataView(bytes.buffer, 1)])
    memfd.use(memfd.newSealed('name', data), (fd) => {
      memfd.checkSeals(fd, Seal.IMMUTABLE | Seal.SEAL);
      assert.deepEqual([...fs.readFileSync(fd)], [1, 0, 2]);
    });
  assert.equal(memfd.parseFlags('exec, huge-2mb'), 0x54000014);
  assert.equal(memfd.parseSeals(''), 0);
  assert.equal(memfd.formatSeals(0x48), 'write,0x40');
  assert.equal(memfd.formatSeals(1 << 31), '0x80000000');
});

test('errors', () => {
  for (const [error, name, ...args] of [
    [{ message: 'data is not a Buffer' }, 'newSealed', 'name', 'text'],
    [TypeError, 'newSealed', 'name', 5],
    [TypeError, 'newSealed', 'name', null],
    [TypeError, 'new', 5],
    [TypeError, 'new', 'name', 1.5],
    [TypeError, 'new', 'name', null],
    [TypeError, 'seal', 0],
    [TypeError, 'seal', '0', 8],
    [TypeError, 'newSized', 'name', '5'],
    [RangeError, 'new', 'a\0b'],
    [RangeError, 'new', 'name', 'exec\0x'],
    [RangeError, 'seal', 0, ', '],
    [RangeError, 'checkSeals', 0, ''],
    [RangeError, 'new', 'name', 2 ** 32],
    [RangeError, 'seal', 2 ** 32, 8],
    [RangeError, 'formatSeals', 2 ** 32],
    [RangeError, 'newSized', 'name', -1],
    [RangeError, 'newSized', 'name', 2n ** 64n],
    [{ code: 'EFBIG' }, 'newSized', 'name', 2 ** 63],
    [RangeError, 'newSealedCopy', 'name', 0, -1],
    [{ message: 'invalid flag: spärkling' }, 'parseFlags', 'exec|spärkling exec'],
    [{ message: 'invalid seal: frozen' }, 'seal', 0, 'write\tfrozen'],
    [{ code: 'EBADF', errno: -9 }, 'getSeals', -1],
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
