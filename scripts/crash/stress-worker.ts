/**
 * One of the processes of the stress test: adds one to the weight of its volumes, over and over, and records what it saw.
 * Every line of its record: {worker, i, volume, before, after, generation, txid, outcome, startNs, endNs}; monotonic time, the
 * same clock for all processes of this machine. Started by stress.ts; arguments as JSON in argv[2].
 */
import fs from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { CfsError } from '../../src/core/errors.js';
import type { Draft } from '../../src/core/store/store.js';
import { openNodeStore } from '../../src/node/store.js';

export interface WorkerJob {
  dir: string;
  worker: number;
  commits: number;
  record: string;
  lock: boolean;
  staleMs: number;
  volumes: string[];
  /** Longest pause between two changes, ms: so that the test lasts as long as its stopped holders need. */
  pauseMs: number;
}

export interface Seen {
  worker: number;
  i: number;
  volume: string;
  /** Weight before and after, in the attempt that was committed. */
  before: number;
  after: number;
  generation: number;
  txid: string | null;
  outcome: 'done' | 'unsure' | 'busy';
  startNs: string;
  endNs: string;
}

async function work(job: WorkerJob): Promise<void> {
  const store = openNodeStore(job.dir, {
    lock: job.lock,
    lockTimes: { staleMs: job.staleMs, updateMs: Math.floor(job.staleMs / 2) },
  });
  const record = fs.openSync(job.record, 'a');
  for (let i = 0; i < job.commits; ) {
    const volume = job.volumes[(i + job.worker) % job.volumes.length]!;
    let before = 0;
    const increment = (draft: Draft): void => {
      const now = draft.table('volumes').get(volume)!;
      before = now.weight;
      draft.put('volumes', volume, { ...now, weight: before + 1 });
    };
    const startNs = process.hrtime.bigint();
    const seen = { worker: job.worker, i, volume };
    let outcome: Pick<Seen, 'outcome' | 'generation' | 'txid'>;
    try {
      const done = await store.transact({ operation: 'stress', request: { worker: job.worker, i } }, increment, {
        lockTimeoutMs: 120_000,
      });
      outcome = { outcome: 'done', generation: done.generation, txid: done.txid };
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      const { txid = null, generation = 0 } = (error.details ?? {}) as { txid?: string; generation?: number };
      if (error.code === 'COMMIT_UNSURE') outcome = { outcome: 'unsure', generation, txid };
      else if (error.code === 'LOCK_TIMEOUT') outcome = { outcome: 'busy', generation: 0, txid: null };
      else throw error;
    }
    const endNs = process.hrtime.bigint();
    const line: Seen = { ...seen, before, after: before + 1, ...outcome, startNs: `${startNs}`, endNs: `${endNs}` };
    fs.writeSync(record, `${JSON.stringify(line)}\n`);
    // Busy means nothing was changed: again.
    if (outcome.outcome !== 'busy') i += 1;
    if (job.pauseMs > 0) await setTimeout(Math.random() * job.pauseMs);
  }
}

await work(JSON.parse(process.argv[2]!) as WorkerJob);
