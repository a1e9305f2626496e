/** The layout of grids for terminals, and the names over their columns. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Grid, type GridLayout, layoutGrid } from '../../src/render/grid.js';
import { commonEnd, cutText, headingOf } from '../../src/render/grid-heading.js';

const bare = (_style: unknown, text: string) => text;

function gridOf(rows: readonly string[], columns: readonly string[], cells: Record<string, string> = {}): Grid {
  const cell = (row: number, column: number) => ({
    text: cells[`${rows[row]}/${columns[column]}`] ?? '·',
    style: null,
  });
  const label = (name: string) => ({ name, mark: '' });
  const cellWidth = Math.max(1, ...Object.values(cells).map((text) => text.length));
  return { rows: rows.map(label), columns: columns.map(label), cell, cellWidth, corner: 'ROW' };
}

function laidOut(grid: Grid, width: number, height = Number.POSITIVE_INFINITY, rows?: number): GridLayout {
  return layoutGrid(grid, { width, height, rows, paint: bare });
}

const numbered = (stem: string, count: number) => Array.from({ length: count }, (_, i) => `${stem}${i + 1}`);

describe('a grid', () => {
  it('has full names over its columns where they fit', () => {
    const { pages, blocks, cut } = laidOut(
      gridOf(['r1', 'r2'], ['alpha', 'beta'], { 'r1/alpha': 'rw', 'r2/beta': 'ro' }),
      80,
    );
    assert.deepEqual(pages, [['ROW  alpha  beta', 'r1   rw     ·', 'r2   ·      ro']]);
    assert.deepEqual([blocks, cut], [1, []]);
  });

  it('is as wide as its names where there is no terminal', () => {
    const { pages } = laidOut(gridOf(['r'], numbered('a-rather-long-name-', 30)), Number.POSITIVE_INFINITY);
    assert.equal(pages.length, 1);
    assert.match(pages[0]![0]!, /^ROW {2}a-rather-long-name-1 {2}.* {2}a-rather-long-name-30$/);
  });

  it('says what neighbours have in common once over all of them', () => {
    const columns = [...numbered('editing-', 3), ...numbered('rendering-', 3)];
    const { pages } = laidOut(gridOf(['r1'], columns, { 'r1/editing-2': '1st' }), 40);
    assert.deepEqual(pages, [
      ['     editing- ────  rendering- ──', 'ROW  1    2    3    1    2    3', 'r1   ·    1st  ·    ·    ·    ·'],
    ]);
  });

  it('breaks names at their joints, and leaves out what all end with', () => {
    const columns = ['nyc-edit.example.org', 'sfo-audio.example.org', 'ber-color.example.org'];
    const { pages, cut } = laidOut(gridOf(['r1'], columns), 24);
    assert.deepEqual(pages[0], ['     nyc-  sfo-   ber-', 'ROW  edit  audio  color', 'r1   ·     ·      ·']);
    assert.deepEqual(cut, [['all end with', '.example.org']]);
  });

  it('comes in blocks of columns where it is wider than the terminal, each with its heading', () => {
    const columns = numbered('c', 12);
    const { pages, blocks } = laidOut(gridOf(['r1'], columns, { 'r1/c12': 'rw' }), 24);
    assert.equal(blocks, pages.length);
    assert.ok(blocks > 1);
    for (const page of pages) assert.match(page.at(-2)!, /^ROW /);
    assert.match(pages.at(-1)!.at(-1)!, /^r1 .*rw$/);
  });

  it('comes in pages as high as the terminal, each with its heading, or of as many rows as are asked for', () => {
    const grid = gridOf(numbered('r', 40), ['a', 'b']);
    const { pages } = laidOut(grid, 80, 11);
    assert.deepEqual(
      pages.map(({ length }) => length),
      [11, 11, 11, 11],
    );
    assert.equal(pages[1]![0], pages[0]![0]);
    assert.equal(pages[1]![1], 'r11  ·  ·');
    assert.equal(laidOut(grid, 80, 11, 15).pages.length, 3);
  });

  it('cuts names of rows that would leave no room, and says what they are', () => {
    const long = 'a-volume-with-a-name-that-nobody-would-want-to-type';
    const { pages, cut } = laidOut(gridOf([long, 'v2'], ['c1']), 40);
    assert.equal(cut.length, 1);
    assert.equal(cut[0]![1], long);
    assert.ok(pages[0]![1]!.startsWith(cut[0]![0]));
  });

  it('never is wider than the terminal, and shows every cell once, whatever the names', () => {
    const name = fc.stringMatching(/^[a-z]{1,12}([-._][a-z0-9]{1,9}){0,3}$/);
    const names = (most: number) => fc.uniqueArray(name, { minLength: 1, maxLength: most });
    fc.assert(
      fc.property(names(9), names(40), fc.integer({ min: 40, max: 120 }), (rows, columns, width) => {
        const cells = Object.fromEntries(rows.flatMap((row) => columns.map((column) => [`${row}/${column}`, 'rw'])));
        const { pages } = laidOut(gridOf(rows, columns, cells), width);
        const lines = pages.flat();
        for (const line of lines) assert.ok(line.length <= width, `${line.length} > ${width}: ${line}`);
        const shown = pages.flatMap((page) => page.slice(-rows.length)).join('\n');
        assert.equal(shown.match(/(?<= )rw(?= |$)/gm)?.length, rows.length * columns.length);
      }),
      { numRuns: 100, examples: [[['a_a-00aa0aa00'], ['aaaaaaa.00aa0a000-0a0aa00a'], 40]] },
    );
  });
});

describe('a heading', () => {
  it('is broken at joints, then anywhere, and cut in the middle as the last resort', () => {
    assert.deepEqual(headingOf('edit-suite-7', 6), { lines: ['edit-', 'suite-', '7'], isCut: false });
    assert.deepEqual(headingOf('workstation', 6), { lines: ['workst', 'ation'], isCut: false });
    const { lines, isCut } = headingOf('workstation-of-the-night-shift', 4);
    assert.ok(isCut && lines.length === 3 && lines.join('').includes('…'));
  });

  it('keeps beginning and end of what is cut', () => {
    assert.equal(cutText('abcdefghij', 10), 'abcdefghij');
    assert.equal(cutText('abcdefghij', 5), 'ab…ij');
    assert.equal(cutText('abcdefghij', 4), 'a…ij');
  });

  it('finds what names end with only where that is worth saying', () => {
    assert.equal(commonEnd(['a.example', 'b.example']), '.example');
    assert.equal(commonEnd(['a-1', 'b-1']), '');
    assert.equal(commonEnd(['a.example']), '');
    assert.equal(commonEnd(['station', 'nation']), '');
  });
});
