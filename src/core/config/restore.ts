/**
 * Restoring: the configuration tables become equal to those of a backup or of an earlier generation, as one new generation.
 * States, epochs and the places of volumes that are there before and after stay as they are (DESIGN.md, "Tables").
 */
import { CfsError } from '../errors.js';
import { removeMembership } from '../membership/records.js';
import { someNames } from '../model/find.js';
import { integrityProblems } from '../model/integrity.js';
import { quoteName } from '../model/names.js';
import { type AnyRecord, CONFIGURATION_TABLES } from '../model/tables.js';
import type { Operation } from '../operation.js';
import { sameValue } from '../store/draft.js';
import type { Draft, Snapshot, TableView } from '../store/store.js';
import type { Counts } from './apply.js';
import { volumesByNode } from './references.js';
import { removeVolume } from './volumes.js';

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

/** Makes the configuration equal to the target's. @throws CfsError NODE_IN_USE, BACKUP_DAMAGED */
export const restore: Operation<RestoreRequest, RestoreResult> = {
  name: 'restore',
  run(draft, request) {
    const { target } = request;
    const result: RestoreResult = { added: {}, changed: {}, removed: {}, unplaced: [], offline: [] };
    for (const table of CONFIGURATION_TABLES) {
      const now = draft.table(table) as TableView<AnyRecord>;
      const then = target.table(table) as TableView<AnyRecord>;
      const gone = [...now.names()].filter((name) => !then.has(name));
      for (const name of gone) {
        if (table === 'volumes') removeVolume(draft, name);
        else draft.remove(table, name);
        result.removed[table] = (result.removed[table] ?? 0) + 1;
      }
      for (const [name, record] of then.entries()) {
        const before = now.get(name);
        if (before !== undefined && sameValue(before, record)) continue;
        draft.put(table, name, record as never);
        const how = before === undefined ? result.added : result.changed;
        how[table] = (how[table] ?? 0) + 1;
        if (before !== undefined) continue;
        if (table === 'volumes') result.unplaced.push(name);
        if (table === 'nodes') result.offline.push(name);
      }
    }
    refuseNodesAtWork(draft, target);
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
