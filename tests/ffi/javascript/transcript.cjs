// SPDX-License-Identifier: MIT
'use strict';

// The transcript in ../expected, from Node.js.

const fs = require('node:fs');
const memfd = require('./memfd.cjs');
const { Flag, Seal } = memfd;

// What went wrong, without the code before it and the call after it.
function reason(action) {
  try {
    action();
  } catch (error) {
    return error.message.replace(/^E\w+: |, \w+$/g, '');
  }
  throw new Error('should have been refused');
}

memfd.use(memfd.new('buf', Flag.ALLOW_SEALING), (buf) => {
  console.log(`wrote: ${fs.writeSync(buf, 'hello')} bytes`);
  memfd.seal(buf, 'seal,immutable');
  // Linux 6.3 and later add Seal.EXEC by themselves.
  const seals = memfd.getSeals(buf) & ~Seal.EXEC;
  console.log('seals:', memfd.formatSeals(seals));
  memfd.checkSeals(buf, Seal.IMMUTABLE);
  console.log('immutable: yes');
  const sparkling = () => memfd.new('buf', 'allow-sealing,sparkling');
  console.log(
    'write:',
    reason(() => fs.writeSync(buf, 'again')),
  );
  console.log('new:', reason(sparkling));
  console.log(
    'seal:',
    reason(() => memfd.seal(buf, 'write|frozen')),
  );
});

// Node.js has no pipe(2) of its own; the runner gives one as standard input.
console.log(
  'pipe:',
  reason(() => memfd.checkSeals(0, 'immutable')),
);

memfd.use(memfd.new('unsealed'), (unsealed) => {
  const check = () => memfd.checkSeals(unsealed, 'immutable');
  console.log('unsealed:', reason(check));
});

const data = Buffer.from('hello, world');
memfd.use(memfd.newSealed('greeting', data), (greeting) => {
  console.log('sealed:', fs.readFileSync(greeting, 'utf8'));
});
