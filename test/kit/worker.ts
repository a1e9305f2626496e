/**
 * A process that adds one to the counter, over and over, and writes down what it saw: a line of JSON per change.
 *   node --import tsx test/kit/worker.ts DIR COUNT LOCK(0|1) STALE_MS RECORD
 */
import fs from 'node:fs';
import { CfsError } from '../../src/core/errors.js';
import { openNodeStore } from '../../src/node/store.js';
import { increment } from './store-kit.js';

const [dir, count, lock, staleMs, record] = process.argv.slice(2);
const store = openNodeStore(dir!, {
  lock: lock === '1',
  lockTimes: { staleMs: Number(staleMs), updateMs: 1000 },
});
const out = fs.openSync(record!, 'a');
const now = (): number => Number(process.hrtime.bigint() / 1000n);

for (let i = 0; i < Number(count); i++) {
  const begun = now();
  try {
    const { value, generation } = await store.transact({ operation: 'increment' }, increment, {
      lockTimeoutMs: 600_000,
    });
    fs.writeSync(out, `${JSON.stringify({ pid: process.pid, i, begun, ended: now(), n: value, generation })}\n`);
  } catch (error) {
    if (!(error instanceof CfsError) || error.code !== 'COMMIT_UNSURE') throw error;
    fs.writeSync(out, `${JSON.stringify({ pid: process.pid, i, begun, ended: now(), unsure: error.details })}\n`);
  }
}
