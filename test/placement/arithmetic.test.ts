/** Exact numbers: decimals as integers, capacities that compare as fractions do, text and doubles. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { CfsError } from '../../src/core/errors.js';
import { integerWeights, MAX_WEIGHT, type Ratio, toDouble, twoDigits } from '../../src/core/placement/arithmetic.js';
import { Capacity } from '../../src/core/placement/capacity.js';

const compare = (a: Ratio, b: Ratio): number => {
  const difference = a.num * b.den - b.num * a.den;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

const weight = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 0, max: 5000 }).map((n) => n / 1000),
  fc.constantFrom(
    0.1,
    0.2,
    0.3,
    0.30000000000000004,
    1e-7,
    5e-324,
    1.754198233149094e-308,
    MAX_WEIGHT,
    MAX_WEIGHT - 1,
    2 ** 52,
  ),
  fc.double({ min: 0, max: 1000, noNaN: true }),
  fc.double({ min: 0, max: 2 ** -1021, noNaN: true }),
);

describe('integer weights', () => {
  it('are the decimals as they are written, in one unit', () => {
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 12 }), (weights) => {
        const { values, total, unit } = integerWeights(weights);
        let sum = 0n;
        weights.forEach((written, i) => {
          const value = BigInt(values[i] as number | bigint);
          sum += value;
          assert.equal(toDouble({ num: value * unit.num, den: unit.den }), written);
        });
        assert.equal(total, sum);
      }),
      { numRuns: 500 },
    );
  });

  it('make 0.1 and 0.2 together equal 0.3', () => {
    const { values } = integerWeights([0.1, 0.2, 0.3]);
    assert.deepEqual([...values], [1, 2, 3]);
  });

  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -0.1]) {
    it(`refuse ${bad}`, () => {
      assert.throws(
        () => integerWeights([1, bad]),
        (error) => error instanceof CfsError && error.code === 'BAD_VALUE',
      );
    });
  }
});

describe('numbers for people', () => {
  it('are rounded half away from zero to two digits', () => {
    const cases: [bigint, bigint, string][] = [
      [-16125n, 1000n, '-16.13'],
      [16125n, 1000n, '16.13'],
      [16124999n, 1000000n, '16.12'],
      [-1n, 201n, '0.00'],
      [-1n, 200n, '-0.01'],
      [0n, 7n, '0.00'],
      [10n ** 40n, 3n, `${'3'.repeat(40)}.33`],
    ];
    for (const [num, den, text] of cases) assert.equal(twoDigits({ num, den }), text);
  });

  it('are the nearest doubles', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: 1e-200, max: 1e200 }),
        fc.bigInt(1n, 10n ** 30n),
        (x, k) => {
          // Every double of this size is a ratio with a power of two; widened by any factor it must come back as itself.
          let den = 1n;
          let y = x;
          while (!Number.isInteger(y)) {
            y *= 2;
            den *= 2n;
          }
          assert.equal(toDouble({ num: BigInt(y) * k, den: den * k }), x);
          assert.equal(toDouble({ num: -BigInt(y) * k, den: den * k }), -x);
        },
      ),
    );
    // Halfway between two doubles, and a hair above: 2^53 + 1 and the same with a fraction.
    const half = 2n ** 53n + 1n;
    assert.equal(toDouble({ num: half, den: 1n }), 2 ** 53);
    assert.equal(toDouble({ num: half * 10n ** 30n + 1n, den: 10n ** 30n }), 2 ** 53 + 2);
  });
});

describe('remaining capacity', function () {
  this.timeout(60_000);

  const lists = fc.tuple(
    fc.array(weight, { minLength: 1, maxLength: 6 }),
    fc.array(weight, { minLength: 1, maxLength: 8 }),
    fc.infiniteStream(fc.nat(100)),
  );

  it('compares, differs and sums exactly as the fractions do, whether held in doubles or in bigints', () => {
    const kinds = new Set<boolean>();
    fc.assert(
      fc.property(lists, ([nodes, volumes, stream]) => {
        const capacity = new Capacity(nodes, volumes);
        kinds.add(capacity.big);
        const [ns, vs] = [integerWeights(nodes), integerWeights(volumes)];
        const W = ns.total === 0n ? 1n : ns.total;
        const loads = nodes.map(() => 0n);
        const remaining = capacity.empty.slice();
        volumes.forEach((_, v) => {
          const n = (stream.next().value as number) % nodes.length;
          loads[n] = (loads[n] as bigint) + BigInt(vs.values[v] as number | bigint);
          remaining[n] = (remaining[n] as number) - (capacity.weight[v] as number);
        });
        const truth = nodes.map(
          (_, n): Ratio => ({
            num: (BigInt(ns.values[n] as number | bigint) * vs.total - W * (loads[n] as bigint)) * vs.unit.num,
            den: W * vs.unit.den,
          }),
        );
        let imbalance = 0n;
        truth.forEach((a, n) => {
          const own = remaining[n] as number;
          assert.equal(compare(capacity.exact(own), a), 0);
          assert.equal(capacity.text(own), twoDigits(a));
          assert.equal(capacity.value(own), toDouble(a));
          assert.equal(own > 0, a.num > 0n);
          imbalance += a.num < 0n ? -a.num : a.num;
          truth.forEach((b, m) => {
            const other = remaining[m] as number;
            assert.equal(own > other ? 1 : own < other ? -1 : 0, compare(a, b));
            volumes.forEach((__, v) => {
              const w = { num: BigInt(vs.values[v] as number | bigint) * vs.unit.num * W, den: W * vs.unit.den };
              const less = compare(w, { num: a.num - b.num, den: a.den }) < 0;
              assert.equal((capacity.weight[v] as number) < own - other, less);
            });
          });
        });
        assert.equal(compare(capacity.imbalance(remaining), { num: imbalance, den: W * vs.unit.den }), 0);
      }),
      { numRuns: 1500 },
    );
    assert.equal(kinds.size, 2);
  });
});
