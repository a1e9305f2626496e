/** docs/FORMAT.md as data: its tables and its code blocks. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function readDocument(file: string): string {
  return fs.readFileSync(path.join(ROOT, file), 'utf8');
}

export const FORMAT_DOCUMENT = readDocument('docs/FORMAT.md');

/** The text of a cell without its code quotes. */
function plain(cell: string): string {
  const text = cell.trim();
  return /^`[^`]*`$/.test(text) ? text.slice(1, -1) : text;
}

/** Rows of the one table whose first column has this heading, by the headings of its columns. */
export function tableOf(first: string): Record<string, string>[] {
  const lines = FORMAT_DOCUMENT.split('\n');
  const start = lines.findIndex((line) => line.startsWith(`| ${first} |`));
  if (start < 0) throw new Error(`no table begins with the column ${first}`);
  // `\|` stands for a bar within a cell.
  const cellsOf = (line: string): string[] =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => plain(cell).replaceAll('\\|', '|'));
  const headings = cellsOf(lines[start]!);
  const rows: Record<string, string>[] = [];
  for (let i = start + 2; lines[i]?.startsWith('|'); i++) {
    const cells = cellsOf(lines[i]!);
    if (cells.length !== headings.length) throw new Error(`a row has ${cells.length} cells: ${lines[i]}`);
    rows.push(Object.fromEntries(headings.map((heading, c) => [heading, cells[c]!])));
  }
  return rows;
}

/** Code blocks whose fence says `kind`, with what else it says: ```` ```manifest 3 ````. */
export function blocksOf(kind: string): { title: string; text: string }[] {
  const fence = new RegExp(`^\`\`\`${kind.replaceAll('.', '\\.')}(?: (\\S+))?\\n([\\s\\S]*?^)\`\`\`$`, 'gm');
  return [...FORMAT_DOCUMENT.matchAll(fence)].map(([, title, text]) => ({ title: title ?? '', text: text! }));
}

export interface NamePattern {
  pattern: RegExp;
  kind: 'f' | 'd';
  example: string;
}

/** The table of names. */
export function namePatterns(): NamePattern[] {
  return tableOf('pattern').map((row) => {
    if (row.kind !== 'f' && row.kind !== 'd') throw new Error(`kind ${row.kind}`);
    return { pattern: new RegExp(row.pattern!), kind: row.kind, example: row.example! };
  });
}
