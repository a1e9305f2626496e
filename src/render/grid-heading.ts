/** Names as headings of narrow columns: broken where names have their joints, cut in the middle where even that is too long. */
import { textWidth } from './table.js';

/** At most so many lines of a heading. */
export const HEADING_LINES = 3;

/** A name over a column, one part a line; cut when it did not fit. */
export interface Heading {
  lines: string[];
  isCut: boolean;
}

/** Names that end with a number are told apart by it: what stands before it is said once over all that share it. */
export function stemOf(name: string): { stem: string; rest: string } | null {
  const match = /^(.*[^0-9])([0-9]+)$/.exec(name);
  return match === null ? null : { stem: match[1]!, rest: match[2]! };
}

/** What all names end with, from a joint on (`.studio.example`); empty where that would say little. */
export function commonEnd(names: readonly string[]): string {
  if (names.length < 2) return '';
  let end = names[0]!;
  for (const name of names) {
    while (end !== '' && !name.endsWith(end)) end = end.slice(1);
  }
  const joint = end.search(/[-_. ]/);
  end = joint === -1 ? '' : end.slice(joint);
  return end.length < 4 || names.some((name) => name.length === end.length) ? '' : end;
}

/** Breaks `name` into at most HEADING_LINES lines of `width` columns: behind `-`, `_`, `.` and blanks first, else anywhere. */
export function headingOf(name: string, width: number): Heading {
  const lines = broken(name, width);
  if (lines.length <= HEADING_LINES) return { lines, isCut: false };
  return { lines: broken(cutText(name, width * HEADING_LINES), width).slice(0, HEADING_LINES), isCut: true };
}

/** Names of machines differ at their ends more often than at their beginnings: a cut one keeps both. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const letters = [...text];
  let [head, tail] = ['', ''];
  let [from, to] = [0, letters.length];
  while (from < to) {
    const isTail = textWidth(tail) <= textWidth(head);
    const next = letters[isTail ? to - 1 : from]!;
    if (textWidth(head) + textWidth(tail) + textWidth(next) + 1 > width) break;
    if (isTail) {
      tail = next + tail;
      to--;
    } else {
      head += next;
      from++;
    }
  }
  return `${head}…${tail}`;
}

function broken(name: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const part of name.match(/[^-_. ]*[-_. ]+|[^-_. ]+/g) ?? [name]) {
    if (line !== '' && textWidth(line) + textWidth(part.trimEnd()) > width) {
      lines.push(line);
      line = '';
    }
    for (const letter of part) {
      if (textWidth(line) + textWidth(letter) > width && line !== '') {
        lines.push(line);
        line = '';
      }
      line += letter;
    }
  }
  if (line.trim() !== '') lines.push(line);
  return lines.map((text) => text.trimEnd());
}
