/**
 * What JSON.parse does not say: where a text is wrong (line and column), that a key stands twice in one object, and that
 * nesting is out of bounds. One pass over the characters, no recursion.
 */

/** Deeper than any document of ours by far. */
const MAX_DEPTH = 64;

export interface JsonProblem {
  /** Characters from the start of the text. */
  offset: number;
  says: string;
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;
const BLANK = /[ \t\r\n]*/y;

/** The end of the string that begins at `start`, or -1. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === '\\') slashes++;
    if (slashes % 2 === 0) return end + 1;
  }
  return -1;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The first problem of a JSON text, or null. */
export function scanJson(text: string): JsonProblem | null {
  // Keys seen, per open object; null for an open list.
  const open: (Set<string> | null)[] = [];
  let expect: 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' = 'value';
  let i = 0;
  const skip = (): void => {
    BLANK.lastIndex = i;
    BLANK.test(text);
    i = BLANK.lastIndex;
  };
  for (skip(); i < text.length; skip()) {
    const c = text[i]!;
    const top = open.at(-1);
    const wantsKey: boolean = expect === 'key' || expect === 'key or }';
    const wantsValue: boolean = expect === 'value' || expect === 'value or ]';
    if (c === '"' && (wantsKey || wantsValue)) {
      const end = endOfString(text, i);
      if (end === -1) return { offset: i, says: 'this text has no closing quote' };
      if (wantsKey) {
        const raw = text.slice(i, end);
        if (!isJson(raw)) return { offset: i, says: 'this text holds a character or escape that JSON forbids' };
        const key = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
        if (top!.has(key)) return { offset: i, says: `the key ${raw.slice(0, 100)} stands here twice` };
        top!.add(key);
      }
      i = end;
      expect = wantsKey ? ':' : ', or end';
    } else if ((c === '{' || c === '[') && wantsValue) {
      if (open.length >= MAX_DEPTH) return { offset: i, says: `it is nested more than ${MAX_DEPTH} deep` };
      open.push(c === '{' ? new Set() : null);
      expect = c === '{' ? 'key or }' : 'value or ]';
      i++;
    } else if (
      (c === '}' && top instanceof Set && (expect === 'key or }' || expect === ', or end')) ||
      (c === ']' && top === null && (expect === 'value or ]' || expect === ', or end'))
    ) {
      open.pop();
      expect = ', or end';
      i++;
    } else if (c === ':' && expect === ':') {
      expect = 'value';
      i++;
    } else if (c === ',' && expect === ', or end' && top !== undefined) {
      expect = top === null ? 'value' : 'key';
      i++;
    } else {
      const token = wantsValue
        ? [NUMBER, LITERAL].find((t) => {
            t.lastIndex = i;
            return t.test(text);
          })
        : undefined;
      if (token === undefined)
        return { offset: i, says: `${JSON.stringify(c)} is not expected here, but ${describe(expect, open.length)}` };
      i = token.lastIndex;
      expect = ', or end';
    }
  }
  if (open.length > 0 || expect !== ', or end')
    return { offset: i, says: `it ends too early: expected ${describe(expect, open.length)}` };
  return null;
}

function describe(expect: string, depth: number): string {
  if (expect === ', or end') return depth === 0 ? 'the end' : 'a comma or the closing bracket';
  return expect.startsWith('key') ? 'a key in quotes' : expect === ':' ? 'a colon' : 'a value';
}

/** Line and column of an offset, both from 1. */
export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line++;
    start = at + 1;
  }
  return { line, column: offset - start + 1 };
}
