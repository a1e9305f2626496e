/** The half of undo that takes configuration back: which records may go back, and what would break if they did. */
import { clientsUsing, requireUnused } from '../access/cascade.js';
import { removeClients, requireIdle } from '../access/clients.js';
import { followRights } from '../access/follow.js';
import { CfsError } from '../errors.js';
import { removeMembership } from '../membership/records.js';
import { quoteName } from '../model/names.js';
import {
  type AnyRecord,
  CONFIGURATION_TABLES,
  type NodeRecord,
  type TableName,
  type VolumeAccessRecord,
  type VolumeRecord,
} from '../model/tables.js';
import { showValue } from '../model/values.js';
import { MemoryDraft, sameValue } from '../store/draft.js';
import type { Change, Draft, Snapshot, TableView } from '../store/store.js';
import { removeDeclared } from './declared.js';
import { removeNode } from './nodes.js';
import { declaredInUse, volumesByNode } from './references.js';
import { checkControl, checkDistinct, checkNode, checkPair, checkVolume } from './undo-checks.js';
import { dropVolumes } from './volumes.js';

export interface SkippedRecord {
  table: TableName;
  name: string;
  reason: string;
}

export interface RevertPlan {
  /** Changes of configuration that go back. */
  reverts: Change[];
  /** Changes of placements to look at afterwards. */
  placements: Change[];
  skipped: SkippedRecord[];
}

const NOUNS: Partial<Record<TableName, string>> = {
  cluster: 'Setting',
  groups: 'Group',
  domains: 'Domain',
  nodes: 'Node',
  volumes: 'Volume',
  placements: 'Placement of volume',
  clients: 'Client',
  access: 'Access',
  volumeAccess: 'Write settings of volume',
};

function recordOf(snapshot: Snapshot, table: TableName, name: string): AnyRecord | null {
  return (snapshot.table(table) as TableView<AnyRecord>).get(name) ?? null;
}

/** How the record differs from what the generation left: both sides of the first field that does. */
function difference(left: AnyRecord | null, now: AnyRecord | null): string {
  if (now === null) return 'it is gone';
  if (left === null) return 'it is there again';
  const a = left as unknown as Record<string, unknown>;
  const b = now as unknown as Record<string, unknown>;
  const field = Object.keys({ ...a, ...b }).find((key) => !sameValue(a[key], b[key])) ?? '';
  const text = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : showValue(value));
  return `${field} was ${text(a[field])}, is now ${text(b[field])}`;
}

function changedSince(change: Change, now: AnyRecord | null, generation: number): CfsError {
  const { table, name, after } = change;
  const what = `${NOUNS[table]} ${quoteName(name)} is no longer as generation ${generation} left it`;
  return new CfsError('RECORD_CHANGED_SINCE', `${what}: ${difference(after, now)}`, {
    hint: 'With --force the records changed since stay as they are, and the others go back.',
    details: { table, name, generation, left: after, now },
  });
}

/**
 * What goes back. A record that is as it was before already needs nothing; one that is neither as before nor as the generation
 * left it was changed since. Then everything that would refer to nothing is sorted out.
 * @throws CfsError (without `force`) RECORD_CHANGED_SINCE, or what forbids a revert now: GROUP_IN_USE, NODE_IN_USE …
 */
export function planReverts(draft: Draft, generation: number, changes: readonly Change[], force: boolean): RevertPlan {
  const plan: RevertPlan = { reverts: [], placements: [], skipped: [] };
  const skip = (change: Change, error: CfsError): void => {
    if (!force) throw error;
    plan.skipped.push({ table: change.table, name: change.name, reason: error.message });
  };
  for (const change of changes) {
    const configuration = (CONFIGURATION_TABLES as readonly string[]).includes(change.table);
    if (!configuration && change.table !== 'placements') continue;
    const now = recordOf(draft, change.table, change.name);
    if (sameValue(now, change.before)) continue;
    if (!sameValue(now, change.after)) skip(change, changedSince(change, now, generation));
    else if (configuration) plan.reverts.push(change);
    else plan.placements.push(change);
  }
  for (;;) {
    const broken = brokenReverts(draft, plan.reverts);
    if (broken.size === 0) return plan;
    for (const [change, error] of broken) skip(change, error);
    plan.reverts = plan.reverts.filter((change) => !broken.has(change));
  }
}

/** Puts one record back; what hangs on it (state of a node, placement of a volume) goes or begins anew with it. */
function revert(draft: Draft, change: Change, generation: number): void {
  const { table, name, before } = change;
  if (before === null) {
    // Volumes and clients are gone already, with all that names them.
    if (draft.table(table).has(name)) draft.remove(table, name);
    if (table === 'nodes') removeMembership(draft, name);
    return;
  }
  draft.put(table, name, before as never);
  if (table === 'nodes' && !draft.table('membership').has(name)) {
    draft.put('membership', name, { state: 'offline', reason: `brought back by undoing generation ${generation}` });
  }
}

/** Applies the reverts; gives them by name, and the volumes that came back. */
export function applyReverts(
  draft: Draft,
  reverts: readonly Change[],
  generation: number,
  nowMs: number,
): { reverted: { table: TableName; name: string }[]; unplaced: string[] } {
  const namesOf = (of: TableName, isGone = false): string[] =>
    reverts.filter(({ table, before }) => table === of && !(isGone && before !== null)).map(({ name }) => name);
  const [volumes, clients] = [namesOf('volumes', true), namesOf('clients', true)];
  if (volumes.length > 0) dropVolumes(draft, volumes);
  if (clients.length > 0) removeClients(draft, clients);
  for (const change of reverts) revert(draft, change, generation);
  followRights(draft, { pairs: namesOf('access'), volumes: namesOf('volumeAccess') }, nowMs);
  return {
    reverted: reverts.map(({ table, name }) => ({ table, name })),
    unplaced: reverts.filter((c) => c.table === 'volumes' && c.after === null).map((c) => c.name),
  };
}

function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}

/** The reverts that would leave a reference to nothing, or two declared names that are one, each with the error that says so. */
function brokenReverts(draft: Draft, reverts: readonly Change[]): Map<Change, CfsError> {
  const trial = new MemoryDraft(draft, draft.nextGeneration);
  applyReverts(trial, reverts, 0, 0);
  const broken = new Map<Change, CfsError>();
  const inUse = once(() => declaredInUse(trial));
  const byNode = once(() => volumesByNode(trial));
  const usedVolumes = once(() => clientsUsing(draft, new Set(removed('volumes'))));
  const removed = (of: TableName): string[] =>
    reverts.filter(({ table, before }) => table === of && before === null).map(({ name }) => name);
  const attempt = (change: Change, check: () => void): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      broken.set(change, error);
    }
  };
  for (const change of reverts) {
    const { table, name, before } = change;
    if (before === null) {
      // Who uses a name is looked up once for all; the removal itself, on a copy that is thrown away, says it in words.
      const scratch = (): Draft => new MemoryDraft(trial, draft.nextGeneration);
      if ((table === 'groups' || table === 'domains') && inUse()[table].has(name)) {
        attempt(change, () => removeDeclared(scratch(), table, name));
      }
      if (table === 'nodes' && (byNode().held.has(name) || byNode().preferring.has(name))) {
        attempt(change, () => void removeNode(scratch(), name, false));
      }
      // What clients do is asked of what is: the trial has taken it away.
      if (table === 'volumes' && usedVolumes().has(name)) attempt(change, () => requireUnused(draft, [name]));
      if (table === 'clients') attempt(change, () => requireIdle(draft, [name]));
    } else if (table === 'groups' || table === 'domains') {
      attempt(change, () => checkDistinct(trial, table, name));
    } else if (table === 'nodes') {
      attempt(change, () => checkNode(trial, name, before as NodeRecord));
    } else if (table === 'volumes') {
      attempt(change, () => checkVolume(trial, name, before as VolumeRecord));
    } else if (table === 'access') {
      attempt(change, () => checkPair(trial, name));
    } else if (table === 'volumeAccess') {
      attempt(change, () => checkControl(trial, name, before as VolumeAccessRecord));
    }
  }
  return broken;
}
