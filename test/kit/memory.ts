/** A cluster in memory, for tests of operations: generations, history and undo without a directory. */
import assert from 'node:assert/strict';
import { type UndoResult, undo, undoRequest } from '../../src/core/config/undo.js';
import { CfsError, type ErrorCode } from '../../src/core/errors.js';
import { integrityProblems } from '../../src/core/model/integrity.js';
import { CONFIGURATION_TABLES, type TableName } from '../../src/core/model/tables.js';
import { validateChange } from '../../src/core/model/validate.js';
import type { Operation } from '../../src/core/operation.js';
import { MemoryDraft, memorySnapshot } from '../../src/core/store/draft.js';
import type { Change, GenerationInfo, Snapshot } from '../../src/core/store/store.js';

interface Generation {
  info: GenerationInfo;
  changes: Change[];
  snapshot: Snapshot;
}

export class MemoryCluster {
  /** Index = generation number. */
  readonly generations: Generation[] = [];
  nowMs = Date.UTC(2030, 0, 1);

  constructor(base: Snapshot = memorySnapshot()) {
    this.generations.push({ info: infoOf(base.generation, 'none', null), changes: [], snapshot: base });
  }

  get generation(): number {
    return this.generations.length - 1;
  }

  snapshot(at: number = this.generation): Snapshot {
    return this.generations[at]!.snapshot;
  }

  /** Runs an operation and commits what it changed, as the store would; then the database checks itself. */
  change<Request, Result>(operation: Operation<Request, Result>, request: Request): Result {
    const draft = new MemoryDraft(this.snapshot());
    const result = operation.run(draft, request, { nowMs: this.nowMs });
    const changes = draft.changes();
    for (const change of changes) validateChange(change, draft.format);
    if (changes.length === 0 && draft.format === draft.base.format) return result;
    const snapshot = draft.applied();
    const recorded = operation.recorded?.(request) ?? request;
    // What history holds has been through JSON.
    const kept = JSON.parse(JSON.stringify(recorded)) as unknown;
    this.generations.push({ info: infoOf(snapshot.generation, operation.name, kept), changes, snapshot });
    assert.deepEqual(integrityProblems(snapshot), [], `after ${operation.name}`);
    assertEpochsRise(this.snapshot(this.generation - 1), snapshot);
    return result;
  }

  /** Undoes a generation (default: the newest). */
  undo(generation: number = this.generation, force = false): UndoResult {
    const { info, changes } = this.generations[generation]!;
    return this.change(undo, undoRequest(info, changes, force));
  }

  /** Asserts that the operation is refused with this code and that nothing is changed. Returns the error. */
  refuses<Request>(
    operation: Operation<Request, unknown>,
    request: Request,
    code: ErrorCode,
    message: RegExp,
  ): CfsError {
    const before = this.generation;
    const error = refusal(() => this.change(operation, request), code, message);
    assert.equal(this.generation, before, 'a refused operation makes no generation');
    return error;
  }
}

/** Asserts that the step throws a CfsError with this code and message, and returns it. */
export function refusal(step: () => unknown, code: ErrorCode, message: RegExp): CfsError {
  let caught: unknown = null;
  try {
    step();
  } catch (error) {
    caught = error;
  }
  assert.ok(caught instanceof CfsError, `expected ${code}, got ${String(caught)}`);
  assert.equal(caught.code, code, caught.message);
  assert.match(caught.message, message);
  return caught;
}

/** The same for a step that gives a promise. */
export async function refusalOf(step: () => Promise<unknown>, code: ErrorCode, message: RegExp): Promise<CfsError> {
  const outcome: unknown = await step().then(
    () => null,
    (error: unknown) => error,
  );
  return refusal(
    () => {
      if (outcome !== null) throw outcome;
    },
    code,
    message,
  );
}

function infoOf(generation: number, operation: string, request: unknown): GenerationInfo {
  const actor = { user: 'test', sudoUser: null, host: 'test', pid: 1, command: 'test' };
  const time = '2030-01-01T00:00:00.000Z';
  return { generation, txid: '0', time, operation, request, message: null, actor, counts: {}, repair: null };
}

/** All records of tables as plain data, for comparing. */
export function tablesOf(snapshot: Snapshot, tables: readonly TableName[]): Record<string, unknown> {
  return Object.fromEntries(
    tables.map((table) => [
      table,
      Object.fromEntries([...snapshot.table(table).entries()].sort(([a], [b]) => (a < b ? -1 : 1))),
    ]),
  );
}

/** What is wished: everything that undo, restore and apply may change. */
export function configurationOf(snapshot: Snapshot): Record<string, unknown> {
  return tablesOf(snapshot, CONFIGURATION_TABLES);
}

/** A volume that changes its node gets a higher epoch; one that keeps it keeps the epoch or gets a higher one. */
function assertEpochsRise(before: Snapshot, after: Snapshot): void {
  for (const [name, placement] of after.table('placements').entries()) {
    const earlier = before.table('placements').get(name);
    if (earlier !== undefined && earlier.node !== placement.node && after.table('nodes').has(earlier.node ?? '')) {
      assert.ok(placement.since > earlier.since, `epoch of ${name} rises with its move`);
    }
    assert.ok(earlier === undefined || placement.since >= earlier.since, `epoch of ${name} never falls`);
  }
}
