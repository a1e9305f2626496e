/** Tables of text: columns as wide as their widest cell, two blanks between, no trailing blanks. */
import { escapeText, formatNumber } from './format.js';

/** One column of a list. `key` is its name in JSON, CSV, --filter and --sort; the title heads it in tables. */
export interface Column<Row> {
  key: string;
  /** Default: the key in capitals. */
  title?: string;
  /** The value, as JSON has it: text, number, boolean, null, or a list of these. */
  value: (row: Row) => unknown;
  /** The value in a table. Default: see cellText. */
  text?: (row: Row) => string;
  /** Only with `-o wide` (and in JSON, YAML and CSV). */
  wide?: boolean;
  /** In no table at all (only in JSON, YAML and CSV, and for --filter and --sort): it would say nothing in this cluster. */
  hidden?: boolean;
  align?: 'left' | 'right';
}

/** A value in a table: lists with commas, nothing as `-`, yes and no, at most two decimals. Safe for a terminal. */
export function cellText(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(cellText).join(',');
  if (typeof value === 'object') return escapeText(JSON.stringify(value));
  return escapeText(String(value));
}

const ASCII = /^[\u0020-\u007e]*$/;
let stringWidth: ((text: string) => number) | null = null;

/** Must be awaited before textWidth sees text that is not ASCII (CJK letters take two columns). */
export async function prepareWidths(cells: Iterable<string>): Promise<void> {
  if (stringWidth !== null) return;
  for (const cell of cells) {
    if (!ASCII.test(cell)) {
      stringWidth = (await import('string-width')).default;
      return;
    }
  }
}

/** Columns that a text takes on a terminal. */
export function textWidth(text: string): number {
  return stringWidth === null || ASCII.test(text) ? text.length : stringWidth(text);
}

export interface TableLayout {
  lines: string[];
  /** Titles of the columns that found no room. */
  dropped: string[];
}

const GAP = 2;

/**
 * Lays out a table. Columns are dropped from the right until it fits; the first always stays.
 * @param width columns of the terminal; Infinity: no limit
 */
export async function layoutTable(
  titles: string[],
  rows: string[][],
  options: { width?: number; right?: boolean[]; head?: (text: string) => string } = {},
): Promise<TableLayout> {
  const { width = Number.POSITIVE_INFINITY, right = [], head = (text) => text } = options;
  for (const row of [titles, ...rows]) await prepareWidthsOf(row);
  const widths = titles.map((title, i) => {
    let widest = textWidth(title);
    for (const row of rows) widest = Math.max(widest, textWidth(row[i]!));
    return widest;
  });
  let shown = titles.length;
  const total = (): number => widths.slice(0, shown).reduce((sum, w) => sum + w + GAP, -GAP);
  while (shown > 1 && total() > width) shown--;

  const line = (cells: string[]): string => {
    let text = '';
    for (let i = 0; i < shown; i++) {
      const cell = cells[i]!;
      const pad = ' '.repeat(Math.max(0, widths[i]! - textWidth(cell)));
      text += right[i] ? pad + cell : i === shown - 1 ? cell : cell + pad;
      if (i < shown - 1) text += ' '.repeat(GAP);
    }
    return text.trimEnd();
  };
  return { lines: [head(line(titles)), ...rows.map(line)], dropped: titles.slice(shown) };
}

/** Most rows are ASCII: no await, no loading for these. */
function prepareWidthsOf(row: string[]): Promise<void> | undefined {
  return stringWidth === null && row.some((cell) => !ASCII.test(cell)) ? prepareWidths(row) : undefined;
}

/** Pairs of a label and a value as two aligned columns: what `show` commands print. */
export async function layoutFields(fields: [label: string, value: string][]): Promise<string[]> {
  const { lines } = await layoutTable(
    ['', ''],
    fields.map(([label, value]) => [`${label}:`, value]),
  );
  return lines.slice(1);
}
