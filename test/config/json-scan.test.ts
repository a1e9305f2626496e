import assert from 'node:assert/strict';
import fc from 'fast-check';
import { lineAndColumn, scanJson } from '../../src/core/config/json-scan.js';

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the scan of JSON', () => {
  it('finds nothing wrong with what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        assert.equal(scanJson(JSON.stringify(value, null, indent)), null);
      }),
    );
  });

  it('takes no text that JSON.parse refuses, but for what is inside strings', () => {
    // Strings are left to JSON.parse: here they hold nothing that it could refuse.
    const part = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '1',
      '-0.5e3',
      'true',
      'null',
      ' ',
      '\n',
      '.',
      '-',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const problem = scanJson(text);
        if (problem === null) assert.ok(parses(text), text);
        else if (parses(text)) assert.match(problem.says, /twice/);
      }),
      { numRuns: 2000 },
    );
  });

  it('finds a key that stands twice in one object, and not one in two objects', () => {
    assert.match(scanJson('{"a":{"b":1,"b":2}}')?.says ?? '', /the key "b" stands here twice/);
    assert.equal(scanJson('[{"a":1},{"a":{"a":2}}]'), null);
    assert.equal(scanJson('{"__proto__":1,"constructor":2}'), null);
  });

  it('counts lines and columns from one', () => {
    assert.deepEqual(lineAndColumn('ab\ncd', 0), { line: 1, column: 1 });
    assert.deepEqual(lineAndColumn('ab\ncd', 4), { line: 2, column: 2 });
  });
});
