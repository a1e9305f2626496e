import assert from 'node:assert/strict';
import fc from 'fast-check';
import { didYouMean, editDistance, suggest } from '../../src/core/model/suggest.js';

describe('suggest', () => {
  it('finds the nearest name, whatever the letter case', () => {
    assert.equal(suggest('engneering', ['sales', 'engineering', 'Engine']), 'engineering');
    assert.equal(suggest('NODE1', ['node2', 'node1']), 'node1');
    assert.equal(suggest('ndoe', ['mode', 'node']), 'node');
  });

  it('finds nothing where nothing is near', () => {
    assert.equal(suggest('x', ['engineering']), null);
    assert.equal(suggest('', ['engineering']), null);
    assert.equal(didYouMean('x', [], 'See cfs node list.'), 'See cfs node list.');
  });

  it('looks at a bounded number of names, however many there are', () => {
    let looked = 0;
    function* endless(): Iterable<string> {
      for (;;) yield `volume${looked++}`;
    }
    suggest('volumeX123456789', endless());
    assert.ok(looked <= 20_001, `${looked}`);
  });

  it('is not slowed down by a name of ten million characters', () => {
    const started = process.cpuUsage();
    suggest('x'.repeat(10_000_000), ['y'.repeat(1_000_000), 'node1']);
    assert.ok(process.cpuUsage(started).user < 500_000);
  });
});

describe('edit distance', () => {
  it('counts a swap of neighbours as one edit', () => {
    assert.equal(editDistance('ab', 'ba', 3), 1);
    assert.equal(editDistance('abc', 'abd', 3), 1);
    assert.equal(editDistance('', 'abc', 3), 3);
  });

  it('is zero for equal words only, the same both ways, and no more than the edits made', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, fc.nat(8), fc.string({ maxLength: 1 }), (a, b, at, extra) => {
        assert.equal(editDistance(a, b, 20) === 0, a === b);
        assert.equal(editDistance(a, b, 20), editDistance(b, a, 20));
        assert.ok(editDistance(a, a.slice(0, at) + extra + a.slice(at), 20) <= extra.length);
        const full = editDistance(a, b, 20);
        assert.equal(editDistance(a, b, 2), Math.min(full, 3));
      }),
    );
  });
});
