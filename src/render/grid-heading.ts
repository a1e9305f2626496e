/** Names as headings of narrow columns: broken where names have their joints, cut in the middle where even that is too long. */
import { textWidth } from './table.js';

/** At most so many lines of a heading. */
export const HEADING_LINES = 3;

/** A name over a column, one part a line; cut when it did not fit. */
export interface Heading {
  lines: string[];
  isCut: boolean;
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
