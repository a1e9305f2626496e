/**
 * The store: tables, generations, history. The interface that every engine gives (SharedDirectoryStore today, etcd later);
 * nothing outside this folder knows which one it has.
 *
 * Promises of every implementation (spec/commit-protocol.md section 1):
 * - P1 A snapshot holds all tables of one generation, never a mixture.
 * - P2 A change reported as committed is in every later generation's history.
 * - P3 Committed means it survives power loss, as far as the file system honours fsync.
 * - P4 Any outcome but `committed` and COMMIT_UNSURE means that nothing was changed.
 * - P5 Readers take no lock, never wait, and never see the generation go down within one process.
 * - P6 Damage is refused with MANIFEST_DAMAGED or TABLE_DAMAGED, never guessed around.
 */
import type { AnyRecord, TableName, Tables } from '../model/tables.js';

/** The records of one table at one generation. Reading a record costs what its shard costs, not the table. */
export interface TableView<R> {
  /** Number of records; known without reading them. */
  readonly count: number;
  get(name: string): R | undefined;
  has(name: string): boolean;
  /** All records, in no particular order. Reads the whole table. */
  entries(): Iterable<[string, R]>;
  names(): Iterable<string>;
}

/** All tables at one generation, read-only. Records must not be modified by the caller. */
export interface Snapshot {
  readonly generation: number;
  /** Format that this generation is written in (core/model/format.ts). */
  readonly format: number;
  table<N extends TableName>(name: N): TableView<Tables[N]>;
}

/** One record that differs between two generations; null: absent on that side. */
export interface Change {
  table: TableName;
  name: string;
  before: AnyRecord | null;
  after: AnyRecord | null;
}

/** A snapshot that a decision may change. Nothing leaves it until the store commits it. */
export interface Draft extends Snapshot {
  /** The generation that will hold these changes if they are committed (`generation` is the base). */
  readonly nextGeneration: number;
  put<N extends TableName>(table: N, name: string, record: Tables[N]): void;
  remove(table: TableName, name: string): void;
  /** Raises the format: makes a generation also when no record changes. Lowering it is a bug. */
  setFormat(format: number): void;
  /** What differs from the base by value, in order of table (TABLE_NAMES) and then natural order of names. */
  changes(): Change[];
}

export interface Actor {
  user: string;
  /** The user who called sudo, if any. */
  sudoUser: string | null;
  host: string;
  pid: number;
  /** The command line, as typed. */
  command: string;
}

/** What a commit says of itself; goes into history. */
export interface CommitInfo {
  /** Name of the operation (`node.add`, `rebalance` …). */
  operation: string;
  /** The operation's request, so that the decision can be replayed; small plain JSON. */
  request?: unknown;
  message?: string | null;
}

/** One generation, as history shows it. */
export interface GenerationInfo {
  generation: number;
  txid: string;
  /** RFC 3339, UTC; information only, nothing is decided by it. */
  time: string;
  operation: string;
  request: unknown;
  message: string | null;
  actor: Actor;
  /** Records changed, per table. */
  counts: Partial<Record<TableName, number>>;
  /** Set on a generation that a repair published. */
  repair: { from: number; skips: number[] } | null;
}

export interface TransactOptions {
  /** Fail with GENERATION_CONFLICT unless the base is exactly this generation. */
  expectGeneration?: number;
  /** Run the decision, commit nothing, take no lock. */
  dryRun?: boolean;
  /** How long to wait for the lock (and for retries), ms; default the store's. */
  lockTimeoutMs?: number;
  /** Called while waiting for the lock, at most a few times a second, with the holder where it is known. */
  onWait?: (holder: LockHolder | null, waitedMs: number) => void;
}

export interface TransactOutcome<T> {
  /** What the decision returned (of the attempt that was committed). */
  value: T;
  changes: Change[];
  /** Base generation of that attempt. */
  base: number;
  /** The generation made; equals `base` if nothing changed or on a dry run. */
  generation: number;
  committed: boolean;
  txid: string | null;
}

export interface LockHolder {
  host: string;
  pid: number;
  user: string;
  command: string;
  /** RFC 3339. */
  since: string;
}

export interface Store {
  /**
   * The newest generation, or generation `at`.
   * @throws CfsError GENERATION_NOT_FOUND, MANIFEST_DAMAGED, TABLE_DAMAGED, FORMAT_TOO_NEW, CLUSTER_NOT_FOUND
   */
  snapshot(at?: number): Snapshot;

  /**
   * Runs a decision on a draft of the newest generation under the lock and commits what it changed as one generation.
   * The decision must be a pure function of the draft: it runs again after a conflict. If it throws, nothing is changed.
   * A decision that changes nothing makes no generation. The generation has the format of its base, unless the decision raised it.
   * @throws CfsError LOCK_TIMEOUT, GENERATION_CONFLICT, COMMIT_UNSURE (details.txid), NO_SPACE, IO_ERROR, READ_ONLY …
   */
  transact<T>(info: CommitInfo, decide: (draft: Draft) => T, options?: TransactOptions): Promise<TransactOutcome<T>>;

  /** Oldest generation that is still kept. */
  oldestGeneration(): number;

  /** The information of generation `at` (default: the newest). @throws CfsError GENERATION_NOT_FOUND */
  info(at?: number): GenerationInfo;

  /**
   * What generation `at` changed.
   * @param tables only in these: the others are not read
   * @throws CfsError GENERATION_NOT_FOUND when it or what it needs is collected.
   */
  changesOf(at: number, tables?: readonly TableName[]): Change[];

  /** The records that differ between two generations; costs what differs, not what there is. */
  diff(from: number, to: number): Change[];
}
