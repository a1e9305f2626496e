/** Decimal weights as integers, and exact ratios of integers as text and as doubles. */
import { CfsError } from '../errors.js';

/** Largest weight of a node or volume (spec/rebalance.md section 1). */
export const MAX_WEIGHT = Number.MAX_SAFE_INTEGER;

/** Below this, sums and differences of integers held in doubles are exact. */
export const EXACT = 2 ** 53;

/** An exact number: numerator / denominator, denominator > 0. */
export interface Ratio {
  readonly num: bigint;
  readonly den: bigint;
}

/** Weights as integers: weight = value * unit. */
export interface IntegerWeights {
  /** Doubles holding integers, or bigints when a value or the sum needs more than 53 bits. */
  readonly values: Float64Array | bigint[];
  readonly total: bigint;
  readonly unit: Ratio;
}

function decimalPlaces(value: number): number {
  if (Number.isInteger(value)) return 0;
  const text = String(value);
  const e = text.indexOf('e');
  const mantissa = e < 0 ? text : text.slice(0, e);
  const point = mantissa.indexOf('.');
  const digits = point < 0 ? 0 : mantissa.length - point - 1;
  return e < 0 ? digits : Math.max(0, digits - Number(text.slice(e + 1)));
}

/** The integer value * 10^places, where places is at least what the shortest decimal form of value needs. */
function scaleExactly(value: number, places: number): bigint {
  const [mantissa = '0', exponent = '0'] = String(value).split('e');
  const [whole = '0', fraction = ''] = mantissa.split('.');
  return BigInt(whole + fraction) * 10n ** BigInt(places - fraction.length + Number(exponent));
}

function gcdOfNumbers(values: Float64Array): number {
  let gcd = 0;
  for (let value of values) {
    while (value !== 0) [gcd, value] = [value, gcd % value];
    if (gcd === 1) break;
  }
  return gcd;
}

function gcdOfBigints(values: readonly bigint[]): bigint {
  let gcd = 0n;
  for (let value of values) {
    while (value !== 0n) [gcd, value] = [value, gcd % value];
    if (gcd === 1n) break;
  }
  return gcd;
}

function smallIntegers(weights: readonly number[], places: number): Float64Array | null {
  const values = new Float64Array(weights.length);
  // Ten to the 22nd is the largest power of ten that a double holds exactly.
  if (places > 22) return null;
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] as number;
    let value = weight * 10 ** places;
    // Rounding is certain to find the scaled integer only while the error of the product stays below one half.
    if (value < 2 ** 50) value = Math.round(value);
    else if (places > 0) return null;
    sum += value;
    if (sum >= EXACT) return null;
    values[i] = value;
  }
  return values;
}

/**
 * Scales decimals to integers by the smallest power of ten that fits all, then divides by their common divisor (which
 * keeps byte counts and the like small; it changes no comparison). The decimal meant is the shortest one that reads back
 * as the double, so that 0.1 and 0.2 together equal 0.3.
 * @throws CfsError BAD_VALUE for a weight that is negative, not finite or above 2^53 - 1
 */
export function integerWeights(weights: readonly number[]): IntegerWeights {
  let places = 0;
  for (const weight of weights) {
    if (!(weight >= 0 && weight <= MAX_WEIGHT)) {
      throw new CfsError('BAD_VALUE', `${weight} is not a weight`, {
        hint: 'A weight is a decimal number from 0 to 9007199254740991.',
      });
    }
    if (!Number.isInteger(weight)) places = Math.max(places, decimalPlaces(weight));
  }
  const scale = 10n ** BigInt(places);
  const small = smallIntegers(weights, places);
  if (small !== null) {
    const gcd = gcdOfNumbers(small) || 1;
    let total = 0;
    for (let i = 0; i < small.length; i++) total += small[i] = (small[i] as number) / gcd;
    return { values: small, total: BigInt(total), unit: { num: BigInt(gcd), den: scale } };
  }
  const scaled = weights.map((weight) => scaleExactly(weight, places));
  const gcd = gcdOfBigints(scaled) || 1n;
  const values = scaled.map((value) => value / gcd);
  const total = values.reduce((sum, value) => sum + value, 0n);
  return { values, total, unit: { num: gcd, den: scale } };
}

/** The double nearest to the ratio (ties to even). */
export function toDouble({ num, den }: Ratio): number {
  if (num < 0n) return -toDouble({ num: -num, den });
  if (num < EXACT && den < EXACT) return Number(num) / Number(den);
  if (num << 1022n < den) return toSubnormal(num, den);
  // A quotient of at least 66 bits, its lowest bit also standing for the remainder, rounds as the ratio itself does.
  const shift = Math.max(0, 66 + den.toString(2).length - num.toString(2).length);
  const shifted = num << BigInt(shift);
  let quotient = shifted / den;
  if (quotient * den !== shifted) quotient |= 1n;
  const half = shift >> 1;
  return Number(quotient) / 2 ** half / 2 ** (shift - half);
}

/** Below 2^-1022 doubles are multiples of 2^-1074; rounding to 53 bits first would round twice. */
function toSubnormal(num: bigint, den: bigint): number {
  const scaled = num << 1074n;
  let units = scaled / den;
  const rest = 2n * (scaled - units * den);
  if (rest > den || (rest === den && (units & 1n) === 1n)) units += 1n;
  return Number(units) * 2 ** -1074;
}

/** Two digits after the point, rounded half away from zero; no negative zero. Exact. */
export function twoDigits({ num, den }: Ratio): string {
  const magnitude = num < 0n ? -num : num;
  const hundredths = (magnitude * 200n + den) / (2n * den);
  const text = hundredths.toString().padStart(3, '0');
  return `${num < 0n && hundredths > 0n ? '-' : ''}${text.slice(0, -2)}.${text.slice(-2)}`;
}
