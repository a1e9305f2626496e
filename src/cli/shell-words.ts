/** The words of a command line that is still being typed, as bash and fish quote them. Nothing is expanded or run. */

export interface TypedLine {
  /** The words before the one at the cursor, without their quotes. */
  before: string[];
  /** The word at the cursor as far as it is typed, without quotes; empty after a blank. */
  current: string;
  /** The same, as it was typed. */
  raw: string;
  /** The quote that is still open at the cursor, or none. */
  quote: '"' | "'" | '';
}

/** Splits a line that ends at the cursor. */
export function splitLine(line: string): TypedLine {
  const before: string[] = [];
  let word = '';
  let raw = '';
  let started = false;
  let quote: '"' | "'" | '' = '';
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (quote === '' && /\s/.test(c)) {
      if (started) before.push(word);
      [word, raw, started] = ['', '', false];
      continue;
    }
    started = true;
    raw += c;
    if (c === '\\' && quote !== "'") {
      const next = line[i + 1];
      if (next === undefined) break;
      // Between double quotes a backslash only quotes what would end or expand them.
      word += quote === '"' && !/["\\$`]/.test(next) ? c + next : next;
      raw += next;
      i++;
    } else if (quote === '' && (c === '"' || c === "'")) quote = c;
    else if (c === quote) quote = '';
    else word += c;
  }
  return { before, current: word, raw, quote };
}

/** A candidate as bash must insert it after what is already typed. */
export function quoteForBash(candidate: string, line: TypedLine): string {
  // Readline keeps the open quote and closes it itself; only what would end or expand it needs a backslash.
  if (line.quote === "'") return candidate.replaceAll("'", "'\\''");
  if (line.quote === '"') return candidate.replace(/["\\$`]/g, '\\$&');
  return candidate.replace(/[^\p{L}\p{N}\p{M}_.,:/@%+=-]/gu, '\\$&').replace(/^~/, '\\~');
}
