/**
 * Keys that put names in order with a plain string comparison, for sorting 100,000 of them.
 *
 * `naturalCompare` (model/names.ts) splits both names at every comparison; a key does it once per name.
 * How a name becomes a key, `a10` for example (each box is one UTF-16 unit):
 *
 *     | a + 1 | 0 | 2 | '1' | '0' | 0 |
 *               |   |    digits      leading zeros (after the digits: equal values, the shorter first)
 *               |   how many digits (a longer number is larger)
 *               a digit run begins: lower than any other unit, so a digit run comes before another run
 */

const ASCII = /^[\0-\x7f]*$/;
const NO_SURROGATES = /^[\0-\ud7ff]*$/;

/** Moves UTF-16 units so that their order is that of code points: surrogates behind everything else. */
function codePointUnit(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** A string whose plain order is the order of `text` by code point. */
export function codePointKey(text: string): string {
  if (NO_SURROGATES.test(text)) return text;
  let key = '';
  for (let i = 0; i < text.length; i++) key += String.fromCharCode(codePointUnit(text.charCodeAt(i)));
  return key;
}

function isDigit(unit: number): boolean {
  return unit >= 48 && unit <= 57;
}

/** A string whose plain order is the natural order of names (spec/rebalance.md section 2). */
export function naturalKey(name: string): string {
  const text = ASCII.test(name) ? name : name.normalize('NFC');
  const units: number[] = [];
  let i = 0;
  while (i < text.length) {
    const unit = text.charCodeAt(i);
    if (!isDigit(unit)) {
      // Digits never stand here, so the ten units they leave free make room for the mark of a digit run.
      units.push(unit < 48 ? unit + 1 : codePointUnit(unit));
      i++;
      continue;
    }
    let start = i;
    while (i < text.length && isDigit(text.charCodeAt(i))) i++;
    const first = start;
    while (start < i && text.charCodeAt(start) === 48) start++;
    units.push(0, Math.min(i - start, 0xffff));
    for (let d = start; d < i; d++) units.push(text.charCodeAt(d));
    units.push(Math.min(start - first, 0xffff));
  }
  return String.fromCharCode(...units);
}

/** Plain order of strings, for comparators. */
export function compareStrings(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts names in natural order; names that differ only in Unicode form follow each other by their units. */
export function sortNames(names: Iterable<string>): string[] {
  const keyed = Array.from(names, (name) => ({ name, key: naturalKey(name) }));
  keyed.sort((a, b) => compareStrings(a.key, b.key) || compareStrings(a.name, b.name));
  return keyed.map((entry) => entry.name);
}
