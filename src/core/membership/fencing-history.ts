/** The steps of fencing, as generations have recorded them. */
import type { FencingRecord, FencingState } from '../model/tables.js';
import { history } from '../store/history.js';
import type { SharedDirectoryStore } from '../store/shared-directory-store.js';

export interface FencingStep {
  generation: number;
  /** RFC 3339, UTC. */
  time: string;
  node: string;
  /** `ended`: the node has come back, or it was removed. */
  outcome: FencingState | 'ended';
  /** The node that ran the command; null: a person confirmed, or it ended. */
  by: string | null;
  attempts: number;
  message: string | null;
  /** Who made the generation. */
  who: string;
  operation: string;
}

/**
 * Newest first; lazy: each generation costs one manifest. Of a generation made before the fencing table, nothing.
 * @param from generation where to begin (default: the newest)
 * @throws CfsError GENERATION_NOT_FOUND, MANIFEST_DAMAGED
 */
export function* fencingHistory(store: SharedDirectoryStore, from?: number): Iterable<FencingStep> {
  for (const { generation, time, operation, actor, counts } of history(store, from)) {
    if ((counts.fencing ?? 0) === 0) continue;
    const who = `${actor.sudoUser ?? actor.user}@${actor.host}`;
    for (const { table, name, before, after } of store.changesOf(generation)) {
      if (table !== 'fencing') continue;
      const record = (after ?? before) as FencingRecord;
      yield {
        generation,
        time,
        node: name,
        outcome: after === null ? 'ended' : record.state,
        by: after === null ? null : record.by,
        attempts: record.attempts,
        message: after === null ? null : record.message,
        who,
        operation,
      };
    }
  }
}
