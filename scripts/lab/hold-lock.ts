/**
 * Dies by kill -9 while it holds the lock of the cluster in CFS_DIR, as a node may that loses its power in the middle of a change:
 *
 *     CFS_DIR=/shared/cfs node --import tsx scripts/lab/hold-lock.ts
 */
import { openCluster } from '../../src/open.js';

const cluster = await openCluster({ dir: process.env.CFS_DIR ?? '' });
await cluster.store.transact({ operation: 'test', request: null, message: null }, () => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('killed');
});
