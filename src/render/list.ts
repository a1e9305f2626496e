/** Lists in every format of `-o`, filtered and sorted; one set of columns gives table, JSON, YAML and CSV alike. */
import { CfsError } from '../core/errors.js';
import { naturalCompare } from '../core/model/names.js';
import { escapeText } from './format.js';
import { type Column, cellText } from './table.js';

export const LIST_FORMATS = ['table', 'wide', 'json', 'yaml', 'csv', 'name'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

export type Item = Record<string, unknown>;

/** One condition of `--filter`. */
interface Filter {
  key: string;
  operator: '=' | '!=' | '~';
  wanted: string;
}

function columnOf<Row>(columns: readonly Column<Row>[], name: string, flag: string): Column<Row> {
  const found = columns.find((c) => c.key.toLowerCase() === name.toLowerCase());
  if (found) return found;
  throw new CfsError(
    'UNKNOWN_FIELD',
    `${flag} names "${escapeText(name.slice(0, 60))}", which this list does not have`,
    {
      hint: `Its fields are ${columns.map((c) => c.key).join(', ')}.`,
    },
  );
}

/** Parses `KEY=VALUE`, `KEY!=VALUE` and `KEY~TEXT`. @throws CfsError BAD_VALUE, UNKNOWN_FIELD */
function parseFilter<Row>(columns: readonly Column<Row>[], input: string): Filter {
  const match = /^([A-Za-z][A-Za-z0-9]*)(!=|=|~)([\s\S]*)$/.exec(input);
  if (!match) {
    throw new CfsError('BAD_VALUE', `--filter "${escapeText(input.slice(0, 60))}" is no condition`, {
      hint: 'Write --filter KEY=VALUE, KEY!=VALUE or KEY~TEXT (contains).',
    });
  }
  const column = columnOf(columns, match[1]!, '--filter');
  return {
    key: column.key,
    operator: match[2] as Filter['operator'],
    wanted: match[3]!.normalize('NFC').toLowerCase(),
  };
}

/** Texts under which a value is found: each entry of a list; nothing is "" and "-", as tables show it. */
function searchTexts(value: unknown): string[] {
  if (Array.isArray(value)) return value.length === 0 ? ['', '-'] : value.flatMap(searchTexts);
  if (value === null || value === undefined || value === '') return ['', '-'];
  if (typeof value === 'boolean') return value ? ['true', 'yes'] : ['false', 'no'];
  if (typeof value === 'number') return [String(value), cellText(value)];
  return [String(value).toLowerCase()];
}

function matches(filter: Filter, value: unknown): boolean {
  const texts = searchTexts(value);
  if (filter.operator === '~') return texts.some((text) => text.includes(filter.wanted));
  return texts.includes(filter.wanted) === (filter.operator === '=');
}

/** Numbers by size, text in natural order, nothing last whichever the direction. */
function compareValues(a: unknown, b: unknown, direction: 1 | -1): number {
  const aNone = a === null || a === undefined;
  const bNone = b === null || b === undefined;
  if (aNone || bNone) return Number(aNone) - Number(bNone);
  if (typeof a === 'number' && typeof b === 'number') return direction * (a - b);
  return direction * naturalCompare(cellText(a), cellText(b));
}

/**
 * Rows that meet every filter, sorted (stable: equal ones keep their order).
 * @param sort a key, or `-key` for descending
 */
export function selectRows<Row>(
  columns: readonly Column<Row>[],
  rows: Iterable<Row>,
  filters: readonly string[] = [],
  sort?: string,
): Row[] {
  const conditions = filters.map((text) => parseFilter(columns, text));
  const byKey = new Map(columns.map((c) => [c.key, c]));
  let selected = [...rows];
  for (const filter of conditions) {
    const { value } = byKey.get(filter.key)!;
    selected = selected.filter((row) => matches(filter, value(row)));
  }
  if (sort !== undefined) {
    const direction = sort.startsWith('-') ? -1 : 1;
    const { value } = columnOf(columns, sort.replace(/^-/, ''), '--sort');
    const keyed = selected.map((row) => ({ row, key: value(row) }));
    keyed.sort((a, b) => compareValues(a.key, b.key, direction));
    selected = keyed.map((entry) => entry.row);
  }
  return selected;
}

/** Rows as JSON has them: every column, wide ones too, under its key. */
export function itemsOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Item[] {
  return rows.map((row) => Object.fromEntries(columns.map((c) => [c.key, c.value(row) ?? null])));
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = Array.isArray(value)
    ? value.join(',')
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180 with a header line, but lines end with LF alone; lists are joined by commas, nothing is empty. */
export function csvText<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map((c) => csvCell(c.key)).join(',')];
  for (const row of rows) lines.push(columns.map((c) => csvCell(c.value(row))).join(','));
  return `${lines.join('\n')}\n`;
}
