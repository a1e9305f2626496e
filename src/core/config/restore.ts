/**
 * Restoring: the configuration tables become equal to those of a backup or of an earlier generation, as one new generation.
 * States, epochs and the places of volumes that are there before and after stay as they are (DESIGN.md, "Tables"); so do logons,
 * writers and requests, except that whoever loses the right to mount loses its mount and its request.
 */
import { requireUnused } from '../access/cascade.js';
import { removeClients, requireIdle } from '../access/clients.js';
import { followRights, requireNoWriter } from '../access/follow.js';
import { CfsError } from '../errors.js';
import { removeMembership } from '../membership/records.js';
import { someNames } from '../model/find.js';
import { integrityProblems } from '../model/integrity.js';
import { quoteName } from '../model/names.js';
import { type AnyRecord, CONFIGURATION_TABLES, type TableName } from '../model/tables.js';
import type { Operation } from '../operation.js';
import { sameValue } from '../store/draft.js';
import type { Draft, Snapshot, TableView } from '../store/store.js';
import type { Counts } from './apply.js';
import { volumesByNode } from './references.js';
import { dropVolumes } from './volumes.js';

export interface RestoreRequest {
  /** What is restored, for history and messages: `generation 12`, a backup's name. */
  source: string;
  /** The tables to return to: an earlier snapshot, or a backup's records (`memorySnapshot`). */
  target: Snapshot;
}

export interface RestoreResult {
  added: Counts;
  changed: Counts;
  removed: Counts;
  /** Volumes that came back; they are not yet placed. */
  unplaced: string[];
  /** Nodes that came back; they are offline. */
  offline: string[];
}

/** @throws CfsError NODE_IN_USE naming up to five of the nodes that would go and still administer volumes */
function refuseNodesAtWork(draft: Draft, target: Snapshot): void {
  const { held } = volumesByNode(draft);
  const kept = target.table('nodes');
  const atWork = [...held.keys()].filter((node) => !kept.has(node));
  if (atWork.length === 0) return;
  throw new CfsError('NODE_IN_USE', `Nodes that would be removed administer volumes: ${someNames(atWork)}`, {
    hint: `Move them away first: cfs node standby ${atWork[0]}`,
    details: { nodes: atWork.slice(0, 20) },
  });
}

/** Removes what the target does not have. @throws CfsError VOLUME_IN_USE, CLIENT_IN_USE for what clients use now */
function removeGone(draft: Draft, gone: ReadonlyMap<TableName, readonly string[]>): void {
  const [volumes, clients] = [gone.get('volumes') ?? [], gone.get('clients') ?? []];
  if (volumes.length > 0) {
    requireUnused(draft, volumes);
    dropVolumes(draft, volumes);
  }
  if (clients.length > 0) {
    requireIdle(draft, clients);
    removeClients(draft, clients);
  }
  for (const [table, names] of gone) {
    for (const name of names) if (draft.table(table).has(name)) draft.remove(table, name);
  }
}

/** Rights that the changes of the draft concern. @throws CfsError VOLUME_HAS_WRITER where media become read-only */
function followChangedRights(draft: Draft, changed: ReadonlyMap<TableName, readonly string[]>, nowMs: number): void {
  const volumes = changed.get('volumeAccess') ?? [];
  for (const volume of volumes) {
    if (draft.table('volumeAccess').get(volume)?.readOnlyMedia) requireNoWriter(draft, volume);
  }
  followRights(draft, { pairs: changed.get('access') ?? [], volumes }, nowMs);
}

/** Makes the configuration equal to the target's. @throws CfsError NODE_IN_USE, VOLUME_IN_USE, CLIENT_IN_USE, BACKUP_DAMAGED */
export const restore: Operation<RestoreRequest, RestoreResult> = {
  name: 'restore',
  run(draft, request, { nowMs }) {
    const { target } = request;
    const result: RestoreResult = { added: {}, changed: {}, removed: {}, unplaced: [], offline: [] };
    const gone = new Map<TableName, string[]>();
    const changes = new Map<TableName, string[]>();
    for (const table of CONFIGURATION_TABLES) {
      const then = target.table(table);
      const names = [...draft.table(table).names()].filter((name) => !then.has(name));
      if (names.length === 0) continue;
      gone.set(table, names);
      changes.set(table, [...names]);
      result.removed[table] = names.length;
    }
    removeGone(draft, gone);
    for (const table of CONFIGURATION_TABLES) {
      const now = draft.table(table) as TableView<AnyRecord>;
      const then = target.table(table) as TableView<AnyRecord>;
      const changed = changes.get(table) ?? [];
      changes.set(table, changed);
      for (const [name, record] of then.entries()) {
        const before = now.get(name);
        if (before !== undefined && sameValue(before, record)) continue;
        draft.put(table, name, record as never);
        changed.push(name);
        const how = before === undefined ? result.added : result.changed;
        how[table] = (how[table] ?? 0) + 1;
        if (before !== undefined) continue;
        if (table === 'volumes') result.unplaced.push(name);
        if (table === 'nodes') result.offline.push(name);
      }
    }
    refuseNodesAtWork(draft, target);
    followChangedRights(draft, changes, nowMs);
    for (const name of [...draft.table('membership').names()]) {
      if (!draft.table('nodes').has(name)) removeMembership(draft, name);
    }
    for (const name of result.offline) {
      draft.put('membership', name, { state: 'offline', reason: `restored from ${request.source}`.slice(0, 500) });
    }
    const [problem] = integrityProblems(draft, 1);
    if (problem !== undefined) {
      throw new CfsError(
        'BACKUP_DAMAGED',
        `The records of ${request.source} do not fit together: table ${problem.table}, record ${quoteName(problem.name)}: ${problem.says}`,
        { details: { ...problem } },
      );
    }
    return result;
  },
  recorded: ({ source }) => ({ source }),
};
