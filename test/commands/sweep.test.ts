/** cfs failover --sweep: whose lease has lapsed, by observations or by watching; fencing first; when a takeover waits. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fenceClaim } from '../../src/core/membership/fencing.js';
import { NodeClock } from '../../src/node/clock.js';
import { readObservations, writeObservations } from '../../src/node/observations.js';
import { NodeProcesses } from '../../src/node/processes.js';
import { openCluster } from '../../src/open.js';
import { cfs, cfsJson, runCfs, tempDir } from '../kit/cli.js';
import { changesNothing, errorOf, fileOf, generationOf } from '../kit/commands.js';
import { fencing, putLease, quickCluster, sweep, whileRenewing } from './sweep-kit.js';

const stateOf = (dir: string, node: string) => cfsJson(['show', 'membership', node], { dir });
const recordOf = (shown: Record<string, unknown>) => JSON.stringify(shown);
const nodeOf = (dir: string, volume: string) =>
  (cfsJson(['volume', 'list'], { dir }).volumes as { name: string; currentNode: string }[]).find(
    ({ name }) => name === volume,
  )?.currentNode;

describe('cfs failover --sweep', function () {
  this.timeout(60_000);

  it('takes over from the node whose lease was not renewed while it watched, and from nobody else', async () => {
    const dir = quickCluster();
    putLease(dir, { node: 'n2', seq: 7 });
    const first = await whileRenewing(dir, ['n1'], () => sweep(dir));
    assert.equal(first.status, 0, first.stderr);
    assert.deepEqual(first.json.failed, ['n2']);
    assert.match(JSON.stringify(first.json.quiet), /"lease":7,"why":"lease quiet for 0\.[3-9] s"/);
    assert.match(recordOf(stateOf(dir, 'n2')), /"state":"failed".*"lease":7/);
    assert.match(recordOf(stateOf(dir, 'n1')), /"state":"online"/);
    assert.match(recordOf(stateOf(dir, 'n3')), /"state":"online"/, 'n3 never had an agent');
    assert.notEqual(nodeOf(dir, 'v2'), 'n2');
    const generation = generationOf(dir);
    const second = await whileRenewing(dir, ['n1'], () => sweep(dir));
    assert.equal(second.status, 0);
    assert.deepEqual([second.json.committed, second.json.quiet, generationOf(dir)], [false, [], generation]);
  });

  it('does nothing where no agent ever ran, and keeps nothing', () => {
    const dir = quickCluster();
    const stateDir = join(tempDir('state'), 'none');
    const { stdout } = changesNothing(dir, ['failover', '--sweep', '--state-dir', stateDir]);
    assert.equal(stdout, 'No agent ever ran here.\nNothing to change (generation 3).\n');
    assert.ok(!existsSync(stateDir));
  });

  it('decides at once from what the run before saw, when others have renewed since', async () => {
    const dir = quickCluster();
    cfs(['cluster', 'set', 'lease.timeout=10m'], { dir });
    const stateDir = tempDir('state');
    putLease(dir, { node: 'n1', seq: 8 });
    putLease(dir, { node: 'n2', seq: 7, timeoutMs: 600_000 });
    const bootId = new NodeProcesses().bootId();
    const lookedMs = new NodeClock().monotonicMs();
    // The run before saw it quiet for all but an hour's end; the time since then counts too.
    const nodes = { n1: { seq: 2, quietMs: 0 }, n2: { seq: 7, quietMs: 600_000 } };
    writeObservations(stateDir, { version: 1, bootId, lookedMs, nodes });
    const { status, json } = await sweep(dir, [], stateDir);
    assert.equal(status, 0);
    assert.deepEqual(json.failed, ['n2']);
    const kept = readObservations(stateDir, bootId)!;
    assert.deepEqual([kept.nodes.n1, kept.nodes.n2?.seq], [{ seq: 8, quietMs: 0 }, 7]);
    assert.ok(kept.lookedMs > lookedMs);
    assert.deepEqual(readdirSync(stateDir), ['observations.json']);
  });

  it('trusts no observations of another boot, nor damaged ones, nor those that nobody renewed since', () => {
    const stateDir = tempDir('state');
    const nodes = { n2: { seq: 7, quietMs: 5 } };
    writeObservations(stateDir, { version: 1, bootId: 'one', lookedMs: 1, nodes });
    assert.deepEqual(readObservations(stateDir, 'one')?.nodes, nodes);
    assert.equal(readObservations(stateDir, 'two'), null);
    for (const text of [
      '',
      'null',
      '[]',
      '{"version":2}',
      '{"version":1,"bootId":"one","lookedMs":1,"nodes":{"n":{}}}',
    ]) {
      writeFileSync(join(stateDir, 'observations.json'), text);
      assert.equal(readObservations(stateDir, 'one'), null, text);
    }
    assert.equal(readObservations(join(stateDir, 'none'), 'one'), null);
  });

  it('waits for the longer time when the lease says that its node counts with one', async () => {
    const dir = quickCluster();
    putLease(dir, { node: 'n2', seq: 7, timeoutMs: 900 });
    const { json } = await whileRenewing(dir, ['n1'], () => sweep(dir));
    assert.match(JSON.stringify(json.quiet), /lease quiet for (0\.9|1\.\d) s/);
  });

  it('runs the fencing command first, records who did it, and takes over then', async () => {
    const dir = quickCluster();
    putLease(dir, { node: 'n2', seq: 7 });
    const out = join(tempDir('out'), 'given');
    const args = fencing(`cat > ${out}; echo "$CFS_FENCE_NODE by $CFS_NODE" >> ${out}; echo "Success: off"`);
    const { status, json } = await whileRenewing(dir, ['n1'], () => sweep(dir, args));
    assert.equal(status, 0);
    assert.deepEqual(json.fenced, [{ node: 'n2', ok: true, message: 'Success: off' }]);
    assert.deepEqual(json.failed, ['n2']);
    assert.equal(readFileSync(out, 'utf8'), 'nodename=n2\naction=off\nn2 by n1\n');
    assert.match(recordOf(stateOf(dir, 'n2')), /lease quiet for .*; fenced by n1/);
    const { steps } = cfsJson(['fence', 'history'], { dir }) as { steps: Record<string, unknown>[] };
    assert.deepEqual(
      steps.map(({ node, outcome, by, attempts }) => [node, outcome, by, attempts]),
      [
        ['n2', 'done', 'n1', 1],
        ['n2', 'running', 'n1', 1],
      ],
    );
  });

  it('ends with 6 while fencing fails; a person may confirm that the node is off, and the next sweep takes over', async () => {
    const dir = quickCluster();
    putLease(dir, { node: 'n2', seq: 7 });
    const args = fencing('echo "No route to host" >&2; exit 1');
    for (const attempt of [1, 2]) {
      const { status, json } = await whileRenewing(dir, ['n1'], () => sweep(dir, args));
      assert.equal(status, 6);
      assert.deepEqual(json.fenced, [
        { node: 'n2', ok: false, message: 'the fencing command ended with 1: No route to host' },
      ]);
      assert.deepEqual([json.failed, json.moved], [[], 0]);
      assert.match(
        JSON.stringify(json.waits),
        new RegExp(`"n2","why":".*fencing by n1 failed${attempt === 1 ? ':' : ' \\(2 attempts\\):'}`),
      );
      assert.match(recordOf(stateOf(dir, 'n2')), /"state":"suspect"/);
      assert.equal(nodeOf(dir, 'v2'), 'n2');
    }
    cfs(['fence', 'confirm', 'n2', '--yes', '-m', 'unplugged'], { dir });
    const after = await whileRenewing(dir, ['n1'], () => sweep(dir, args));
    assert.equal(after.status, 0);
    assert.deepEqual(after.json.failed, ['n2']);
    assert.match(recordOf(stateOf(dir, 'n2')), /a person confirmed that it is off/);
    const text = cfs(['fence', 'history', 'n2', '-n', '3'], { dir });
    assert.match(
      text,
      /^GEN .*\n.*confirmed .*unplugged\n.*failed .*n1 .* 2 .*No route to host\n.*running .*n1 .* 2 .*\n$/,
    );
  });

  it('where fencing is required and no command is configured, ends with 6 and moves nothing', async () => {
    const dir = quickCluster('fencing.policy=required');
    putLease(dir, { node: 'n2', seq: 7 });
    const { status, json } = await whileRenewing(dir, ['n1'], () => sweep(dir));
    assert.equal(status, 6);
    assert.match(JSON.stringify(json.waits), /waits to be fenced/);
    assert.equal(nodeOf(dir, 'v2'), 'n2');
  });

  it("waits for another one's fencing, and takes over a claim that nobody completes", async () => {
    const dir = quickCluster();
    putLease(dir, { node: 'n2', seq: 7 });
    const cluster = await openCluster({ dir });
    await cluster.change(fenceClaim, { node: 'n2', lease: 7, by: 'n3', why: 'lease quiet for 9.0 s' });
    const { status, json } = await whileRenewing(dir, ['n1'], () => sweep(dir, fencing('echo off', '200ms')));
    assert.equal(status, 0);
    assert.deepEqual(json.failed, ['n2']);
    const { steps } = cfsJson(['fence', 'history'], { dir }) as { steps: Record<string, unknown>[] };
    assert.deepEqual(
      steps.map(({ outcome, by, attempts }) => [outcome, by, attempts]),
      [
        ['done', 'n1', 2],
        ['running', 'n1', 2],
        ['running', 'n3', 1],
      ],
    );
  });

  it('does not fence a node whose agent has left in order', async () => {
    const dir = quickCluster();
    putLease(dir, { node: 'n2', seq: 7, applied: null });
    const { status, json } = await whileRenewing(dir, ['n1'], () => sweep(dir, fencing('exit 1')));
    assert.equal(status, 0);
    assert.deepEqual([json.failed, json.fenced], [['n2'], []]);
    assert.match(recordOf(stateOf(dir, 'n2')), /its agent left and did not come back/);
  });

  it('rehearses: nothing is fenced, kept or changed', async () => {
    const dir = quickCluster('fencing.policy=required');
    putLease(dir, { node: 'n2', seq: 7 });
    const out = join(tempDir('out'), 'ran');
    const stateDir = join(tempDir('state'), 'none');
    const args = [
      'failover',
      '--sweep',
      '--dry-run',
      '--node',
      'n1',
      '--state-dir',
      stateDir,
      ...fencing(`touch ${out}`),
    ];
    const { stdout } = changesNothing(dir, args);
    assert.match(stdout, /^n2 would be fenced first\.\n/);
    assert.match(stdout, /n2.*failed/);
    assert.ok(!existsSync(out) && !existsSync(stateDir));
  });

  it('does nothing in a frozen cluster and says so (4)', () => {
    const dir = quickCluster();
    putLease(dir, { node: 'n2', seq: 7 });
    cfs(['cluster', 'freeze', '--reason', 'new switches'], { dir });
    const result = changesNothing(dir, ['failover', '--sweep', '--json'], { status: 4 });
    const error = errorOf(result);
    assert.equal(error.code, 'CLUSTER_FROZEN');
    assert.match(error.message, /frozen: new switches$/);
  });

  it('takes a node or --sweep, and flags that belong to each', () => {
    const dir = quickCluster();
    for (const args of [[], ['n1', '--sweep'], ['--sweep', '--explain'], ['n1', '--config', 'x']]) {
      const result = runCfs(['failover', ...args, '--json'], { dir });
      assert.equal(result.status, 2, args.join(' '));
      assert.equal(errorOf(result).code, 'USAGE');
    }
  });

  it('says when what it saw cannot be kept, and does its work', async () => {
    const dir = quickCluster();
    putLease(dir, { node: 'n2', seq: 7 });
    const file = fileOf('', 'no-directory');
    const result = runCfs(['failover', '--sweep', '--node', 'n1', '--state-dir', join(file, 'state')], { dir });
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stderr, /^What was seen cannot be kept for the next sweep/m);
    assert.match(result.stdout, /^n2 failed, 2 volumes moved\nGeneration 4\.\n$/m);
  });
});
