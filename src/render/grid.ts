/**
 * A grid of short cells with a name for each row and each column, laid out for a terminal: as few blocks of columns as the width
 * allows, each with its heading; pages of rows, each with the heading again. Pure text: nothing is printed here.
 */
import type { Style } from './colour.js';
import { commonEnd, cutText, type Heading, headingOf, stemOf } from './grid-heading.js';
import { textWidth } from './table.js';

export interface GridLabel {
  name: string;
  /** What is special about it, in a few letters; shown beside the name of a row, and below that of a column. */
  mark: string;
}

export interface GridCell {
  text: string;
  style: Style | null;
}

export interface Grid {
  rows: readonly GridLabel[];
  columns: readonly GridLabel[];
  /** Of row and column, counted from 0. */
  cell: (row: number, column: number) => GridCell;
  /** Widest text of a cell. */
  cellWidth: number;
  /** What the rows and the columns are, for the corner: `volume`. */
  corner: string;
}

export interface GridLayout {
  /** A piece of the grid with its heading, to be read at one look: as high as the terminal, or all rows where that is unlimited. */
  pages: string[][];
  /** Blocks of columns; each is all rows. */
  blocks: number;
  /** Names that were cut, with what is shown for them. */
  cut: [shown: string, name: string][];
}

/** Stands in `GridLayout.cut` for what was taken off all names of an axis. */
export const ALL_END = 'all end with';

export interface GridPlace {
  /** Columns and lines of the terminal; Infinity: no limit. */
  width: number;
  height: number;
  /** Rows on a page, whatever the height. */
  rows?: number | undefined;
  paint: (style: Style, text: string) => string;
}

/** What a choice of widths gives. */
interface Plan {
  gap: number;
  headings: Heading[];
  /** Of each column: what stands over it and its neighbours with the same stem; null: its heading is all of its name. */
  stems: (string | null)[];
  /** Of each column. */
  widths: number[];
  /** First and behind-the-last column of each block. */
  blocks: [from: number, to: number][];
}

export function layoutGrid(grid: Grid, place: GridPlace): GridLayout {
  const marks = Math.max(0, ...grid.rows.map(({ mark }) => (mark === '' ? 0 : textWidth(mark) + 1)));
  const most = Math.max(8, Math.floor(place.width / 3) - marks);
  const rowEnd = grid.rows.some(({ name }) => textWidth(name) > most)
    ? commonEnd(grid.rows.map(({ name }) => name))
    : '';
  const names = grid.rows.map(({ name }) => cutText(withoutEnd(name, rowEnd), most));
  const label = names.reduce((widest, name) => Math.max(widest, textWidth(name)), textWidth(grid.corner));
  const { plan, end } = bestPlan(grid, place.width - label - marks);
  const cut = cutNames(grid, names, rowEnd, plan);
  for (const common of new Set([rowEnd, end])) if (common !== '') cut.unshift([ALL_END, common]);
  const pages = plan.blocks.flatMap((block) => blockPages(grid, place, plan, block, { names, label, marks }));
  return { pages, blocks: plan.blocks.length, cut };
}

function withoutEnd(name: string, end: string): string {
  return end === '' ? name : name.slice(0, -end.length);
}

/** Fewest blocks, then fewest names cut, then the lowest heading, then the widest gap. What all names end with goes first. */
function bestPlan(grid: Grid, width: number): { plan: Plan; end: string } {
  const full = grid.columns.map(({ name }) => name);
  const whole = planOf(
    grid,
    full.map((name) => ({ lines: [name], isCut: false })),
    null,
    2,
    width,
  );
  // A column alone is a block, however wide its name.
  const isTooWide = whole.widths.some((columnWidth) => columnWidth + 2 > width);
  if (whole.blocks.length === 1 && !isTooWide) return { plan: whole, end: '' };
  const end = commonEnd(full);
  const names = full.map((name) => withoutEnd(name, end));
  let best: { plan: Plan; cost: number } | null = null;
  const weigh = (headings: Heading[], stems: (string | null)[] | null): void => {
    for (const gap of [1, 2]) {
      const plan = planOf(grid, headings, stems, gap, width);
      const cuts = headings.filter(({ isCut }) => isCut).length;
      const lines =
        headings.reduce((most, heading) => Math.max(most, heading.lines.length), 1) + (stems === null ? 0 : 0.5);
      const cost = plan.blocks.length * 1e6 + cuts * 1000 + lines * 10 - gap;
      if (best === null || cost < best.cost) best = { plan, cost };
    }
  };
  const parts = names.map(stemOf);
  const stems = parts.map((part, i) => (part !== null && hasNeighbour(parts, i) ? part.stem : null));
  const longest = Math.min(
    names.reduce((widest, name) => Math.max(widest, textWidth(name)), grid.cellWidth),
    Math.max(width - 2, grid.cellWidth),
  );
  for (let limit = Math.max(3, grid.cellWidth); limit <= Math.max(longest, 3); limit++) {
    weigh(
      names.map((name) => headingOf(name, limit)),
      null,
    );
    weigh(
      names.map((name, i) => headingOf(stems[i] === null ? name : parts[i]!.rest, limit)),
      stems,
    );
  }
  return { plan: best!.plan, end };
}

function hasNeighbour(parts: readonly ({ stem: string } | null)[], i: number): boolean {
  const { stem } = parts[i]!;
  return parts[i - 1]?.stem === stem || parts[i + 1]?.stem === stem;
}

function planOf(grid: Grid, headings: Heading[], stems: (string | null)[] | null, gap: number, width: number): Plan {
  const widths = headings.map(({ lines }, i) =>
    lines.reduce(
      (widest, line) => Math.max(widest, textWidth(line)),
      Math.max(grid.cellWidth, textWidth(grid.columns[i]!.mark)),
    ),
  );
  const blocks: Plan['blocks'] = [];
  let from = 0;
  let used = 0;
  for (const [i, columnWidth] of widths.entries()) {
    // Two blanks behind the names of rows, `gap` between columns.
    const needed = columnWidth + (i === from ? 2 : gap);
    if (i > from && used + needed > width) {
      blocks.push([from, i]);
      from = i;
      used = columnWidth + 2;
    } else used += needed;
  }
  if (from < widths.length || blocks.length === 0) blocks.push([from, widths.length]);
  return { gap, headings, stems: stems ?? headings.map(() => null), widths, blocks };
}

function cutNames(grid: Grid, names: readonly string[], rowEnd: string, { headings, stems }: Plan): GridLayout['cut'] {
  const cut: GridLayout['cut'] = [];
  for (const [i, { name }] of grid.columns.entries()) {
    if (headings[i]!.isCut) cut.push([(stems[i] ?? '') + headings[i]!.lines.join(''), name]);
  }
  for (const [i, { name }] of grid.rows.entries()) {
    if (names[i] !== withoutEnd(name, rowEnd)) cut.push([names[i]!, name]);
  }
  return cut;
}

interface Labels {
  names: readonly string[];
  label: number;
  marks: number;
}

function blockPages(
  grid: Grid,
  place: GridPlace,
  plan: Plan,
  block: Plan['blocks'][number],
  labels: Labels,
): string[][] {
  const heading = headingLines(grid, place, plan, block, labels);
  // At least some rows below a heading, however low the terminal is.
  const size = place.rows ?? Math.max(5, place.height - heading.length);
  const pages: string[][] = [];
  for (let from = 0; from < grid.rows.length || from === 0; from += size) {
    const lines = [...heading];
    const to = Math.min(grid.rows.length, from + size);
    for (let row = from; row < to; row++) lines.push(rowLine(grid, place, plan, block, labels, row));
    pages.push(lines);
  }
  return pages;
}

/** Names stand at the bottom of the heading, next to what they head; marks below them. */
function headingLines(grid: Grid, { paint }: GridPlace, plan: Plan, block: Plan['blocks'][number], labels: Labels) {
  const [from, to] = block;
  const parts = headingParts(plan, block);
  const height = parts.reduce((most, { lines }) => Math.max(most, lines.length), 1);
  const lines: string[] = [];
  for (let at = 0; at < height; at++) {
    let line = padded(at === height - 1 ? grid.corner : '', labels.label + labels.marks);
    for (const [i, part] of parts.entries()) {
      line += gapBefore(i, plan) + padded(part.lines[at - height + part.lines.length] ?? '', part.width);
    }
    lines.push(paint('bold', line.trimEnd()));
  }
  if (grid.columns.slice(from, to).every(({ mark }) => mark === '')) return lines;
  let line = ' '.repeat(labels.label + labels.marks);
  for (let i = from; i < to; i++) line += gapBefore(i - from, plan) + padded(grid.columns[i]!.mark, plan.widths[i]!);
  return [...lines, paint('yellow', line.trimEnd())];
}

/** A column, or neighbours under one stem: `edit- ────` over `1   4   7`. */
function headingParts(plan: Plan, [from, to]: Plan['blocks'][number]): { lines: string[]; width: number }[] {
  const parts: { lines: string[]; width: number }[] = [];
  for (let i = from; i < to; ) {
    const stem = plan.stems[i]!;
    let end = i + 1;
    if (stem !== null) while (end < to && plan.stems[end] === stem) end++;
    const columns = plan.headings.slice(i, end);
    const height = Math.max(...columns.map(({ lines }) => lines.length));
    const lines = Array.from({ length: height }, (_, at) =>
      columns
        .map((heading, k) => padded(heading.lines[at - height + heading.lines.length] ?? '', plan.widths[i + k]!))
        .join(' '.repeat(plan.gap)),
    );
    const width = plan.widths.slice(i, end).reduce((sum, columnWidth) => sum + columnWidth + plan.gap, -plan.gap);
    parts.push({ lines: stem === null ? lines : [...stemLines(stem, width), ...lines], width });
    i = end;
  }
  return parts;
}

/** The last line is drawn out over what it heads. */
function stemLines(stem: string, width: number): string[] {
  const { lines } = headingOf(stem, width);
  const last = lines.pop()!;
  const room = width - textWidth(last) - 1;
  return [...lines, room > 0 ? `${last} ${'─'.repeat(room)}` : last];
}

function rowLine(
  grid: Grid,
  { paint }: GridPlace,
  plan: Plan,
  [from, to]: Plan['blocks'][number],
  { names, label, marks }: Labels,
  row: number,
): string {
  const { mark } = grid.rows[row]!;
  let line = padded(names[row]!, label) + (marks === 0 ? '' : ` ${paintedPad(mark, 'yellow', marks - 1, paint)}`);
  for (let column = from; column < to; column++) {
    const { text, style } = grid.cell(row, column);
    line +=
      gapBefore(column - from, plan) + paintedPad(text, style, column === to - 1 ? 0 : plan.widths[column]!, paint);
  }
  return line.trimEnd();
}

function gapBefore(index: number, { gap }: Plan): string {
  return ' '.repeat(index === 0 ? 2 : gap);
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

/** Blanks are not painted: a line may end with them. */
function paintedPad(text: string, style: Style | null, width: number, paint: GridPlace['paint']): string {
  const blanks = ' '.repeat(Math.max(0, width - textWidth(text)));
  return (style === null || text === '' ? text : paint(style, text)) + blanks;
}
