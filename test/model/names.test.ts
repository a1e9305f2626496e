import assert from 'node:assert/strict';
import fc from 'fast-check';
import { foldCase, MAX_NAME_BYTES, naturalCompare, parseName, quoteName } from '../../src/core/model/names.js';
import { refusal } from '../kit/memory.js';

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('a', 'Z', '0', '1', '9', '10', 'é', 'e\u0301', '\u{1f600}', '.', '-') }),
);

describe('a name', () => {
  it('that is taken is in NFC, within bounds, and stands for itself', () => {
    let taken = 0;
    fc.assert(
      fc.property(anyText, (text) => {
        let name: string;
        try {
          name = parseName('node', text);
        } catch {
          return;
        }
        taken++;
        assert.equal(name, text.normalize('NFC'));
        assert.equal(parseName('node', name), name);
        assert.ok(Buffer.byteLength(name) <= MAX_NAME_BYTES);
        assert.doesNotMatch(name, /[\u0000-\u001f\u007f/:#,=~]|^[.-]/);
      }),
      { numRuns: 1000 },
    );
    assert.ok(taken > 100, `${taken}`);
  });

  it('has at most 80 bytes, counted in UTF-8', () => {
    assert.equal(parseName('node', 'x'.repeat(80)).length, 80);
    assert.equal(parseName('node', 'é'.repeat(40)).length, 40);
    refusal(() => parseName('node', 'x'.repeat(81)), 'BAD_NAME', /longer than 80 bytes/);
    refusal(() => parseName('node', '\u{1f600}'.repeat(21)), 'BAD_NAME', /longer than 80 bytes/);
  });

  it('of a group is folded so that letter case and Unicode form do not count', () => {
    assert.equal(foldCase('CA'), foldCase('ca'));
    assert.equal(foldCase('CAFE\u0301'), foldCase('caf\u00e9'));
  });

  it('in a message holds nothing that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.doesNotMatch(quoteName(text), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
    );
    assert.ok(quoteName('x'.repeat(10_000_000)).length < 200);
  });
});

describe('natural order', () => {
  it('reads digits as numbers, and puts them before anything else', () => {
    const sorted = ['1', '2', '10a', '010', 'a', 'v1', 'v01', 'v2', 'v9', 'v10', 'v10a', 'vol', '\uffff', '\u{1f600}'];
    const shuffled = [...sorted].sort();
    assert.deepEqual(shuffled.sort(naturalCompare), sorted);
  });

  it('is a total order on names', () => {
    const name = anyText.map((text) => text.normalize('NFC'));
    fc.assert(
      fc.property(name, name, name, (a, b, c) => {
        assert.equal(naturalCompare(a, b) === 0, a === b);
        assert.equal(Math.sign(naturalCompare(a, b)) + Math.sign(naturalCompare(b, a)), 0);
        if (naturalCompare(a, b) <= 0 && naturalCompare(b, c) <= 0) assert.ok(naturalCompare(a, c) <= 0);
      }),
      { numRuns: 1000 },
    );
  });
});
