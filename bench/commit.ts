/**
 * Commits per second in one process, lock included, as a ratio to a C loop that does the same flushes (spec/performance.md).
 * Both run in turns in the same directory tree, so that a slow phase of the disk hits both.
 *
 *   node --import tsx bench/commit.ts [rounds] [commits per round] [volumes]
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SharedDirectoryStore } from '../src/core/store/index.js';
import { initNodeStore } from '../src/node/store.js';

const GOAL = 1.5;
const [rounds = 5, commits = 1000, volumes = 1000] = process.argv.slice(2).map(Number);
const here = path.dirname(fileURLToPath(import.meta.url));
const work = fs.mkdtempSync(path.join(process.env.CFS_BENCH_DIR ?? os.tmpdir(), 'cfs-bench-'));

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function cluster(name: string, lock: boolean): SharedDirectoryStore {
  return initNodeStore(path.join(work, name), { info: { operation: 'init' }, lock }, (draft) => {
    draft.put('cluster', 'n', { value: 0 });
    for (let i = 0; i < volumes; i++) {
      draft.put('volumes', `v${i}`, {
        weight: 1,
        group: null,
        domains: ['ALL'],
        preferredNode: null,
        canGroupMigrate: true,
      });
    }
  }).store;
}

/** Changes one setting, over and over; or a different volume each time, so that the overlay fills and folds. */
async function loop(store: SharedDirectoryStore, spread: boolean): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < commits; i++) {
    await store.transact({ operation: 'bench' }, (draft) => {
      if (spread) {
        const name = `v${Math.floor(Math.random() * volumes)}`;
        draft.put('volumes', name, { ...draft.table('volumes').get(name)!, weight: Math.random() });
      } else draft.put('cluster', 'n', { value: (draft.table('cluster').get('n')!.value as number) + 1 });
    });
  }
  return (commits * 1000) / (performance.now() - start);
}

try {
  const program = path.join(work, 'c-loop');
  execFileSync('cc', ['-O2', '-o', program, path.join(here, 'c-loop.c')]);
  const cases = {
    'one setting, lock': { store: cluster('a', true), spread: false },
    'one setting, no lock': { store: cluster('b', false), spread: false },
    'any volume, lock': { store: cluster('c', true), spread: true },
  };
  const rates: Record<string, number[]> = { 'C loop': [] };
  for (let round = 0; round < rounds; round++) {
    const dir = path.join(work, `c${round}`);
    fs.mkdirSync(dir);
    rates['C loop']!.push(Number(execFileSync(program, [dir, String(commits)])));
    for (const [name, { store, spread }] of Object.entries(cases)) {
      rates[name] ??= [];
      rates[name].push(await loop(store, spread));
    }
  }
  const floor = median(rates['C loop']!);
  console.log(
    `${rounds} rounds of ${commits} commits, ${volumes} volumes; medians; goal: ${GOAL} x the C loop with the lock`,
  );
  for (const [name, values] of Object.entries(rates)) {
    const rate = median(values);
    console.log(`${name.padEnd(22)} ${rate.toFixed(0).padStart(6)}/s   ${(floor / rate).toFixed(2)} x`);
  }
} finally {
  fs.rmSync(work, { recursive: true, force: true });
}
