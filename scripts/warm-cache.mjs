// Makes the code caches that are shipped in dist/, one for each of the commonest commands. Called by the build with the
// directory of the bundle. Each command runs in a process of its own, whose output is thrown away, on one new cluster.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);

/** In this order; the first makes the cluster. */
const TRAINING = [
  'init --yes',
  '--version',
  'domain add east',
  'group add eng',
  'node add n1 --weight 1 --domains east --groups eng --online',
  'node set n1 --weight 2',
  'node list',
  'node show n1',
  'volume create v1 --domains east --group eng',
  'volume set v1 --weight 2',
  'volume list',
  'rebalance',
  'status',
  'check',
  'history',
  '__complete bash cfs',
];

async function train(dist, argv) {
  const { load, cacheName, writeCache } = createRequire(import.meta.url)('../bin/run.js');
  const { exports, script, key } = load([], dist, []);
  await exports.start(argv, async () => {});
  // A command that refuses (it exists no more, or not yet) leaves no cache: its first user makes it.
  if (!process.exitCode) writeCache(script, key, cacheName(exports.ran()), [dist]);
  process.exit(0);
}

function trainAll(dist) {
  const home = mkdtempSync(join(tmpdir(), 'cfs-warm-'));
  try {
    const env = { PATH: process.env.PATH, HOME: home, TMPDIR: tmpdir() };
    for (const line of TRAINING) {
      const argv = [HERE, 'train', dist, ...line.split(' ')];
      const { status, stderr } = spawnSync(process.execPath, argv, {
        cwd: home,
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      if (status !== 0) throw new Error(`no code cache for cfs ${line}: ${stderr}`);
    }
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

if (process.argv[2] === 'train') await train(process.argv[3], process.argv.slice(4));
else trainAll(process.argv[2]);
