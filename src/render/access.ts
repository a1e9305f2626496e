/** What clients may do with volumes, and do, in two or three letters that speak without colour. */
import type { AccessMatrix, MatrixClient, MatrixPair, MatrixVolume } from '../core/access/matrix.js';
import { escapeText } from './format.js';
import type { Grid, GridCell, GridLabel } from './grid.js';

const NOTHING: GridCell = { text: '·', style: 'dim' };

/** `1st`, `2nd`, `3rd`, `11th`. */
export function ordinal(place: number): string {
  const end = place % 100 >= 11 && place % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][place % 10] ?? 'th');
  return `${place}${end}`;
}

/** What a pair comes to, in a word. A client that waits may have the volume mounted to read; that it waits says more. */
export const PAIR_STATES = ['writes', 'gives-up', 'waits', 'reads', 'may-mount', 'locked-out', 'none'] as const;
export type PairState = (typeof PAIR_STATES)[number];

export function pairState({ givesUp, isWriter, place, mode, mount, lockout }: MatrixPair): PairState {
  if (givesUp) return 'gives-up';
  if (isWriter) return 'writes';
  if (place !== null) return 'waits';
  if (mode === 'ro') return 'reads';
  if (mount) return 'may-mount';
  return lockout ? 'locked-out' : 'none';
}

const CELLS: Record<PairState, GridCell> = {
  writes: { text: 'rw', style: 'green' },
  'gives-up': { text: 'rw>', style: 'yellow' },
  waits: { text: '', style: 'yellow' },
  reads: { text: 'ro', style: 'cyan' },
  'may-mount': { text: '-', style: null },
  'locked-out': { text: 'x', style: 'red' },
  none: NOTHING,
};

/** A pair as a cell; `!` behind it where the client is locked out from asking for more. */
export function pairCell(pair: MatrixPair | undefined): GridCell {
  if (pair === undefined) return NOTHING;
  const state = pairState(pair);
  if (state === 'waits') return { text: ordinal(pair.place!), style: 'yellow' };
  const { text, style } = CELLS[state];
  const isMarked = pair.lockout && state !== 'locked-out' && state !== 'none';
  return { text: isMarked ? `${text}!` : text, style };
}

/** What each kind of cell means, in the order in which it is told. */
const MEANINGS: [test: (text: string) => boolean, shown: string, means: string][] = [
  [(t) => t === 'rw' || t === 'rw!', 'rw', 'writes'],
  [(t) => t.startsWith('rw>'), 'rw>', 'gives the right up'],
  [(t) => t.startsWith('ro'), 'ro', 'reads'],
  [(t) => /^\d/.test(t), '1st', 'waits to write (its place)'],
  [(t) => t === '-' || t === '-!', '-', 'may mount'],
  [(t) => t.endsWith('!'), '!', 'locked out from asking'],
  [(t) => t === 'x', 'x', 'locked out, may not mount'],
  [(t) => t === '·', '·', 'no right'],
];

const MARKS: [mark: string, means: string][] = [
  ['off', 'volume disabled'],
  ['r/o', 'read-only media'],
  ['lock', 'software lock'],
  ['out', 'client not logged on'],
];

export function volumeLabel({ name, enabled, readOnlyMedia, softwareLock }: MatrixVolume): GridLabel {
  const mark = !enabled ? 'off' : readOnlyMedia ? 'r/o' : softwareLock ? 'lock' : '';
  return { name: escapeText(name), mark };
}

export function clientLabel({ name, loggedOn }: MatrixClient): GridLabel {
  return { name: escapeText(name), mark: loggedOn ? '' : 'out' };
}

/** The matrix as a grid; @param hasVolumeRows volumes are rows and clients are columns, or the reverse */
export function accessGrid(matrix: AccessMatrix, hasVolumeRows: boolean): Grid {
  const { volumes, clients, pairs } = matrix;
  const cells = new Map<string, GridCell>();
  let cellWidth = 1;
  for (const pair of pairs) {
    const cell = pairCell(pair);
    cells.set(`${pair.volume}/${pair.client}`, cell);
    cellWidth = Math.max(cellWidth, cell.text.length);
  }
  const at = (volume: number, client: number) =>
    cells.get(`${volumes[volume]!.name}/${clients[client]!.name}`) ?? NOTHING;
  const [volumeLabels, clientLabels] = [volumes.map(volumeLabel), clients.map(clientLabel)];
  return hasVolumeRows
    ? { rows: volumeLabels, columns: clientLabels, cell: at, cellWidth, corner: 'VOLUME' }
    : {
        rows: clientLabels,
        columns: volumeLabels,
        cell: (row, column) => at(column, row),
        cellWidth,
        corner: 'CLIENT',
      };
}

/** What the cells and marks that occur mean: `rw writes`. */
export function meanings(matrix: AccessMatrix): string[] {
  const { volumes, clients, pairs } = matrix;
  const texts = new Set(pairs.map((pair) => pairCell(pair).text));
  if (pairs.length < volumes.length * clients.length) texts.add(NOTHING.text);
  const marks = new Set([...volumes.map(volumeLabel), ...clients.map(clientLabel)].map(({ mark }) => mark));
  return [
    ...MEANINGS.filter(([test]) => [...texts].some(test)).map(([, shown, means]) => `${shown} ${means}`),
    ...MARKS.filter(([mark]) => marks.has(mark)).map(([mark, means]) => `${mark} ${means}`),
  ];
}

/** Write requests and rights that are given up, a line each. */
export function eventLines({ waiting, givingUp }: AccessMatrix): string[] {
  return [
    ...givingUp.map(
      ({ volume, writer, to }) => `${volume}: ${writer} gives its right to write up${to === null ? '' : `, to ${to}`}`,
    ),
    ...waiting.map(({ volume, client, writer, place, askedAt, message }) => {
      const whom = writer === null ? '' : ` for ${writer}`;
      const says = message === null ? '' : `: "${message}"`;
      return `${volume}: ${client} waits${whom}, ${ordinal(place)}, since ${askedAt.replace('T', ' ').slice(0, 19)}${says}`;
    }),
  ].map(escapeText);
}
