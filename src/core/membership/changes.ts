/** What a generation changed of the nodes' standing: states with their causes, hold-downs, fencing. For `cfs watch` and `cfs history`. */
import type { FencingRecord, MembershipRecord, NodeState, PlacementRecord, TableName } from '../model/tables.js';
import type { Change } from '../store/store.js';

/** The tables that say how a node stands; a generation that changed none of them is no membership change. */
export const STANDING_TABLES = ['membership', 'fencing'] as const satisfies readonly TableName[];

export interface StateChange {
  node: string;
  /** Null: it was added, or removed. */
  from: NodeState | null;
  to: NodeState | null;
  /** Why, as the record says; null where nothing was said. */
  reason: string | null;
  /** Its volumes wait from now on until it has stayed up, or no longer. */
  hold: 'begins' | 'ends' | null;
}

export interface FencingChange {
  node: string;
  before: FencingRecord | null;
  /** Null: it joined again. */
  after: FencingRecord | null;
}

export interface MembershipChanges {
  states: StateChange[];
  fencings: FencingChange[];
  /** Volumes that got another node, and volumes that have none now. */
  moved: number;
  unplaced: number;
}

/** Whether a generation with these counts changed how a node stands. */
export function changesStanding(counts: Partial<Record<TableName, number>>): boolean {
  return STANDING_TABLES.some((table) => (counts[table] ?? 0) > 0);
}

export function membershipChanges(changes: readonly Change[]): MembershipChanges {
  const result: MembershipChanges = { states: [], fencings: [], moved: 0, unplaced: 0 };
  for (const { table, name, before, after } of changes) {
    if (table === 'membership') {
      result.states.push(stateChange(name, before as MembershipRecord | null, after as MembershipRecord | null));
    } else if (table === 'fencing') {
      result.fencings.push({
        node: name,
        before: before as FencingRecord | null,
        after: after as FencingRecord | null,
      });
    } else if (table === 'placements' && after !== null) {
      const { node } = after as PlacementRecord;
      const former = (before as PlacementRecord | null)?.node ?? null;
      if (node === null && former !== null) result.unplaced += 1;
      else if (node !== former) result.moved += 1;
    }
  }
  return result;
}

function stateChange(node: string, before: MembershipRecord | null, after: MembershipRecord | null): StateChange {
  const [wasHeld, isHeld] = [before?.held ?? false, after?.held ?? false];
  return {
    node,
    from: before?.state ?? null,
    to: after?.state ?? null,
    reason: after?.reason ?? null,
    hold: wasHeld === isHeld || after === null ? null : isHeld ? 'begins' : 'ends',
  };
}
