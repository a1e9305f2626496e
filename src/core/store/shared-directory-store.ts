/**
 * The store in a shared directory. Reads take no lock; changes run under the courtesy lock and are committed by the
 * exclusive link of their manifest (spec/commit-protocol.md).
 */
import { LowSync } from 'lowdb';
import { CfsError } from '../errors.js';
import type { TableName } from '../model/tables.js';
import { isSystemCallError } from '../platform/files.js';
import type { Hold } from '../platform/interrupts.js';
import { checkStore } from './check.js';
import { Conflict } from './commit.js';
import { diffManifests } from './diff.js';
import { MemoryDraft, memorySnapshot } from './draft.js';
import { Heads } from './head.js';
import { interrupted, Lock } from './lock.js';
import type { LockPolicy, LockTimes } from './lock-policy.js';
import { ManifestAdapter, type WriteOptions } from './lowdb-adapter.js';
import { infoOf, type Manifest } from './manifest.js';
import type { Place } from './place.js';
import { StoredSnapshot } from './snapshot.js';
import type {
  Actor,
  Change,
  CommitInfo,
  Draft,
  GenerationInfo,
  Snapshot,
  Store,
  TransactOptions,
  TransactOutcome,
} from './store.js';
import { Collected, TableReader } from './table-reader.js';

export interface StoreSettings {
  /** Times of the lock; reads the newest generation if the cluster has a policy. */
  lockPolicy: (snapshot: () => Snapshot) => LockPolicy;
  /** False: go without the lock. Every promise still holds; more work is wasted. A test aid. */
  lock: boolean;
  /** Who commits; default: this process. */
  actor: Actor | null;
  /** Check everything after each commit (CFS_VERIFY=1). */
  verify: boolean;
}

/** Deciding longer than this gives way to the event loop once before it commits, so that Ctrl-C is heard. */
const LONG_DECISION_MS = 20;
/** A loop of commits gives way this often. */
const YIELD_EVERY_MS = 50;
const LONGEST_TEXT = 16 * 1024;

export class SharedDirectoryStore implements Store {
  /** For the maintenance functions of this folder. */
  readonly heads: Heads;
  readonly reader: TableReader;
  private readonly adapter: ManifestAdapter;
  private readonly db: LowSync<Draft>;
  private lock: Lock | null = null;
  private policy: LockPolicy | null = null;
  private yieldedMs = 0;

  constructor(
    readonly place: Place,
    /** The cluster's identity. */
    readonly cluster: string,
    private readonly settings: StoreSettings,
  ) {
    this.heads = new Heads(place);
    this.reader = new TableReader(place, () => this.heads.newest().floor);
    this.adapter = new ManifestAdapter(place, this.heads, this.reader);
    this.db = new LowSync<Draft>(this.adapter, new MemoryDraft(memorySnapshot()));
  }

  get dir(): string {
    return this.place.paths.root;
  }

  get lockTimes(): LockTimes {
    return this.lockPolicy().times;
  }

  snapshot(at?: number): Snapshot {
    return new StoredSnapshot(this.manifest(at), this.reader);
  }

  oldestGeneration(): number {
    return this.heads.newest().floor;
  }

  info(at?: number): GenerationInfo {
    return infoOf(this.manifest(at));
  }

  changesOf(at: number, tables?: readonly TableName[]): Change[] {
    this.manifest(at);
    const manifest = this.heads.at(at);
    const after = new StoredSnapshot(manifest, this.reader);
    if (manifest.changes === null) return this.diffWithParent(manifest, tables);
    const changes: Change[] = [];
    for (const [table, former] of manifest.changes) {
      if (tables !== undefined && !tables.includes(table as TableName)) continue;
      const view = after.table(table as Change['table']);
      for (const [name, before] of former) {
        changes.push({ table: table as Change['table'], name, before, after: view.get(name) ?? null });
      }
    }
    return changes;
  }

  diff(from: number, to: number): Change[] {
    return diffManifests(this.manifest(from), this.manifest(to), this.reader);
  }

  transact<T>(
    info: CommitInfo,
    decide: (draft: Draft) => T,
    options: TransactOptions = {},
  ): Promise<TransactOutcome<T>> {
    return this.change({ info }, decide, options);
  }

  /** As `transact`, with what only maintenance may ask for. */
  async change<T>(
    write: Omit<WriteOptions, 'actor' | 'txid'>,
    decide: (draft: Draft) => T,
    options: TransactOptions = {},
  ): Promise<TransactOutcome<T>> {
    checkInfo(write.info);
    if (options.dryRun) return this.rehearse(decide, options);
    return this.exclusively(options, (hold) => this.attempt(write, decide, options, hold));
  }

  /**
   * Runs an attempt to commit under the lock, again after each conflict, until it ends otherwise or time is up.
   * @throws CfsError LOCK_TIMEOUT, GENERATION_CONFLICT, INTERRUPTED, and what the attempt throws
   */
  async exclusively<T>(options: TransactOptions, attempt: (hold: Hold) => T | Promise<T>): Promise<T> {
    const { clock, random, interrupts } = this.place.platform;
    const timeoutMs = options.lockTimeoutMs ?? this.lockPolicy().timeoutMs;
    const startMs = clock.monotonicMs();
    const hold = interrupts.hold();
    try {
      for (let tries = 1; ; tries++) {
        const leftMs = Math.max(0, timeoutMs - (clock.monotonicMs() - startMs));
        const release = await this.acquire(hold, leftMs, options);
        try {
          return await attempt(hold);
        } catch (error) {
          if (!(error instanceof Conflict || error instanceof Collected)) throw error;
          this.judgeConflict(options, timeoutMs - (clock.monotonicMs() - startMs));
        } finally {
          release();
        }
        await clock.sleep(random.fraction() * 20 * tries);
      }
    } finally {
      hold.release();
    }
  }

  private lockPolicy(): LockPolicy {
    this.policy ??= this.settings.lockPolicy(() => this.snapshot());
    return this.policy;
  }

  /** Who commits. */
  get actor(): Actor {
    return this.settings.actor ?? this.place.platform.processes.actor();
  }

  /**
   * Generation `at`, or the newest.
   * @throws CfsError GENERATION_NOT_FOUND when it is not kept or does not exist yet
   */
  manifest(at?: number): Manifest {
    const head = this.heads.newest();
    if (at === undefined || at === head.gen) return head;
    const missing = (why: string): CfsError =>
      new CfsError('GENERATION_NOT_FOUND', `generation ${at} ${why}`, {
        hint: `Generations ${head.floor} to ${head.gen} can be read.`,
        details: { generation: at, oldest: head.floor, newest: head.gen },
      });
    if (!Number.isSafeInteger(at) || at < 1) throw missing('is not the number of a generation');
    if (at > head.gen) throw missing(`does not exist yet: the newest is ${head.gen}`);
    if (at < head.floor) throw missing(`is not kept any more: the oldest is ${head.floor}`);
    try {
      return this.heads.at(at);
    } catch (error) {
      if (!isSystemCallError(error, 'ENOENT')) throw error;
      if (this.heads.newest().floor > at) throw missing('was collected just now');
      throw new CfsError('MANIFEST_DAMAGED', `the manifest of generation ${at} is missing`, {
        hint: 'Look with: cfs db check',
        details: { path: this.heads.pathOf(at), generation: at },
      });
    }
  }

  private rehearse<T>(decide: (draft: Draft) => T, options: TransactOptions): TransactOutcome<T> {
    for (let attempt = 1; ; attempt++) {
      this.db.read();
      const draft = this.db.data;
      expectGeneration(draft.generation, options);
      try {
        const value = decide(draft);
        const { generation } = draft;
        return { value, changes: draft.changes(), base: generation, generation, committed: false, txid: null };
      } catch (error) {
        if (!(error instanceof Collected) || attempt === 3) throw error;
      }
    }
  }

  /** C2 to C12 once. */
  private async attempt<T>(
    write: Omit<WriteOptions, 'actor' | 'txid'>,
    decide: (draft: Draft) => T,
    options: TransactOptions,
    hold: Hold,
  ): Promise<TransactOutcome<T>> {
    const { clock, random } = this.place.platform;
    this.db.read();
    const draft = this.db.data;
    const base = draft.generation;
    expectGeneration(base, options);
    const startMs = clock.monotonicMs();
    const value = decide(draft);
    await this.giveWay(startMs);
    if (hold.received() !== null) throw interrupted();
    // Another change of this process may have read meanwhile; from here to the end nothing else runs in it.
    this.db.data = draft;
    this.adapter.next = { ...write, actor: this.actor, txid: random.hex(8) };
    this.db.write();
    const { manifest, changes } = this.adapter.written;
    if (manifest === null) return { value, changes, base, generation: base, committed: false, txid: null };
    if (this.settings.verify) this.verify(manifest);
    return { value, changes, base, generation: manifest.gen, committed: true, txid: manifest.txid };
  }

  private async acquire(hold: Hold, timeoutMs: number, options: TransactOptions): Promise<() => void> {
    if (!this.settings.lock) return () => {};
    this.lock ??= new Lock(this.place, this.lockTimes);
    const generation = this.heads.knownGeneration;
    return this.lock.acquire({ timeoutMs, onWait: options.onWait, hold, generation });
  }

  private async giveWay(startMs: number): Promise<void> {
    const { clock } = this.place.platform;
    const nowMs = clock.monotonicMs();
    if (nowMs - startMs < LONG_DECISION_MS && nowMs - this.yieldedMs < YIELD_EVERY_MS) return;
    await clock.yieldTurn();
    this.yieldedMs = clock.monotonicMs();
  }

  /** After a conflict: returns to have it tried again. @throws CfsError GENERATION_CONFLICT, LOCK_TIMEOUT */
  private judgeConflict(options: TransactOptions, leftMs: number): void {
    if (options.expectGeneration !== undefined) expectGeneration(this.heads.newest().gen, options);
    if (leftMs > 0) return;
    throw new CfsError('LOCK_TIMEOUT', 'other writers were faster every time; nothing was changed', {
      hint: 'Try again, or wait longer with --lock-timeout.',
    });
  }

  private diffWithParent(manifest: Manifest, tables?: readonly TableName[]): Change[] {
    const head = this.heads.newest();
    const parent = manifest.repair?.from ?? manifest.gen - 1;
    if (manifest.parent === null) return diffManifests(null, manifest, this.reader, tables);
    if (parent < head.floor) {
      throw new CfsError(
        'GENERATION_NOT_FOUND',
        `generation ${parent}, which ${manifest.gen} was built on, is not kept any more`,
        {
          hint: `What ${manifest.gen} changed was too much to be kept with it; its counts are in: cfs history`,
          details: { generation: parent, oldest: head.floor },
        },
      );
    }
    return diffManifests(this.manifest(parent), manifest, this.reader, tables);
  }

  private verify(manifest: Manifest): void {
    const { problems } = checkStore(this);
    if (problems.length === 0) return;
    throw new CfsError(
      'MANIFEST_DAMAGED',
      `generation ${manifest.gen} was committed, but the check after it found: ${problems[0]!.message}`,
      {
        hint: 'Look with: cfs db check',
        details: { problems, txid: manifest.txid },
      },
    );
  }
}

function expectGeneration(generation: number, options: TransactOptions): void {
  const expected = options.expectGeneration;
  if (expected === undefined || expected === generation) return;
  throw new CfsError(
    'GENERATION_CONFLICT',
    `generation ${expected} was expected, but the newest is ${generation}; nothing was changed`,
    {
      hint: `See what changed: cfs diff ${expected} ${generation}`,
      details: { expected, newest: generation },
    },
  );
}

function checkInfo(info: CommitInfo): void {
  if ((info.message?.length ?? 0) > LONGEST_TEXT) {
    throw new CfsError('BAD_VALUE', `the message is longer than ${LONGEST_TEXT} characters`, {
      hint: 'Say it in fewer words.',
    });
  }
}
