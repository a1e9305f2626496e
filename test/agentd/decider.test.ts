import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ThreadDecider } from '../../src/agentd/decider.js';
import { cfs, cfsJson, tempDir } from '../kit/cli.js';
import { eventually } from './kit.js';

describe('decisions in a thread', function () {
  this.timeout(60_000);
  const dir = join(tempDir('decider'), 'cfs');
  const leases = join(dir, 'leases');
  const argv = [process.execPath, 'cfs', 'agentd', '--node', 'node1'];

  before(() => {
    cfs(['init', '--sample', '20x5000', '--yes'], { dir });
    cfs(['rebalance'], { dir });
    mkdirSync(leases, { recursive: true });
    for (const node of ['node02', 'node03']) writeFileSync(join(leases, `${node}.5.2.2.10000`), '');
  });

  it('leave the event loop free while thousands of volumes are planned, and are recorded as the agent’s', async () => {
    const decider = new ThreadDecider({ dir, argv, idleMs: 100 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const began = performance.now();
    const outcome = await decider
      .decide('failed', { nodes: [{ node: 'node02', lease: 5, why: 'a test' }] })
      .finally(() => clearInterval(timer));
    const tookMs = performance.now() - began;
    assert.deepEqual([outcome.committed, outcome.generation], [true, 3]);
    assert.deepEqual((outcome.value as { failed: string[] }).failed, ['node02']);
    // On this thread the loop would not have turned once.
    assert.ok(ticks > tookMs / 10 / 4, `${ticks} turns of a 10 ms timer in ${Math.round(tookMs)} ms`);
    const [last] = cfsJson(['history', '--limit', '1'], { dir }).history as { actor: { command: string } }[];
    assert.equal(last!.actor.command, 'cfs agentd --node node1');
    await eventually(() => !decider.isLoaded, 'the thread ends when nothing is asked');
    const again = await decider.decide('failed', { nodes: [{ node: 'node02', lease: 5, why: 'a test' }] });
    assert.equal(again.committed, false, 'the work is done');
    await decider.close();
  });

  it('look at the leases again under the lock', async () => {
    const decider = new ThreadDecider({ dir, argv });
    writeFileSync(join(leases, 'node03.6.2.2.10000'), '');
    const outcome = await decider.decide('failed', { nodes: [{ node: 'node03', lease: 5, why: 'a test' }] });
    assert.equal(outcome.committed, false);
    assert.match(JSON.stringify(outcome.value), /renewed meanwhile/);
    await decider.close();
  });

  it('fail with the error of the store, code and all', async () => {
    const decider = new ThreadDecider({ dir: tempDir('none'), argv });
    await assert.rejects(decider.decide('recovered', { node: 'node1' }), { code: 'CLUSTER_NOT_FOUND' });
    await decider.close();
  });
});
