/** Membership changes as sentences: `n3 online -> failed (lease quiet for 10.2 s, confirmed by n2)`. */
import {
  type FencingChange,
  type MembershipChanges,
  membershipChanges,
  STANDING_TABLES,
  type StateChange,
} from '../core/membership/changes.js';
import type { Store } from '../core/store/store.js';
import { plural } from './format.js';

/** Nodes that are named of those to which the same happened. */
const NAMED = 5;

function stateText({ from, to, reason, hold }: StateChange): string {
  const why = reason === null ? '' : ` (${reason})`;
  const held = hold === 'begins' ? ', its volumes wait' : hold === 'ends' ? ', its volumes need not wait any more' : '';
  if (to === null) return 'removed';
  if (from === null) return `added, ${to}${held}${why}`;
  return `${from === to ? `stays ${to}` : `${from} -> ${to}`}${held}${why}`;
}

function fencingText({ before, after }: FencingChange): string {
  if (after === null) return 'fencing over';
  const by = after.by === null ? '' : ` by ${after.by}`;
  const attempt = after.attempts > 1 ? `, attempt ${after.attempts}` : '';
  const says = after.message === null ? '' : ` (${after.message})`;
  const words = {
    running: 'is being fenced',
    failed: 'fencing failed',
    done: 'fenced',
    confirmed: 'confirmed to be off',
  };
  // A claim taken over by another node, or an attempt made again.
  const again = before?.state === 'running' && after.state === 'running' ? ' anew' : '';
  return `${words[after.state]}${again}${by}${attempt}${says}`;
}

/** One line for each thing that happened, with the nodes to which it happened. */
export function membershipLines({ states, fencings }: Pick<MembershipChanges, 'states' | 'fencings'>): string[] {
  const nodes = new Map<string, string[]>();
  const add = (node: string, what: string) => {
    const known = nodes.get(what);
    if (known === undefined) nodes.set(what, [node]);
    else known.push(node);
  };
  for (const change of states) add(change.node, stateText(change));
  for (const change of fencings) add(change.node, fencingText(change));
  return [...nodes].map(([what, names]) => {
    const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
    return `${names.slice(0, NAMED).join(', ')}${more} ${what}`;
  });
}

/** `61 volumes moved, 2 unplaced`; null where no volume was concerned. */
function volumesText({ moved, unplaced }: MembershipChanges): string | null {
  const parts = [
    ...(moved > 0 ? [`${plural(moved, 'volume')} moved`] : []),
    ...(unplaced > 0 ? [`${unplaced} unplaced`] : []),
  ];
  return parts.length === 0 ? null : parts.join(', ');
}

/** Everything that a generation did to the nodes, on one line. */
export function membershipText(changes: MembershipChanges): string {
  return [...membershipLines(changes), volumesText(changes)].filter((part) => part !== null).join('; ');
}

/** What generation `at` did to the nodes. @param withVolumes counts the volumes that moved too; reads placements */
export function membershipOf(store: Store, at: number, withVolumes: boolean): MembershipChanges {
  return membershipChanges(store.changesOf(at, withVolumes ? [...STANDING_TABLES, 'placements'] : STANDING_TABLES));
}
