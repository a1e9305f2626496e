/**
 * Undo: a new generation that takes back what an earlier one changed. Never a rewrite: history keeps both.
 *
 * Configuration goes back record by record; a record that was changed since is not touched (refused, or left out with `force`).
 * Node states are never touched, nor what clients have mounted, write and ask for, except that whoever has no right to mount any more
 * loses its mount. Volumes that the generation moved go back by a new decision, so that epochs only rise, and only
 * where their former node may have them now. See undo-reverts.ts and undo-placements.ts for the two halves.
 */
import { pairOf } from '../access/pair.js';
import { CfsError } from '../errors.js';
import { countOf } from '../model/find.js';
import { naturalCompare, quoteName } from '../model/names.js';
import type { TableName, WriterRecord } from '../model/tables.js';
import type { Operation } from '../operation.js';
import { sameValue } from '../store/draft.js';
import type { Change, Draft, GenerationInfo } from '../store/store.js';
import { renameNodeIn } from './nodes.js';
import { type PlacementReturn, returnPlacements, type StayedVolume } from './undo-placements.js';
import { applyReverts, planReverts, type SkippedRecord } from './undo-reverts.js';
import { renameVolumeIn } from './volumes.js';

/** A name that undo changes back: records, references and state follow it. */
export interface NameReturn {
  table: 'nodes' | 'volumes';
  from: string;
  to: string;
}

export interface UndoRequest {
  /** The generation to take back. */
  generation: number;
  /** Leave out what was changed since, and tell, where undo would otherwise be refused. */
  force?: boolean;
  /** Names that go back, so that what was renamed is not taken for one removed and one added. */
  renames: readonly NameReturn[];
  /** What that generation changed (Store.changesOf). Not kept in history: it is there already. */
  changes: readonly Change[];
}

export interface UndoResult {
  generation: number;
  /** Names that went back. */
  renamed: NameReturn[];
  /** Configuration records taken back. */
  reverted: { table: TableName; name: string }[];
  /** Records left as they are, each with the reason. */
  skipped: SkippedRecord[];
  /** Volumes that went back to the node they had. */
  returned: PlacementReturn[];
  /** Volumes that stay where they are, each with the reason. */
  stayed: StayedVolume[];
  /** Volumes that came back and are not yet placed. */
  unplaced: string[];
  /** Nodes whose state the generation changed; states are never undone. */
  statesKept: string[];
  /** Clients that it logged on or off, mounted for, or gave an answer or a right to write; that is never undone either. */
  clientsKept: string[];
}

/**
 * The request that undoes a generation, from what the store knows of it.
 * @throws CfsError CANNOT_UNDO for one that raised the format: what it allows may be in use
 */
export function undoRequest(info: GenerationInfo, changes: readonly Change[], force = false): UndoRequest {
  if (info.operation === 'cluster.upgrade') {
    throw new CfsError('CANNOT_UNDO', `Generation ${info.generation} cannot be undone: it raised the format`, {
      hint: 'A format never falls: a cluster made of a backup in the older format has that one (cfs db restore --new).',
      details: { generation: info.generation },
    });
  }
  return { generation: info.generation, force, renames: nameReturns(info), changes };
}

/** Names that the generation changed, the other way round. An undo of a renaming is a renaming too. */
function nameReturns(info: Pick<GenerationInfo, 'operation' | 'request'>): NameReturn[] {
  const request = info.request as
    | { name?: unknown; newName?: unknown; renames?: readonly NameReturn[] }
    | null
    | undefined;
  if (info.operation === 'undo') {
    return (request?.renames ?? []).map(({ table, from, to }) => ({ table, from: to, to: from }));
  }
  const table = ({ 'node.rename': 'nodes', 'volume.rename': 'volumes' } as const)[info.operation];
  if (table === undefined || typeof request?.name !== 'string' || typeof request.newName !== 'string') return [];
  return [{ table, from: request.newName.normalize('NFC'), to: request.name.normalize('NFC') }];
}

/** Changes names back, where the new name is still there and the old one free; else the records' own check tells. */
function returnNames(draft: Draft, request: UndoRequest): NameReturn[] {
  const renamed: NameReturn[] = [];
  for (const { table, from, to } of request.renames) {
    const made = request.changes.some(
      (change) => change.table === table && change.name === from && change.after !== null,
    );
    const view = draft.table(table);
    if (!made || !view.has(from) || view.has(to)) continue;
    if (table === 'nodes') renameNodeIn(draft, from, to);
    else renameVolumeIn(draft, from, to);
    renamed.push({ table, from, to });
  }
  return renamed;
}

/**
 * Takes back what a generation changed.
 * @throws CfsError CANNOT_UNDO for the generation that made the cluster, RECORD_CHANGED_SINCE, and what forbids it now: GROUP_IN_USE, NODE_IN_USE …
 */
export const undo: Operation<UndoRequest, UndoResult> = {
  name: 'undo',
  run(draft, request, { nowMs }) {
    const { generation, changes, force = false } = request;
    if (generation <= 1 || madeTheCluster(changes)) {
      throw new CfsError('CANNOT_UNDO', `Generation ${generation} cannot be undone: it made the cluster`, {
        hint: 'A later generation can: see cfs history.',
        details: { generation },
      });
    }
    if (generation > draft.generation) {
      throw new CfsError(
        'GENERATION_NOT_FOUND',
        `There is no generation ${generation}; the newest is ${draft.generation}`,
        {
          details: { generation, newest: draft.generation },
        },
      );
    }
    const renamed = returnNames(draft, request);
    const plan = planReverts(draft, generation, changes, force);
    const { reverted, unplaced } = applyReverts(draft, plan.reverts, generation, nowMs);
    const back = new Set(unplaced);
    const leftOut = new Set(plan.skipped.filter(({ table }) => table === 'volumes').map(({ name }) => name));
    const { returned, stayed } = returnPlacements(draft, plan.placements, { back, leftOut, generation });
    for (const { volume } of returned) back.delete(volume);
    return {
      generation,
      renamed,
      reverted,
      skipped: plan.skipped,
      returned,
      stayed,
      unplaced: [...back],
      statesKept: statesKept(draft, changes),
      clientsKept: clientsKept(draft, changes),
    };
  },
  recorded: ({ generation, force, renames }) => ({
    generation,
    ...(force === true ? { force } : {}),
    ...(renames.length > 0 ? { renames } : {}),
  }),
};

/** An init, or a restore into a new directory: its first generation need not be number 1. */
function madeTheCluster(changes: readonly Change[]): boolean {
  return changes.some(({ table, name, before }) => table === 'cluster' && name === 'name' && before === null);
}

function statesKept(draft: Draft, changes: readonly Change[]): string[] {
  const changed = changes.filter(
    (change) =>
      change.table === 'membership' &&
      change.before !== null &&
      change.after !== null &&
      draft.table('nodes').has(change.name),
  );
  return changed.map((change) => change.name);
}

function clientsKept(draft: Draft, changes: readonly Change[]): string[] {
  const clients = new Set<string>();
  for (const { table, name, before, after } of changes) {
    if (table === 'logons') clients.add(name);
    else if (table === 'mounts' || table === 'requests') clients.add(pairOf(name).client);
    else if (table === 'writers') {
      const [former, later] = [before, after] as (WriterRecord | null)[];
      if (former?.writer === later?.writer && sameValue(former?.yields, later?.yields)) continue;
      for (const record of [former, later]) clients.add(record?.writer ?? '');
    }
  }
  return [...clients].filter((client) => draft.table('clients').has(client)).sort(naturalCompare);
}

/** One sentence on what an undo left out, or null; for the last line of a command. */
export function undoRemainder(result: UndoResult): string | null {
  const parts: string[] = [];
  const { skipped, stayed, unplaced } = result;
  if (skipped.length > 0) parts.push(`${countOf(skipped.length, 'record')} left out`);
  if (stayed.length > 0) parts.push(`${countOf(stayed.length, 'volume')} not moved back`);
  if (unplaced.length > 0) parts.push(`${countOf(unplaced.length, 'volume')} not yet placed`);
  if (result.statesKept.length > 0)
    parts.push(`states not undone: ${result.statesKept.map(quoteName).slice(0, 5).join(', ')}`);
  if (result.clientsKept.length > 0) {
    const clients = result.clientsKept.map(quoteName).slice(0, 5).join(', ');
    parts.push(`what clients have mounted and write is not undone: ${clients}`);
  }
  return parts.length === 0 ? null : `${parts.join('; ')}.`;
}
