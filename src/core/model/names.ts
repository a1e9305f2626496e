/** Names of nodes, volumes, groups and domains (DESIGN.md, "Tables"), and the order they are listed in. */
import { CfsError } from '../errors.js';

/** Longest name, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 80;

const RESERVED = new Set(['any', 'none', 'all', 'global']);
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is refused
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029/:#,=~]/u;

/** Shows a name in a message: control characters and the like escaped, long ones cut. Safe for a terminal. */
export function quoteName(name: string): string {
  const cut = name.length > 100 ? `${name.slice(0, 100)}…` : name;
  const shown = cut.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are escaped here
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]|\p{Cs}/gu,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${shown}"`;
}

/**
 * Brings a name to NFC and checks it: 1–80 bytes of UTF-8; no control characters; none of `/ : # , = ~`;
 * no leading `.` or `-`, no blank at either end; not `any`, `none`, `all` or `global` in any letter case.
 * @param kind what the name is of, for the message: `node`, `volume` …
 * @throws CfsError BAD_NAME or RESERVED_NAME
 */
export function parseName(kind: string, input: string): string {
  const refuse = (why: string): never => {
    throw new CfsError('BAD_NAME', `${quoteName(String(input))} cannot be the name of a ${kind}: ${why}`, {
      hint: 'A name has 1 to 80 bytes of UTF-8, no control characters, none of / : # , = ~ and no leading "." or "-".',
      details: { kind },
    });
  };
  if (typeof input !== 'string') refuse('it is not text');
  if (input.length === 0) refuse('it is empty');
  if (input.length > MAX_NAME_BYTES) refuse(`it is longer than ${MAX_NAME_BYTES} bytes`);
  if (!input.isWellFormed()) refuse('it is not well-formed Unicode');
  const ascii = /^[\u0020-\u007e]*$/.test(input);
  const name = ascii ? input : input.normalize('NFC');
  if (!ascii && Buffer.byteLength(name) > MAX_NAME_BYTES) refuse(`it is longer than ${MAX_NAME_BYTES} bytes`);
  const bad = FORBIDDEN.exec(name);
  if (bad) refuse(`it contains ${quoteName(bad[0])}`);
  if (/\p{Cf}/u.test(name)) refuse('it contains an invisible character');
  if (name.startsWith('.') || name.startsWith('-')) refuse(`it begins with "${name[0]}"`);
  if (name.trim() !== name) refuse('it begins or ends with a blank');
  if (RESERVED.has(name.toLowerCase())) {
    throw new CfsError('RESERVED_NAME', `${quoteName(input)} is a reserved word and cannot be the name of a ${kind}`, {
      hint: 'The words any, none, all and global are reserved, in any letter case.',
    });
  }
  return name;
}

/** The form in which groups and domains are compared: NFC, lower case (`CA` equals `ca`). */
export function foldCase(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

const RUNS = /[0-9]+|[^0-9]+/g;

function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  const n = Math.min(left.length, right.length);
  for (let i = 0; i < n; i++) {
    const d = (left[i] as string).codePointAt(0)! - (right[i] as string).codePointAt(0)!;
    if (d !== 0) return d;
  }
  return left.length - right.length;
}

function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  if (left.length !== right.length) return left.length - right.length;
  if (left !== right) return left < right ? -1 : 1;
  return a.length - b.length;
}

/** Whether all UTF-16 units are below U+0300: such text is in form NFC, and its units are its code points. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) >= 0x300) return false;
  return true;
}

function isDigitAt(text: string, i: number): boolean {
  const unit = text.charCodeAt(i);
  return unit >= 48 && unit <= 57;
}

/** `compareDigits` of the digits that begin at `start` in both texts, which are equal before `differ`. */
function compareDigitsAt(a: string, b: string, start: number, differ: number): number {
  let aStart = start;
  let bStart = start;
  while (a.charCodeAt(aStart) === 48) aStart++;
  while (b.charCodeAt(bStart) === 48) bStart++;
  let aEnd = Math.max(aStart, differ);
  let bEnd = Math.max(bStart, differ);
  while (isDigitAt(a, aEnd)) aEnd++;
  while (isDigitAt(b, bEnd)) bEnd++;
  const d = aEnd - aStart - (bEnd - bStart);
  if (d !== 0) return d;
  for (; aStart < aEnd; aStart++, bStart++) {
    const unit = a.charCodeAt(aStart) - b.charCodeAt(bStart);
    if (unit !== 0) return unit;
  }
  return aEnd - bEnd;
}

/**
 * naturalCompare of two different plain texts, without making strings: 100,000 names take a million comparisons. Runs
 * that compare equal are equal, so the first unit that differs decides, with the digits before it.
 */
function comparePlain(a: string, b: string): number {
  let i = 0;
  while (i < a.length && i < b.length && a.charCodeAt(i) === b.charCodeAt(i)) i++;
  const aDigit = isDigitAt(a, i);
  const bDigit = isDigitAt(b, i);
  let start = i;
  if (aDigit || bDigit) while (start > 0 && isDigitAt(a, start - 1)) start--;
  if ((aDigit && bDigit) || start < i) return compareDigitsAt(a, b, start, i);
  if (i === a.length) return -1;
  if (i === b.length) return 1;
  if (aDigit !== bDigit) return aDigit ? -1 : 1;
  return a.charCodeAt(i) - b.charCodeAt(i);
}

/**
 * Natural order of names (spec/rebalance.md section 2): runs of ASCII digits compare as integers (equal values: the
 * shorter first), other runs by Unicode code point, a digit run before any other run. A total order on distinct NFC names.
 */
export function naturalCompare(a: string, b: string): number {
  if (a === b) return 0;
  if (isPlain(a) && isPlain(b)) return comparePlain(a, b);
  const left = a.normalize('NFC').match(RUNS) ?? [];
  const right = b.normalize('NFC').match(RUNS) ?? [];
  const n = Math.min(left.length, right.length);
  for (let i = 0; i < n; i++) {
    const l = left[i] as string;
    const r = right[i] as string;
    const lDigit = l.charCodeAt(0) >= 48 && l.charCodeAt(0) <= 57;
    const rDigit = r.charCodeAt(0) >= 48 && r.charCodeAt(0) <= 57;
    if (lDigit !== rDigit) return lDigit ? -1 : 1;
    const d = lDigit ? compareDigits(l, r) : compareCodePoints(l, r);
    if (d !== 0) return d;
  }
  return left.length - right.length;
}
