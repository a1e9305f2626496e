/** Durations (`30s`, `1h30m`, `500ms`, `30d`) and sizes (`64KiB`) as people write them. Both ways are exact. */
import { CfsError } from '../errors.js';
import { quoteName } from './names.js';

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

const SIZE_UNITS = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['B', 1],
] as const;

const DURATION_HINT = 'A duration is written like 500ms, 30s, 5m, 1h30m or 30d.';
const SIZE_HINT = 'A size is written like 512B, 64KiB, 4MiB or 10GiB.';

/**
 * A duration in milliseconds. Units d, h, m, s, ms, each at most once and falling; the last may have a fraction (`1.5s`).
 * @throws CfsError BAD_VALUE naming `what`
 */
export function parseDuration(what: string, text: string): number {
  const refuse = (): never => {
    throw new CfsError('BAD_VALUE', `${what} cannot be ${quoteName(String(text))}: it is not a duration`, {
      hint: DURATION_HINT,
    });
  };
  if (typeof text !== 'string' || text.length === 0 || text.length > 40) refuse();
  const parts = /^(?:[0-9]{1,15}(?:\.[0-9]{1,9})?(?:ms|[dhms]))+$/.test(text)
    ? text.match(/[0-9.]+(?:ms|[dhms])/g)
    : null;
  if (parts === null) return refuse();
  let total = 0;
  let last = Number.POSITIVE_INFINITY;
  parts.forEach((part, i) => {
    const unit = part.replace(/[0-9.]+/, '');
    const factor = DURATION_UNITS.find(([name]) => name === unit)![1];
    const number = Number(part.slice(0, -unit.length));
    if (factor >= last || (i < parts.length - 1 && !Number.isInteger(number))) refuse();
    last = factor;
    total += number * factor;
  });
  const ms = Math.round(total);
  if (!Number.isSafeInteger(ms) || Math.abs(ms - total) > 1e-6) refuse();
  return ms;
}

/** The exact text of a duration in ms: `1h30m`, `1s500ms`, `0s`. `parseDuration` gives the same number back. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, factor] of DURATION_UNITS) {
    const n = Math.floor(rest / factor);
    if (n > 0) text += `${n}${unit}`;
    rest -= n * factor;
  }
  return text === '' ? '0s' : text;
}

/** A size in bytes. @throws CfsError BAD_VALUE naming `what` */
export function parseSize(what: string, text: string): number {
  const match = typeof text === 'string' ? /^([0-9]{1,16})(B|KiB|MiB|GiB|TiB)?$/.exec(text) : null;
  const factor = SIZE_UNITS.find(([name]) => name === (match?.[2] ?? 'B'))![1];
  const bytes = match === null ? Number.NaN : Number(match[1]) * factor;
  if (!Number.isSafeInteger(bytes)) {
    throw new CfsError('BAD_VALUE', `${what} cannot be ${quoteName(String(text))}: it is not a size`, {
      hint: SIZE_HINT,
    });
  }
  return bytes;
}

/** The exact text of a size in bytes, in the largest unit that divides it: `64KiB`, `1536B`. */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of SIZE_UNITS)
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  return `${bytes}B`;
}
