/**
 * A cluster as commands, agents and scripts hold it: its store, and `change`, which runs an operation as one generation.
 * Example: `const cluster = await openCluster({ dir }); await cluster.change(nodeSet, { name: 'n1', weight: 2 });`
 */
import type { Operation } from './operation.js';
import type { Draft, Snapshot, Store, TransactOptions, TransactOutcome } from './store/store.js';

export interface ChangeOptions extends TransactOptions {
  /** Why; goes into history. */
  message?: string | null;
}

/** `S` is the engine; maintenance (check, repair, compaction …) belongs to an engine, everything else to any. */
export interface Cluster<S extends Store = Store> {
  /** The cluster directory, absolute. */
  readonly dir: string;
  readonly store: S;
  /** The newest generation, or generation `at`. See Store.snapshot. */
  snapshot(at?: number): Snapshot;
  /**
   * Runs an operation on the newest generation, validates the records that it changed and commits them as one generation.
   * @throws CfsError what the operation refuses, BAD_VALUE for a record outside its schema, and what Store.transact throws.
   */
  change<Request, Result>(
    operation: Operation<Request, Result>,
    request: Request,
    options?: ChangeOptions,
  ): Promise<TransactOutcome<Result>>;
}

/** Wraps a store. `nowMs` gives wall-clock time; records say until when with it, nothing else is decided by it. */
export function clusterOf<S extends Store>(dir: string, store: S, nowMs: () => number = Date.now): Cluster<S> {
  return {
    dir,
    store,
    snapshot: (at) => store.snapshot(at),
    async change(operation, request, options = {}) {
      const { message = null, ...transact } = options;
      const decide = await decision(operation, request, nowMs);
      const recorded = operation.recorded?.(request) ?? request;
      return store.transact({ operation: operation.name, request: recorded, message }, decide, transact);
    },
  };
}

/** The decision that a store runs for an operation: the operation itself, then the check of every changed record. */
export async function decision<Request, Result>(
  operation: Operation<Request, Result>,
  request: Request,
  nowMs: () => number = Date.now,
): Promise<(draft: Draft) => Result> {
  // Loaded here: reading commands never need the schemas, and start-up is what users wait for most.
  const { validateChange } = await import('./model/validate.js');
  return (draft) => {
    const result = operation.run(draft, request, { nowMs: nowMs() });
    for (const change of draft.changes()) validateChange(change, draft.format);
    return result;
  };
}
