/** The commands that are killed, cut off and failed, each with the cluster that it runs on. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { openCluster, volumeSet } from '../../src/index.js';
import { type App, must, mustCfs } from './app.js';
import { chosen } from './report.js';

export interface Victim {
  name: string;
  /** Makes the cluster in `dir`; absent: there is none yet. */
  prepare?: (app: App, dir: string) => Promise<void> | void;
  args: readonly string[];
  input?: string;
}

/** More than 16 shards of 64 KiB, so that the table has an index file. */
const LARGE = '4x14000';
const SMALL = '4x12';
/** What one commit keeps in its overlay is under 64 KiB: so many new volumes fold. */
const BULK = 1500;

/** The volumes that `n` generations change, one each. */
async function changes(dir: string, n: number): Promise<void> {
  const cluster = await openCluster({ dir });
  const names = [...cluster.snapshot().table('volumes').names()].sort();
  for (let i = 0; i < n; i++) await cluster.change(volumeSet, { name: names[i % names.length]!, weight: 100 + i });
  // A process keeps the lock until its event loop has turned.
  await setTimeout(20);
  if (fs.existsSync(path.join(dir, 'lock'))) throw new Error('the lock was not given back');
}

function bulkText(): string {
  const volumes = Array.from({ length: BULK }, (_, i) => ({ name: `bulk${i}`, weight: 1, domains: ['ALL'] }));
  return JSON.stringify({ volumes });
}

/**
 * A small cluster with 150 generations.
 * @param garbage the oldest 50 are dead, but still there, as a collection that was killed leaves them
 */
export async function withHistory(app: App, dir: string, garbage: boolean): Promise<void> {
  mustCfs(app, dir, ['init', '--sample', SMALL, '--yes']);
  await changes(dir, 149);
  if (!garbage) return;
  const manifests = path.join(dir, 'manifests');
  const saved = `${dir}.saved`;
  must(['cp', '-a', manifests, saved]);
  mustCfs(app, dir, ['db', 'compact', '--keep', '100', '--keep-for', '0s']);
  must(['cp', '-a', '-n', `${saved}/.`, manifests]);
  must(['rm', '-r', saved]);
}

async function withGarbage(app: App, dir: string): Promise<void> {
  mustCfs(app, dir, ['init', '--sample', SMALL, '--yes']);
  for (let i = 0; i < 3; i++) {
    await changes(dir, 2);
    mustCfs(app, dir, ['db', 'compact', '--fold']);
  }
  await changes(dir, 98);
  // As a writer that was killed leaves them.
  fs.writeFileSync(path.join(dir, 'manifests/.0000000004.00000000deadbeef.tmp'), 'half of a manif');
  fs.writeFileSync(path.join(dir, 'tables/volumes.4.00000000deadbeef.json'), 'half of a shard');
}

export const VICTIMS: readonly Victim[] = [
  { name: 'init', args: ['init', '--sample', SMALL, '--yes'] },
  {
    name: 'small',
    prepare: async (app, dir) => {
      mustCfs(app, dir, ['init', '--sample', SMALL, '--yes']);
      await changes(dir, 3);
    },
    args: ['volume', 'set', 'vol01', '--weight', '7'],
  },
  {
    name: 'rebalance',
    prepare: (app, dir) => void mustCfs(app, dir, ['init', '--sample', SMALL, '--yes']),
    args: ['rebalance'],
  },
  {
    name: 'undo',
    prepare: async (app, dir) => {
      mustCfs(app, dir, ['init', '--sample', SMALL, '--yes']);
      await changes(dir, 3);
    },
    args: ['undo'],
  },
  {
    name: 'fold',
    prepare: async (app, dir) => {
      mustCfs(app, dir, ['init', '--sample', LARGE, '--yes']);
      await changes(dir, 3);
    },
    args: ['db', 'compact', '--fold'],
  },
  {
    name: 'bulk',
    prepare: (app, dir) => void mustCfs(app, dir, ['init', '--sample', LARGE, '--yes']),
    args: ['volume', 'create', '--file', '-'],
    input: bulkText(),
  },
  { name: 'compact', prepare: withGarbage, args: ['db', 'compact', '--keep', '100', '--keep-for', '0s'] },
];

/** Makes the clusters of the commands chosen by `--op`; null: it begins with nothing. */
export async function prepareAll(app: App, work: string): Promise<{ victim: Victim; dir: string | null }[]> {
  const names = chosen(
    'op',
    VICTIMS.map((v) => v.name),
  );
  const prepared: { victim: Victim; dir: string | null }[] = [];
  for (const victim of VICTIMS.filter((v) => names.includes(v.name))) {
    const dir = victim.prepare === undefined ? null : path.join(work, `prepared-${victim.name}`);
    if (dir !== null) await victim.prepare!(app, dir);
    prepared.push({ victim, dir });
  }
  return prepared;
}
