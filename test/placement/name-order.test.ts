/** Sort keys of names: plain string order of the keys is the natural order of the names. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { naturalCompare } from '../../src/core/model/names.js';
import { codePointKey, compareStrings, naturalKey, sortNames } from '../../src/core/placement/name-order.js';

const piece = fc.constantFrom(
  'a',
  'b',
  'Z',
  '-',
  ' ',
  '/',
  ':',
  '0',
  '00',
  '1',
  '9',
  '10',
  '007',
  'é',
  '\ud7ff',
  '\ue000',
  '\uffff',
  '😀',
  '𐀀',
);
const name = fc.array(piece, { maxLength: 7 }).map((parts) => parts.join('').normalize('NFC'));

describe('natural keys', function () {
  this.timeout(60_000);

  it('sort as naturalCompare does', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        assert.equal(Math.sign(compareStrings(naturalKey(a), naturalKey(b))), Math.sign(naturalCompare(a, b)));
      }),
      { numRuns: 20_000 },
    );
  });

  it('put numbers in order of value, the shorter of equal ones first', () => {
    const sorted = ['n', 'n1', 'n1a', 'n01', 'n2', 'n10', 'n10b', 'na', '😀'];
    assert.deepEqual(sortNames(sorted.toReversed()), sorted);
  });
});

describe('code point keys', function () {
  this.timeout(60_000);

  it('sort by code point, not by UTF-16 unit', () => {
    const codePoints = (text: string): number[] => Array.from(text, (c) => c.codePointAt(0) as number);
    fc.assert(
      fc.property(name, name, (a, b) => {
        const [left, right] = [codePoints(a), codePoints(b)];
        let expected = left.length - right.length;
        for (let i = Math.min(left.length, right.length) - 1; i >= 0; i--) {
          if (left[i] !== right[i]) expected = (left[i] as number) - (right[i] as number);
        }
        assert.equal(Math.sign(compareStrings(codePointKey(a), codePointKey(b))), Math.sign(expected));
      }),
      { numRuns: 5000 },
    );
  });
});
