import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { clusterSet } from '../../src/core/config/settings.js';
import { createCluster, openCluster } from '../../src/open.js';
import { tempDir } from '../kit/cli.js';

describe('the times of the lock', () => {
  it('are those of the settings lock.timeout and lock.stale', async () => {
    const dir = join(tempDir(), 'c');
    const cluster = await createCluster({ dir, document: { settings: { name: 'c' } } });
    assert.equal(cluster.store.lockTimes.staleMs, 10_000);
    await cluster.change(clusterSet, { settings: { 'lock.timeout': '300ms', 'lock.stale': '4s' } });
    // The lock is given back when the event loop has turned.
    while (existsSync(join(dir, 'lock'))) await new Promise(setImmediate);
    // A lock that nobody renews and that is not yet stale: made as another host would make it.
    mkdirSync(join(dir, 'lock'));
    const again = await openCluster({ dir });
    assert.deepEqual(again.store.lockTimes, { staleMs: 4000, updateMs: 2000 });
    await assert.rejects(again.change(clusterSet, { settings: { name: 'd' } }), { code: 'LOCK_TIMEOUT' });
  });
});
