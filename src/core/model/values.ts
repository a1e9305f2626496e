/**
 * The rules for single values of records: what may stand in a field. The schemas (checked at commit) and the operations
 * (checked at entry) use the same functions, so a rule is written once. Each gives null or what is allowed instead.
 */
import { CfsError } from '../errors.js';
import { quoteName } from './names.js';

/** Largest weight: the largest integer that a double holds exactly (spec/rebalance.md section 1). */
export const MAX_WEIGHT = Number.MAX_SAFE_INTEGER;
/**
 * Digits of a weight with a fraction. 15 significant decimal digits survive text -> double -> text unchanged, and 15 places keep
 * the scaled integers of the exact arithmetic small.
 */
const MAX_WEIGHT_DIGITS = 15;

export const MIN_UPDATE_INTERVAL_MS = 100;
export const MAX_UPDATE_INTERVAL_MS = 3_600_000;
export const MAX_DESCRIPTION_LENGTH = 500;
/** Most groups of a node, most domains of a node or volume: a typing aid, not a limit of the format. */
export const MAX_LIST = 1000;

/** Says what is allowed where a value is not; null where it is. */
export type Rule = (value: unknown) => string | null;

export const weightRule: Rule = (value) => {
  const allowed = `a weight is a decimal number from 0 to ${MAX_WEIGHT}, with at most ${MAX_WEIGHT_DIGITS} digits if it has a fraction`;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0 || value > MAX_WEIGHT) return allowed;
  if (Number.isInteger(value)) return null;
  const [mantissa, exponent = '0'] = String(value).split('e');
  const [whole = '', fraction = ''] = mantissa!.split('.');
  const significant = `${whole}${fraction}`.replace(/^0+/, '').length;
  const places = fraction.length - Number(exponent);
  return significant > MAX_WEIGHT_DIGITS || places > MAX_WEIGHT_DIGITS ? allowed : null;
};

export const thresholdRule: Rule = (value) =>
  typeof value === 'number' && value >= 0 && value <= 1 ? null : 'a threshold is a number from 0 to 1';

export const updateIntervalRule: Rule = (value) =>
  Number.isInteger(value) && (value as number) >= MIN_UPDATE_INTERVAL_MS && (value as number) <= MAX_UPDATE_INTERVAL_MS
    ? null
    : 'an update interval is from 100ms to 1h, in whole milliseconds';

/** How often a client refreshes a read-only mount at most. */
export const intervalRule: Rule = (value) =>
  Number.isInteger(value) && (value as number) >= 100 && (value as number) <= 86_400_000
    ? null
    : 'an interval is from 100ms to 24h, in whole milliseconds';

export const generationRule: Rule = (value) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? null : 'it is the number of a generation';

/** A time as records hold it. */
export const timeRule: Rule = (value) =>
  typeof value === 'string' && /^\d{4}-.{5,24}Z$/.test(value) && !Number.isNaN(Date.parse(value))
    ? null
    : 'it is a time (RFC 3339, UTC)';

export const booleanRule: Rule = (value) => (typeof value === 'boolean' ? null : 'it is true or false');

export const descriptionRule: Rule = (value) => {
  if (value === null) return null;
  const allowed = `a description is text of at most ${MAX_DESCRIPTION_LENGTH} characters on one line`;
  if (typeof value !== 'string' || value.length > MAX_DESCRIPTION_LENGTH || !value.isWellFormed()) return allowed;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(value) ? allowed : null;
};

/** Shows a value of any type in a message, short and safe for a terminal. */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return quoteName(value);
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** The value given, or else the other. Only absent counts as not given: null is a value, and refused where it makes no sense. */
export function given<T>(value: T | undefined, otherwise: T): T {
  return value === undefined ? otherwise : value;
}

/** Returns the value if the rule allows it. @throws CfsError BAD_VALUE naming the field and what it belongs to. */
export function checkValue<T>(of: string, field: string, value: T, rule: Rule): T {
  const allowed = rule(value);
  if (allowed === null) return value;
  throw new CfsError('BAD_VALUE', `The ${field} of ${of} cannot be ${showValue(value)}: ${allowed}`, {
    details: { of, field, value: typeof value === 'number' && !Number.isFinite(value) ? String(value) : value },
  });
}

/**
 * A decimal number as typed on a command line (`2`, `0.5`, `-1`, `1e3`); anything else comes back as typed, so that the rule
 * refuses it and names it.
 */
export function numberFromText(text: string): number | string {
  return /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$/.test(text) ? Number(text) : text;
}
