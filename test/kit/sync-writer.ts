/**
 * A writer and a collector that run to their end at once, without the lock: for interleaving whole commits of others with
 * the single calls of one that is stopped.
 */
import { LowSync } from 'lowdb';
import type { Files } from '../../src/core/platform/files.js';
import { collectGarbage } from '../../src/core/store/compact.js';
import { MemoryDraft, memorySnapshot } from '../../src/core/store/draft.js';
import { openStore, type SharedDirectoryStore } from '../../src/core/store/index.js';
import { ManifestAdapter, type WriteOptions } from '../../src/core/store/lowdb-adapter.js';
import type { Draft } from '../../src/core/store/store.js';
import { hastyPlatform } from './store-kit.js';

export class SyncWriter {
  readonly store: SharedDirectoryStore;
  private readonly adapter: ManifestAdapter;
  private readonly db: LowSync<Draft>;

  constructor(dir: string, files: Files, bounds = {}) {
    this.store = openStore(dir, { platform: hastyPlatform({ files }), lock: false, bounds });
    this.adapter = new ManifestAdapter(this.store.place, this.store.heads, this.store.reader);
    this.db = new LowSync<Draft>(this.adapter, new MemoryDraft(memorySnapshot()));
  }

  /** @returns the generation made, or null if nothing was changed @throws Conflict, CfsError */
  commit(decide: (draft: Draft) => void, more: Partial<WriteOptions> = {}): number | null {
    this.db.read();
    decide(this.db.data);
    const txid = this.store.place.platform.random.hex(8);
    this.adapter.next = { info: { operation: 'other' }, actor: this.store.actor, txid, ...more };
    this.db.write();
    return this.adapter.written.manifest?.gen ?? null;
  }

  /** Raises the floor so that `keep` generations stay, and collects. */
  collect(keep: number): void {
    const floor = Math.max(this.store.heads.newest().floor, this.store.heads.newest().gen + 2 - keep);
    this.commit(() => {}, { floor, always: true });
    collectGarbage(this.store);
  }
}
