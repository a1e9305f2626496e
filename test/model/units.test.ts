import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/core/model/units.js';
import { refusal } from '../kit/memory.js';

describe('durations', () => {
  it('are written with units that fall', () => {
    const examples: [string, number][] = [
      ['500ms', 500],
      ['30s', 30_000],
      ['1.5s', 1500],
      ['5m', 300_000],
      ['1h30m', 5_400_000],
      ['30d', 2_592_000_000],
      ['0s', 0],
    ];
    for (const [text, ms] of examples) assert.equal(parseDuration('timeout', text), ms);
  });

  it('are refused without a unit, with units out of order, negative or not finite', () => {
    for (const text of [
      '',
      '30',
      's',
      '-5s',
      '30m1h',
      '1s1s',
      '1.5h30m',
      '5 s',
      'NaN',
      'Infinity',
      '1e3s',
      '0.0001ms',
      '9'.repeat(30),
    ]) {
      refusal(
        () => parseDuration('lock.timeout', text),
        'BAD_VALUE',
        /^lock\.timeout cannot be .* it is not a duration$/,
      );
    }
  });

  it('come back exactly from their text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 45 }), (ms) =>
        assert.equal(parseDuration('x', formatDuration(ms)), ms),
      ),
    );
  });
});

describe('sizes', () => {
  it('are written in powers of 1024', () => {
    assert.equal(parseSize('size', '64KiB'), 65_536);
    assert.equal(parseSize('size', '10GiB'), 10 * 2 ** 30);
    assert.equal(parseSize('size', '512'), 512);
    assert.equal(formatSize(4 * 2 ** 20), '4MiB');
  });

  it('are refused in other units and beyond what is exact', () => {
    for (const text of ['', '64KB', '1.5GiB', '-1B', '9007199254740992', '9007199254740991TiB']) {
      refusal(() => parseSize('size', text), 'BAD_VALUE', /it is not a size/);
    }
  });

  it('come back exactly from their text', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert.equal(parseSize('x', formatSize(bytes)), bytes)));
  });
});
