/** Acceptance: "50 clients ask for one volume at once, each holding it 100 ms: everyone gets it, in the order of asking, never two at once." */
import assert from 'node:assert/strict';
import { accessCluster } from '../kit/access-cluster.js';
import { askAtOnce, disorder, manyClients } from '../kit/fairness.js';

describe('fifty clients that ask for one volume at once', function () {
  this.timeout(300_000);

  it('each get it, in the order of asking, never two at once; 50 real processes, each holding it for 100 ms', async () => {
    const dir = await accessCluster();
    const clients = await manyClients(dir, 'v2', 50, 'w');
    const { rights, violations, failures } = await askAtOnce(dir, 'v2', clients, { holdMs: 100, waitFor: '240s' });
    assert.deepEqual(failures, []);
    assert.deepEqual(violations, [], 'every generation of the history');
    assert.deepEqual(disorder(rights), []);
    assert.deepEqual(rights.map(({ client }) => client).sort(), [...clients].sort());
    for (const { asked, since, until } of rights.slice(1)) {
      assert.ok(asked !== null && asked < since, 'all but the first had to wait');
      assert.ok(until !== null && until > since);
    }
  });
});
