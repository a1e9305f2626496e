/** cfs fence test, confirm and history. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fenceClaim, fenceResult } from '../../src/core/membership/fencing.js';
import { nodesJoin } from '../../src/core/membership/join.js';
import { openCluster } from '../../src/open.js';
import { script } from '../agentd/kit.js';
import { cfs, cfsJson, needsProgram, runCfs } from '../kit/cli.js';
import { changesNothing, errorOf, fileOf, onTerminal, refuses, runBeside, smallCluster } from '../kit/commands.js';
import { putLease, quickCluster, whileRenewing } from './sweep-kit.js';

/** A process keeps the lock between its own changes until its event loop turns. */
const unlocked = () => new Promise((resolve) => setTimeout(resolve, 10));
const configOf = (fencing: object) => fileOf(JSON.stringify({ node: 'n1', fencing }), 'agent.json');

describe('cfs fence test', function () {
  this.timeout(60_000);

  it('says what was run, with what, and what it answered; on and off are answers', () => {
    const dir = smallCluster();
    const command = script('read n; echo "Status: OFF"; exit 2');
    const config = configOf({ command, options: { password: 'hunter2', ip: '10.0.0.9' }, nodes: { n2: { plug: 2 } } });
    const { stdout } = changesNothing(dir, ['fence', 'test', 'n2', '--config', config]);
    assert.match(
      stdout,
      /^Command: +\S+\nGiven: +nodename=n2 password=\*\*\* ip=10\.0\.0\.9 plug=2 action=status\nAnswered: +Status: OFF\nStatus: +2\nTook: +\d+ ms\nNode n2: +is off\nThe fencing command works for n2\.\n$/,
    );
    assert.doesNotMatch(stdout, /hunter2/);
  });

  it('ends with 1 when the command does not answer', () => {
    const dir = smallCluster();
    const config = configOf({ command: script('echo "Unable to connect" >&2; exit 1') });
    const result = runCfs(['fence', 'test', 'n3', '--config', config, '--json'], { dir });
    assert.equal(result.status, 1);
    const { durationMs, input, command, ...rest } = JSON.parse(result.stdout) as Record<string, unknown>;
    assert.equal(typeof durationMs, 'number');
    assert.deepEqual(input, ['nodename=n3', 'action=status']);
    assert.equal(typeof command, 'string');
    assert.deepEqual(rest, {
      schemaVersion: 1,
      node: 'n3',
      action: 'status',
      works: false,
      power: null,
      failure: 'ended with 1',
      status: 1,
      said: 'Unable to connect',
    });
  });

  it('refuses a command that others can change, one that is not there, and a node that is none', () => {
    const dir = smallCluster();
    const open = script('true');
    chmodSync(open, 0o777);
    const test = (command: string, node = 'n2') => ['fence', 'test', node, '--config', configOf({ command })];
    refuses(dir, test(open), { status: 5, code: 'PROGRAM_NOT_TRUSTED', says: /can be written by others/ });
    refuses(dir, test('/nowhere/fence'), { status: 5, code: 'PROGRAM_NOT_TRUSTED', says: /does not exist/ });
    refuses(dir, test('/bin/true', 'n9'), { status: 3, code: 'NODE_NOT_FOUND', says: /no node "n9"/ });
    const inside = script('true', join(dir, 'hooks/fence'));
    const error = errorOf(runCfs([...test(inside), '--json'], { dir }));
    assert.match(error.message, /lies in the cluster directory/);
    const none = fileOf('{}', 'agent.json');
    const wanted = { status: 4, code: 'FENCING_NOT_CONFIGURED' as const, says: /^Node "n1" has no fencing command$/ };
    refuses(dir, ['fence', 'test', 'n2', '--node', 'n1', '--config', none], wanted);
  });

  it('works with a fence agent of the distribution, where one is installed', function () {
    needsProgram(this, 'fence_dummy');
    const config = configOf({ command: '/usr/sbin/fence_dummy', options: { type: 'file', status_file: fileOf('on') } });
    assert.match(cfs(['fence', 'test', 'n2', '--config', config], { dir: smallCluster() }), /Node n2: +is on\n/);
  });
});

describe('cfs fence confirm', function () {
  this.timeout(60_000);

  it('lets the takeover go on; the second time it changes nothing', () => {
    const dir = smallCluster();
    const said = cfs(['fence', 'confirm', 'n2', '--yes', '-m', 'unplugged'], { dir });
    assert.equal(said, 'Node n2 counts as fenced; what waits for it goes on.\nGeneration 3.\n');
    assert.match(cfs(['fence', 'confirm', 'n2', '--yes'], { dir }), /^Nothing to change/);
    const { steps } = cfsJson(['fence', 'history'], { dir }) as { steps: Record<string, unknown>[] };
    assert.equal(steps.length, 1);
    assert.deepEqual([steps[0]?.outcome, steps[0]?.message, steps[0]?.by], ['confirmed', 'unplugged', null]);
  });

  it('is refused while the agent of the node renews its lease, and not when that stands still', async () => {
    const dir = quickCluster();
    const result = await whileRenewing(dir, ['n1', 'n2'], () =>
      runBeside(['fence', 'confirm', 'n2', '--yes', '--json'], dir),
    );
    assert.equal(result.status, 4);
    const error = errorOf(result);
    assert.equal(error.code, 'NODE_STATE');
    assert.match(error.message, /^Node "n2" is not off: its agent has renewed its lease just now$/);
    putLease(dir, { node: 'n2', seq: 5000 });
    const { changes } = cfsJson(['fence', 'confirm', 'n2', '--dry-run'], { dir }) as { changes: { after: object }[] };
    assert.deepEqual(changes[0]?.after, { state: 'confirmed', by: null, lease: 5000, attempts: 0, message: null });
  });

  it('asks, and says what happens when it is not true', function () {
    const dir = smallCluster();
    const where = refuses(dir, ['fence', 'confirm', 'n2'], {
      status: 2,
      code: 'CONFIRMATION_NEEDED',
      says: /its volumes will be destroyed/,
    });
    assert.match(where.hint ?? '', /--yes/);
    const { output, status } = onTerminal(this, ['fence', 'confirm', 'n2'], [[/destroyed/, 'n\r']], { dir });
    assert.equal(status, 9, output);
  });

  it('is refused in a cluster of format 1', () => {
    const dir = join(smallCluster(), '../old');
    cfs(['init', '--sample', '2x2', '--yes'], { dir, env: { CFS_FORMAT_LIMIT: '1' } });
    const node = (cfsJson(['node', 'list'], { dir }).nodes as { name: string }[])[0]!.name;
    const wanted = { status: 4, code: 'FORMAT_TOO_OLD' as const, says: /[Ff]encing/, hint: /cfs cluster upgrade/ };
    refuses(dir, ['fence', 'confirm', node, '--yes'], wanted);
    assert.deepEqual(cfsJson(['fence', 'history'], { dir }).steps, []);
  });
});

describe('cfs fence history', function () {
  this.timeout(60_000);

  it('shows every step, newest first, until the node is back', async () => {
    const dir = smallCluster();
    const cluster = await openCluster({ dir });
    const claim = { node: 'n2', lease: 7, by: 'n1', why: 'lease quiet for 9.0 s' };
    await cluster.change(fenceClaim, claim);
    await cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: false, message: 'No route to host' });
    await cluster.change(fenceClaim, claim);
    await cluster.change(fenceResult, { node: 'n2', by: 'n1', ok: true, message: 'Success', lease: 8 });
    await unlocked();
    cfs(['failover', 'n2'], { dir });
    await cluster.change(nodesJoin, { nodes: ['n2'] });
    await unlocked();
    cfs(['fence', 'confirm', 'n3', '--yes', '-m', 'other'], { dir });
    const steps = (args: string[] = []) =>
      (cfsJson(['fence', 'history', ...args], { dir }).steps as Record<string, unknown>[]).map(
        ({ generation, node, outcome, by, attempts, message }) =>
          `${generation} ${node} ${outcome} ${by} ${attempts} ${message}`,
      );
    const all = [
      '9 n3 confirmed null 0 other',
      '8 n2 ended null 2 null',
      '6 n2 done n1 2 Success',
      '5 n2 running n1 2 No route to host',
      '4 n2 failed n1 1 No route to host',
      '3 n2 running n1 1 null',
    ];
    assert.deepEqual(steps(), all);
    assert.deepEqual(steps(['n2', '--limit', '2']), all.slice(1, 3));
    assert.deepEqual(steps(['--at', '5', '--limit', '0']), all.slice(3));
    const { stdout } = changesNothing(dir, ['fence', 'history', '-o', 'wide']);
    assert.match(stdout, /^GEN +TIME +NODE +OUTCOME +BY +ATTEMPTS +MESSAGE +WHO +OPERATION\n/);
  });
});
