/** Builders for tests of the store: a cluster in a temporary directory, small records, and the names of things. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { VolumeRecord } from '../../src/core/model/tables.js';
import type { Platform } from '../../src/core/platform/platform.js';
import { initStore, openStore, type SharedDirectoryStore, type StoreOptions } from '../../src/core/store/index.js';
import type { Draft } from '../../src/core/store/store.js';
import { nodePlatform } from '../../src/node/platform.js';

const made: string[] = [];

/** An empty directory that is removed after the test process (kept with CFS_KEEP=1). */
export function temporaryDirectory(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'cfs-test-'));
  made.push(dir);
  return dir;
}

process.on('exit', () => {
  if (process.env.CFS_KEEP === '1') return;
  for (const dir of made) fs.rmSync(dir, { recursive: true, force: true });
});

/** A platform whose waiting takes no time: each sleep moves its clocks on instead. */
export function hastyPlatform(overrides: Partial<Platform> = {}): Platform {
  const platform = nodePlatform();
  let skippedMs = 0;
  const clock = {
    nowMs: () => platform.clock.nowMs() + skippedMs,
    monotonicMs: () => platform.clock.monotonicMs() + skippedMs,
    sleep: (ms: number) => {
      skippedMs += ms;
      return platform.clock.yieldTurn();
    },
    sleepSync: (ms: number) => {
      skippedMs += ms;
    },
    yieldTurn: () => platform.clock.yieldTurn(),
  };
  return { ...platform, clock, ...overrides };
}

export function volume(weight: number): VolumeRecord {
  return { weight, group: null, domains: ['ALL'], preferredNode: null, canGroupMigrate: true };
}

/** A cluster with the setting `n` = 0, the counter of the concurrency tests. */
export function newCluster(options: Partial<StoreOptions> = {}, dir = temporaryDirectory()): SharedDirectoryStore {
  const platform = options.platform ?? hastyPlatform();
  return initStore(dir, { platform, ...options, info: { operation: 'init' } }, (draft) => {
    draft.put('cluster', 'n', { value: 0 });
  }).store;
}

export function reopen(store: SharedDirectoryStore, options: Partial<StoreOptions> = {}): SharedDirectoryStore {
  return openStore(store.dir, { platform: hastyPlatform(), ...options });
}

export function counter(store: SharedDirectoryStore): number {
  return store.snapshot().table('cluster').get('n')!.value as number;
}

/** Adds one to the counter. */
export function increment(draft: Draft): number {
  const n = (draft.table('cluster').get('n')!.value as number) + 1;
  draft.put('cluster', 'n', { value: n });
  return n;
}
