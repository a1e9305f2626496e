/**
 * Remaining capacities as exact integers.
 *
 * RC(n) = weight(n) * V / W - load(n), with volume weights as integers. Dividing weight(n) * V by W gives a whole part q
 * and a remainder r, 0 <= r < W, that never change; so RC(n) = (q - load) + r / W, and the order of two capacities is that
 * of their whole parts and then of their remainders. Only the *rank* of the remainder counts, hence the amount
 *
 *     (q - load) * M + rank        with M distinct remainders, rank 0 for remainder 0
 *
 * compares exactly as RC does: with each other, with 0, and its differences with a volume's weight (w * M). That needs
 * integers up to V * M, where M is at most the number of nodes + 1 and never more than W; the specification's
 * weight(n) * V - W * load needs V * W. Doubles are used while 4 * V * M < 2^53, else bigints.
 */
import { EXACT, integerWeights, type Ratio, toDouble, twoDigits } from './arithmetic.js';

/**
 * A capacity or a weight in the unit above. In a `Capacity` that is `big` it is a bigint posing as a number: only
 * + - and comparisons are used on amounts, and those are the same for both. Never mix in a literal, except to compare.
 */
export type Amount = number;

/** A list of amounts: doubles, or bigints posing. */
export type Amounts = Float64Array;

export class Capacity {
  /** Amounts are bigints. */
  readonly big: boolean;
  /** Amount of every node when it has no volume, by node index. */
  readonly empty: Amounts;
  /** Amount of every volume's weight, by volume index. */
  readonly weight: Amounts;
  private readonly modulus: Amount;
  /** Remainder of each node, and the remainders by rank. */
  private readonly remainder: bigint[];
  private readonly byRank: bigint[];
  private readonly whole: bigint[];
  /** W, or 1 where W is 0. */
  private readonly divisor: bigint;
  private readonly unit: Ratio;
  private readonly totals: { nodes: Ratio; volumes: Ratio };

  /**
   * @param nodeWeights weights of the active nodes
   * @param volumeWeights weights of the active volumes, those on no node included
   * @throws CfsError BAD_VALUE for a weight that is no weight
   */
  constructor(nodeWeights: readonly number[], volumeWeights: readonly number[]) {
    const nodes = integerWeights(nodeWeights);
    const volumes = integerWeights(volumeWeights);
    const W = nodes.total;
    this.divisor = W === 0n ? 1n : W;
    this.unit = volumes.unit;
    this.totals = { nodes: times(nodes.unit, W), volumes: times(volumes.unit, volumes.total) };
    this.whole = [];
    this.remainder = [];
    for (const value of nodes.values) {
      const share = BigInt(value) * volumes.total;
      this.whole.push(share / this.divisor);
      this.remainder.push(share % this.divisor);
    }
    this.byRank = [...new Set([0n, ...this.remainder])].sort((a, b) => (a < b ? -1 : 1));
    const rank = new Map(this.byRank.map((remainder, index) => [remainder, index]));
    const M = BigInt(this.byRank.length);
    this.big = 4n * volumes.total * M >= EXACT;
    const empty = this.whole.map((whole, n) => whole * M + BigInt(rank.get(this.remainder[n] as bigint) as number));
    if (this.big) {
      this.modulus = pose(M);
      this.empty = poseAll(empty);
      this.weight = poseAll(Array.from(volumes.values as Iterable<number | bigint>, (value) => BigInt(value) * M));
      return;
    }
    this.modulus = Number(M);
    this.empty = Float64Array.from(empty, Number);
    const modulus = this.modulus;
    this.weight = Float64Array.from(volumes.values as ArrayLike<number | bigint>, (value) => Number(value) * modulus);
  }

  /** A list of `length` zero amounts. */
  amounts(length: number): Amounts {
    return this.big ? poseAll(new Array<bigint>(length).fill(0n)) : new Float64Array(length);
  }

  get zero(): Amount {
    return this.big ? pose(0n) : 0;
  }

  /** An amount of remaining capacity as an exact number in weight units. */
  exact(amount: Amount): Ratio {
    const rank = this.rankOf(amount);
    const whole = BigInt(amount - rank) / BigInt(this.modulus);
    const num = whole * this.divisor + (this.byRank[Number(rank)] as bigint);
    return { num: num * this.unit.num, den: this.divisor * this.unit.den };
  }

  /** Ideal capacity of node `n`, exact, in weight units. */
  ideal(n: number): Ratio {
    const num = (this.whole[n] as bigint) * this.divisor + (this.remainder[n] as bigint);
    return { num: num * this.unit.num, den: this.divisor * this.unit.den };
  }

  /** What node `n` carries when its remaining capacity is `amount`, exact, in weight units. */
  load(n: number, amount: Amount): Ratio {
    const units = (BigInt(this.empty[n] as Amount) - BigInt(amount)) / BigInt(this.modulus);
    return times(this.unit, units);
  }

  /** A sum of volume weights, exact, in weight units. */
  weightSum(amount: Amount): Ratio {
    return times(this.unit, BigInt(amount) / BigInt(this.modulus));
  }

  /** V and W in weight units. */
  get volumeWeight(): Ratio {
    return this.totals.volumes;
  }
  get nodeWeight(): Ratio {
    return this.totals.nodes;
  }

  /** The imbalance: the sum of |RC| over all nodes, exact, in weight units. */
  imbalance(remaining: Amounts): Ratio {
    let wholes = this.zero;
    let parts = 0n;
    for (let n = 0; n < remaining.length; n++) {
      const amount = remaining[n] as Amount;
      const rank = this.rankOf(amount);
      const part = this.byRank[Number(rank)] as bigint;
      if (amount > 0) {
        wholes += amount - rank;
        parts += part;
      } else {
        wholes -= amount - rank;
        parts -= part;
      }
    }
    const num = (BigInt(wholes) / BigInt(this.modulus)) * this.divisor + parts;
    return { num: num * this.unit.num, den: this.divisor * this.unit.den };
  }

  /** RC as two digits after the point, rounded half away from zero. */
  text(amount: Amount): string {
    return this.shortText(amount) ?? twoDigits(this.exact(amount));
  }

  /** `text` in doubles, where they are exact: 100,000 placement records hold two of these each. */
  private shortText(amount: Amount): string | null {
    if (this.big) return null;
    const rank = this.rankOf(amount);
    const den = Number(this.divisor * this.unit.den);
    const num =
      (((amount - rank) / this.modulus) * Number(this.divisor) + Number(this.byRank[rank])) * Number(this.unit.num);
    const twice = Math.abs(num) * 200 + den;
    // Also true of NaN, which numbers too large for doubles end in.
    if (!(twice < EXACT)) return null;
    const hundredths = (twice - (twice % (2 * den))) / (2 * den);
    const text = String(hundredths).padStart(3, '0');
    return `${num < 0 && hundredths > 0 ? '-' : ''}${text.slice(0, -2)}.${text.slice(-2)}`;
  }

  private rankOf(amount: Amount): Amount {
    const M = this.modulus;
    return ((amount % M) + M) % M;
  }

  /** The difference of two remaining capacities as text, as `text` does. */
  gapText(larger: Amount, smaller: Amount): string {
    const a = this.exact(larger);
    return twoDigits({ num: a.num - this.exact(smaller).num, den: a.den });
  }

  /** RC as the nearest double. */
  value(amount: Amount): number {
    return toDouble(this.exact(amount));
  }
}

function times(unit: Ratio, count: bigint): Ratio {
  return { num: unit.num * count, den: unit.den };
}

function pose(value: bigint): Amount {
  return value as unknown as Amount;
}

function poseAll(values: bigint[]): Amounts {
  return values as unknown as Amounts;
}
