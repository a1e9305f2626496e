import assert from 'node:assert/strict';
import path from 'node:path';
import { nodePlatform } from '../../src/node/platform.js';
import { newCluster, temporaryDirectory } from '../kit/store-kit.js';
import { stress } from '../kit/stress.js';

describe('several processes that add to one counter', function () {
  this.timeout(60_000);
  for (const lock of [true, false]) {
    it(`lose and double nothing, with holders stopped past the stale time, ${lock ? 'under the lock' : 'without the lock'}`, async () => {
      const dir = path.join(temporaryDirectory(), 'cluster');
      newCluster({ platform: nodePlatform() }, dir);
      const report = await stress({ dir, processes: 3, increments: 40, stops: lock ? 1 : 6, lock, staleMs: 2000 });
      assert.deepEqual(report.problems, []);
      assert.equal(report.changes, 120);
    });
  }
});
