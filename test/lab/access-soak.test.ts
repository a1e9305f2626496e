/** The soak of access control in short: real agents, real mounts, applications, kills; and that it notices what it must. Needs root. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { whyNoMounts } from '../../scripts/access/real-mounts.js';
import { soak } from '../../scripts/access/soak-run.js';
import { tempDir } from '../kit/cli.js';

describe('clients that write and are killed', () => {
  before(function () {
    const why = whyNoMounts();
    if (why === null) return;
    console.error(`skipped, because ${why}: clients that write and are killed`);
    this.skip();
  });

  const base = () => join(tempDir('soak'), 'lab');

  it('never write one volume at a time, and every writer finds every byte of those before it', async () => {
    const run = { seconds: 20, clients: 6, volumes: 2, seed: 4, faultEveryMs: 1000 };
    const result = await soak({ base: base(), driver: 'mount', ...run });
    assert.deepEqual(result.failures, []);
    assert.ok(result.handovers >= 10, `only ${result.handovers} handovers`);
    assert.ok(result.records >= 100, `only ${result.records} records`);
    assert.ok(result.faults.size >= 3, `only ${[...result.faults.keys()]}`);
  }).timeout(240_000);

  it('are found out when a driver leaves mounts for writing that it calls read-only', async () => {
    const run = { seconds: 10, clients: 3, volumes: 1, seed: 1, faultEveryMs: 60_000, settleMs: 100 };
    const { failures } = await soak({ base: base(), driver: 'lying', ...run });
    const told = failures.join('\n');
    assert.match(told, /is mounted for writing, and the tables name/);
    assert.match(told, /was written from .* when the journal has no mount for writing/);
    assert.match(told, /is rw, not ro/);
  }).timeout(240_000);
});
