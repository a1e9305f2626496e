/** Values as people read them: numbers, rounded sizes, and text that is safe for a terminal. Exact ones: core/model/units.ts. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\p{Cs}/u;
const UNSAFE_ALL = new RegExp(UNSAFE.source, 'gu');

/** Text from outside (names, messages, errors) made safe for a terminal: control and invisible characters as \u and four digits. */
export function escapeText(text: string): string {
  if (!UNSAFE.test(text)) return text;
  return text.replace(UNSAFE_ALL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Like escapeText for text that cfs composed itself: line ends, tabs and colours (SGR sequences) stay. */
export function escapeBlock(text: string): string {
  if (!UNSAFE.test(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ESC begins a colour
  return text.replace(/\u001b\[[0-9;]*m|[\n\t]|[^\n\t\u001b]+|\u001b/g, (part) =>
    part === '\n' || part === '\t' || (part.length > 1 && part.startsWith('\u001b[')) ? part : escapeText(part),
  );
}

const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** Bytes for people, rounded to three digits: `512B`, `64KiB`, `1.46GiB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${formatNumber(value, value < 10 ? 2 : value < 100 ? 1 : 0)}${SIZE_UNITS[unit]}`;
}

/** A number with at most `decimals` decimals and no trailing zeros; never `-0`. */
export function formatNumber(value: number, decimals = 2): string {
  if (!Number.isFinite(value)) return String(value);
  return String(Number(value.toFixed(decimals)) + 0);
}

/** `1 node`, `3 nodes`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
