/** Schema of table `placements` (440F–G): where each volume is, since when, and which decision put it there. */
import * as v from 'valibot';
import { nameRule, ruled } from './schema.js';
import type { PlacementRecord } from './tables.js';

const UNPLACED = [null, 'no-common-domain', 'group-locked'];
const text = (max: number) => (value: unknown) =>
  value === null || (typeof value === 'string' && value.length <= max)
    ? null
    : `it is text of at most ${max} characters`;

export const placementSchema: v.GenericSchema<PlacementRecord> = v.pipe(
  v.strictObject({
    node: ruled<string | null>((value) =>
      value === null || nameRule(value) === null ? null : 'it is a node, or null',
    ),
    since: ruled<number>((value) =>
      Number.isSafeInteger(value) && (value as number) > 0 ? null : 'it is the number of a generation',
    ),
    by: ruled<string>((value) => (value === null ? 'it is text' : text(40)(value))),
    stage: ruled<string | null>(text(40)),
    rule: ruled<string | null>(text(1000)),
    unplaced: ruled<PlacementRecord['unplaced']>((value) =>
      UNPLACED.includes(value as string | null) ? null : 'it is no-common-domain, group-locked, or null',
    ),
  }),
  v.check(
    (record) => record.node === null || record.unplaced === null,
    'a placed volume has no reason for being unplaced',
  ),
);
