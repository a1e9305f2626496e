/**
 * Joins the rights of history with the ownership journals of the clients' agents: what was mounted for writing, and when. All on one
 * machine since one boot, so that there is one monotonic clock and one wall clock. Violations:
 *
 *   overlap  a volume was mounted for writing on two clients at one time (monotonic clock)
 *   no-right a volume was mounted for writing under a token that history gave to nobody, or to somebody else
 *   early    mounted for writing before the generation that gave the right
 *   late     still mounted for writing when the generation that ended the right was made
 *
 * An interval of a journal is never shorter than the truth, so that what is proved of intervals holds for the mounts.
 */
import { clientOfHolder } from '../../src/core/membership/leases.js';
import { checkOwnership, type Interval, type JournalOf, type NodeEvent } from './ownership-check.js';
import type { Right } from './writers-check.js';

export type MountViolationKind = 'overlap' | 'no-right' | 'early' | 'late';

export interface MountViolation {
  kind: MountViolationKind;
  volume: string;
  says: string;
}

export interface MountsReport {
  intervals: Interval[];
  violations: MountViolation[];
  /** Rights that were never used: their writer was gone before it mounted. */
  unused: number;
  problems: string[];
}

/** Times of generations and journals are cut to whole milliseconds. */
const ROUNDING_MS = 1;

const nameOf = (node: string): string => clientOfHolder(node) ?? node;

export function checkMounts(
  rights: readonly Right[],
  journals: readonly JournalOf[],
  marks: readonly NodeEvent[] = [],
): MountsReport {
  const { intervals, overlaps, problems } = checkOwnership(journals, marks);
  const violations: MountViolation[] = overlaps.map(({ first, second }) => {
    const ms = Math.round(Math.min(first.to, second.to) - second.from);
    const says = `${nameOf(first.node)} (token ${first.epoch}) and ${nameOf(second.node)} (token ${second.epoch}) had it for writing at one time, for ${ms} ms`;
    return { kind: 'overlap', volume: first.volume, says };
  });
  const byToken = new Map(rights.map((right) => [`${right.volume}/${right.since}`, right]));
  const used = new Set<Right>();
  for (const interval of intervals) {
    const right = byToken.get(`${interval.volume}/${interval.epoch}`);
    const found = whyWrong(interval, right);
    if (right !== undefined) used.add(right);
    if (found !== null) violations.push({ ...found, volume: interval.volume });
  }
  return { intervals, violations, unused: rights.length - used.size, problems };
}

function whyWrong(interval: Interval, right: Right | undefined): Omit<MountViolation, 'volume'> | null {
  const { epoch, began, ended } = interval;
  const client = nameOf(interval.node);
  // What an agent finds when it comes may be anybody's doing; how long it stays is judged by the overlaps.
  if (began.event.event === 'found' && right === undefined) return null;
  if (right === undefined || right.client !== client) {
    const whose = right === undefined ? 'which nobody was given' : `which is ${right.client}'s`;
    return { kind: 'no-right', says: `${client} mounted it for writing with token ${epoch}, ${whose}` };
  }
  const wall = Date.parse(began.event.wall);
  if (right.givenAt !== null && wall < Date.parse(right.givenAt) - ROUNDING_MS) {
    const ms = Date.parse(right.givenAt) - wall;
    return {
      kind: 'early',
      says: `${client} mounted it for writing ${ms} ms before generation ${epoch} gave it the right`,
    };
  }
  if (right.endedAt === null || (interval.to < Number.POSITIVE_INFINITY && ended === null)) return null;
  const until = ended === null ? Number.POSITIVE_INFINITY : Date.parse(ended.event.wall);
  const ms = until - Date.parse(right.endedAt);
  if (ms <= ROUNDING_MS) return null;
  const how = ended === null ? 'still' : `for another ${ms} ms`;
  return {
    kind: 'late',
    says: `${client} had it mounted for writing ${how} when generation ${right.until} (${right.endedBy}) ended its right`,
  };
}
