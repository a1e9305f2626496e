/**
 * The other process of bench/access.ts: watches a cluster directory by the watch code that `cfs watch` and agents share, and prints
 * `GENERATION TIME` for each generation, TIME being CLOCK_MONOTONIC in ms when it was noticed.
 *
 *     access-watch DIR
 */
import { monotonicMs } from '../scripts/lab/proc.js';
import { watchStore } from '../src/core/store/watch.js';
import { watchHint } from '../src/node/watch-hint.js';
import { openCluster } from '../src/open.js';

const { store } = await openCluster({ dir: process.argv[2]! });
console.log('ready');
for await (const item of watchStore(store, { hint: watchHint })) {
  if (item.kind === 'generation') console.log(`${item.info.generation} ${monotonicMs()}`);
}
