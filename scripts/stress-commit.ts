/**
 * The large form of the concurrency test (spec/commit-protocol.md section 10, item 5): 8 processes x 500 increments with
 * 20 lock holders stopped past the stale time; then the same without the lock.
 *
 *   node --import tsx scripts/stress-commit.ts [processes] [increments] [stops]
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { nodePlatform } from '../src/node/platform.js';
import { newCluster } from '../test/kit/store-kit.js';
import { stress } from '../test/kit/stress.js';

const [processes = 8, increments = 500, stops = 20] = process.argv.slice(2).map(Number);
let failed = false;
for (const lock of [true, false]) {
  const work = fs.mkdtempSync(path.join(process.env.CFS_STRESS_DIR ?? os.tmpdir(), 'cfs-stress-'));
  const dir = path.join(work, 'cluster');
  newCluster({ platform: nodePlatform() }, dir);
  const report = await stress({ dir, processes, increments, stops, lock, staleMs: 2000 });
  const { seconds, changes, unsure, stopped, problems } = report;
  console.log(
    `${lock ? 'with' : 'without'} the lock: ${changes} changes by ${processes} processes in ${seconds.toFixed(1)} s, ` +
      `${stopped} times one was stopped, ${unsure} unsure, ${problems.length} problems`,
  );
  for (const problem of problems) console.log(`  ${problem}`);
  if (problems.length > 0) {
    failed = true;
    console.log(`  kept: ${work}`);
  } else fs.rmSync(work, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
