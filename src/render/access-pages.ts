/** The whole output of `cfs volume access`: a title, the matrix in pages, what its letters mean, and what waits or went wrong. */
import type { AccessMatrix } from '../core/access/matrix.js';
import { accessGrid, eventLines, meanings } from './access.js';
import { escapeText, plural } from './format.js';
import { ALL_END, type GridLayout, type GridPlace, layoutGrid } from './grid.js';
import { textWidth } from './table.js';

/** More cells than this nobody reads, and they would cost more than the records. */
export const MOST_CELLS = 2_000_000;

/** More volumes or clients than this are rows without trying: hundreds of blocks of columns nobody wants, and each costs headings. */
const MANY = 1000;

/** Lines of requests and problems; the rest is counted. */
const MOST_LINES = 20;

export interface AccessPlace extends GridPlace {
  generation: number;
  /** What agents could not do, a line each. */
  problems: readonly string[];
  /** Each page begins with a line that says what it is. */
  isTitled: boolean;
}

export interface AccessPages {
  /** Each with its heading, as high as the terminal. */
  pages: string[][];
  tail: string[];
}

export function accessPages(matrix: AccessMatrix, place: AccessPlace): AccessPages {
  const { isTitled, paint } = place;
  const { pages, cut, blocks } = bestLayout(matrix, { ...place, height: place.height - (isTitled ? 1 : 0) });
  const title = titleText(matrix, place);
  // Between blocks that nobody has to turn pages for stands a blank line.
  const isLoose = !isTitled && blocks > 1;
  return {
    pages: pages.map((lines, at) => {
      const which = pages.length === 1 ? '' : `page ${at + 1}/${pages.length} · `;
      if (isTitled) return [paint('bold', cutTo(`${which}${title}`, place.width)), ...lines];
      return isLoose && at > 0 ? ['', ...lines] : lines;
    }),
    tail: ['', ...tailLines(matrix, place, cut)],
  };
}

/** Volumes as rows, unless clients as rows need fewer blocks, or are as few and alone fit on one page. */
function bestLayout(matrix: AccessMatrix, place: GridPlace): GridLayout {
  const { volumes, clients } = matrix;
  if (Number.isFinite(place.width) && Math.max(volumes.length, clients.length) > MANY) {
    return layoutGrid(accessGrid(matrix, volumes.length >= clients.length), place);
  }
  const upright = layoutGrid(accessGrid(matrix, true), place);
  if (upright.blocks === 1 && upright.pages.length === 1) return upright;
  const lying = layoutGrid(accessGrid(matrix, false), place);
  const isLower = place.rows === undefined && lying.pages.length < upright.pages.length;
  const isBetter = lying.blocks < upright.blocks || (lying.blocks === upright.blocks && isLower);
  return isBetter ? lying : upright;
}

function titleText({ volumes, clients, pairs, waiting }: AccessMatrix, { generation, problems }: AccessPlace): string {
  const written = pairs.filter(({ isWriter }) => isWriter).length;
  const parts = [
    `generation ${generation}`,
    `${plural(volumes.length, 'volume')}, ${written} written`,
    plural(clients.length, 'client'),
    ...(waiting.length > 0 ? [`${waiting.length} waiting`] : []),
    ...(problems.length > 0 ? [plural(problems.length, 'problem')] : []),
  ];
  return parts.join(' · ');
}

function cutTo(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function tailLines(matrix: AccessMatrix, place: AccessPlace, cut: GridLayout['cut']): string[] {
  const { width, paint, problems } = place;
  const { volumes, clients } = matrix.leftOut;
  const left = [
    ...(volumes > 0 ? [plural(volumes, 'volume')] : []),
    ...(clients > 0 ? [plural(clients, 'client')] : []),
  ];
  const lines = [
    ...flowed(meanings(matrix), width).map((line) => paint('dim', line)),
    ...flowed(
      cut.map(([shown, name]) => (shown === ALL_END ? `${shown} ${name}` : `${shown} = ${name}`)),
      width,
    ).map((line) => paint('dim', line)),
    ...(left.length > 0 ? [paint('dim', `Without any right: ${left.join(' and ')}; --all shows them.`)] : []),
    ...some(eventLines(matrix), 'cfs volume requests lists all').map((line) => paint('yellow', line)),
    ...some(problems.map(escapeText), 'cfs client show CLIENT lists all').map((line) => paint('red', line)),
  ];
  return lines;
}

function some(lines: readonly string[], more: string): string[] {
  if (lines.length <= MOST_LINES) return [...lines];
  return [...lines.slice(0, MOST_LINES), `… and ${lines.length - MOST_LINES} more (${more})`];
}

/** Short texts, as many on a line as fit, three blanks between. */
export function flowed(parts: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    if (line !== '' && textWidth(line) + 3 + textWidth(part) > Math.min(width, 160)) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? part : `   ${part}`;
  }
  return line === '' ? lines : [...lines, line];
}
