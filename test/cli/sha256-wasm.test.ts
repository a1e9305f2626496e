import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { assemble } from '../../scripts/sha256-wasm.js';
import { sha256Small } from '../../src/core/store/sha256-wasm.js';

const expected = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('the checksum without node:crypto', () => {
  it('gives what node:crypto gives for every length around a block and around its buffer', () => {
    for (const size of [0, 1, 31, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 4096, 64511, 64512, 64513, 200_000]) {
      const bytes = new Uint8Array(size).map((_, i) => (i * 31 + size) & 255);
      assert.equal(sha256Small(bytes), expected(bytes), `${size} bytes`);
    }
  });

  it('gives what node:crypto gives for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
        assert.equal(sha256Small(bytes), expected(bytes));
      }),
    );
  });

  it('is the module that scripts/sha256-wasm.ts assembles', async () => {
    const { readFileSync } = await import('node:fs');
    const source = readFileSync(new URL('../../src/core/store/sha256-wasm.ts', import.meta.url), 'utf8');
    const written = [...source.matchAll(/^ {2}'([A-Za-z0-9+/=]+)'/gm)].map((match) => match[1]).join('');
    assert.equal(written, assemble().toString('base64'));
  });
});
