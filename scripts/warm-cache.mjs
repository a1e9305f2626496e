// Makes the code cache that is shipped in dist/: runs the commonest commands in one process, so that every function they
// compile is in it. Called by the build with the directory of the bundle; works in a process of its own whose output is
// thrown away.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(import.meta.url);
const { load, cacheName, writeCache } = createRequire(import.meta.url)('../bin/run.js');

/** What is run, in this order, on an empty directory. One that fails does no harm: what it compiled is still wanted. */
const TRAINING = [
  ['--version'],
  ['init', '--yes'],
  ['domain', 'add', 'east'],
  ['group', 'add', 'eng'],
  ['node', 'add', 'n1', '--weight', '1', '--domains', 'east', '--groups', 'eng', '--online'],
  ['volume', 'create', 'v1', '--domains', 'east', '--group', 'eng'],
  ['rebalance'],
  ['node', 'set', 'n1', '--weight', '2'],
  ['volume', 'set', 'v1', '--weight', '2'],
  ['node', 'list'],
  ['volume', 'list'],
  ['node', 'list', '--json'],
  ['status'],
  ['check'],
  ['history'],
  ['__complete', '--', 'node', 'show', ''],
];

async function train(dist) {
  const bundle = load(dist);
  for (const argv of TRAINING) await bundle.exports.start(argv, async () => {});
  writeCache(bundle.script, cacheName(bundle.source), [dist]);
}

if (process.argv[2] === 'train') {
  await train(process.argv[3]);
  process.exit(0);
} else {
  const dir = mkdtempSync(join(tmpdir(), 'cfs-warm-'));
  try {
    const { PATH, TMPDIR } = process.env;
    const env = { PATH, HOME: dir, ...(TMPDIR ? { TMPDIR } : {}) };
    const result = spawnSync(process.execPath, [HERE, 'train', process.argv[2]], {
      cwd: dir,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (result.status !== 0) throw new Error(`the code cache could not be made: ${result.stderr}`);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
