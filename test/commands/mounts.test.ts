/** Mounting by commands on a host without an agent: what is given is made read-only first, what is taken follows the tables. */
import assert from 'node:assert/strict';
import { writerOf } from '../../src/core/access/look.js';
import { volumeAllow, volumeTouch } from '../../src/index.js';
import { accessCluster, layLease, opened, ScriptedHost } from '../kit/access-cluster.js';
import { cfs, cfsJson, runCfs, startCfs } from '../kit/cli.js';
import { generationOf, refuses } from '../kit/commands.js';

/** Polls; the machine may be busy. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`never came: ${what}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

describe('mounting by commands', function () {
  this.timeout(120_000);
  let dir: string;
  let host: ScriptedHost;
  /** Runs on the client's host. */
  const here = (...args: string[]) => [...args, '--config', host.config];
  const writer = async (volume = 'v1') => writerOf((await opened(dir)).snapshot(), volume).writer;

  beforeEach(async () => {
    dir = await accessCluster();
    host = new ScriptedHost('c1');
  });

  it('finds the client and the driver in the configuration of the host', () => {
    cfs(here('volume', 'mount', 'v1'), { dir });
    assert.deepEqual(host.mounted, { v1: 'ro' });
    cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
    assert.deepEqual(host.mounted, { v1: 'rw' });
    assert.equal(host.calls.at(-1), `rw v1 ${generationOf(dir)} 0`, 'with its fencing token');
    const result = cfsJson(here('volume', 'unmount', 'v1'), { dir });
    assert.deepEqual(result.steps, [{ volume: 'v1', from: 'rw', to: 'none' }]);
    assert.deepEqual(host.mounted, {});
  });

  it('touches nothing for another client, and on a dry run', () => {
    cfs(here('volume', 'mount', 'v1', '--client', 'c2', '--rw'), { dir });
    cfs(here('volume', 'mount', 'v2', '--rw', '--dry-run'), { dir });
    assert.deepEqual(host.calls, []);
  });

  it('says for another client, without an agent, that the tables alone change; for its own, for an agent, without a configuration not', () => {
    const tablesOnly = /^Tables only: this host's configuration is not of client c2, and c2 has no agent\.$/m;
    const commands = [
      ['volume', 'mount', 'v1', '--client', 'c2'],
      ['volume', 'request-write', 'v1', '--client', 'c2'],
      ['client', 'logon', 'c2'],
    ];
    for (const command of commands) {
      assert.match(runCfs(here(...command), { dir }).stderr, tablesOnly, command.join(' '));
      assert.equal(runCfs(command, { dir }).stderr, '');
    }
    assert.equal(runCfs(here('volume', 'mount', 'v1'), { dir }).stderr, '');
    layLease(dir, 'c2', { seq: 5, applied: 3, timeoutMs: 10_000 });
    assert.equal(runCfs(here('volume', 'mount', 'v2', '--client', 'c2'), { dir }).stderr, '');
  });

  it('does nothing again where all is as it should be', () => {
    cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
    const { calls } = host;
    assert.match(cfs(here('volume', 'mount', 'v1', '--rw'), { dir }), /Nothing to change/);
    assert.deepEqual(host.calls, calls);
  });

  it('request-write mounts for writing when it is granted; release-write makes it read-only before another may write', async () => {
    const result = cfsJson(here('volume', 'request-write', 'v1', '--wait', '10s'), { dir });
    assert.equal(result.mounted, 'here');
    assert.deepEqual(host.mounted, { v1: 'rw' });
    cfs(['volume', 'request-write', 'v1', '--client', 'c2'], { dir });
    host.hold('ro', 'after');
    const release = startCfs(here('volume', 'release-write', 'v1'), { dir });
    await until('the driver', () => host.isHeld('ro', 'after'));
    assert.equal(await writer(), 'c1', 'as long as the driver has not said that it is read-only');
    host.letGo('ro', 'after');
    assert.equal(await new Promise((done) => release.on('close', done)), 0);
    assert.equal(await writer(), 'c2');
    assert.deepEqual(host.mounted, { v1: 'ro' });
  });

  it('a request that waited is mounted by the command that waited', async () => {
    cfs(['volume', 'request-write', 'v1', '--client', 'c2'], { dir });
    const waiting = startCfs(here('volume', 'request-write', 'v1', '--wait', '60s'), { dir });
    const ended = new Promise((done) => waiting.on('close', done));
    const cluster = await opened(dir);
    await until('the request', () => writerOf(cluster.snapshot(), 'v1').queue.length === 1);
    cfs(['volume', 'release-write', 'v1', '--client', 'c2'], { dir });
    assert.equal(await ended, 0);
    assert.deepEqual(host.mounted, { v1: 'rw' });
    assert.equal(await writer(), 'c1');
  });

  it('a busy mount is not torn away: exit 4 with who uses it, and nothing is changed; --force ends them', async () => {
    cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
    host.busy('v1', 'process 4711 (vi) writes /srv/v1/titles');
    for (const command of ['release-write', 'unmount']) {
      refuses(dir, here('volume', command, 'v1'), {
        status: 4,
        code: 'MOUNT_BUSY',
        says: /process 4711 \(vi\)/,
        hint: /--force/,
      });
      assert.deepEqual(host.mounted, { v1: 'rw' });
    }
    cfs(here('volume', 'release-write', 'v1', '--force'), { dir });
    assert.equal(await writer(), null);
    assert.deepEqual(host.mounted, { v1: 'ro' });
  });

  it('a mount that fails after the commit ends with 1 and says that the tables stand and how to go on', async () => {
    host.fails('rw', 'no such device');
    const { status, stderr } = runCfs(here('volume', 'mount', 'v1', '--rw'), { dir });
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`Generation ${generationOf(dir)} is committed, but .*no such device`));
    assert.match(stderr, /cfs volume mount --reconcile --client c1/);
    assert.equal(await writer(), 'c1');
    host.fails('rw', null);
    cfs(here('volume', 'mount', '--reconcile'), { dir });
    assert.deepEqual(host.mounted.v1, 'rw');
  });

  it('a volume that cannot be mounted at logon keeps no other from it; all that failed are named', () => {
    cfs(['client', 'logoff', 'c1'], { dir });
    host.fails('ro', 'no such device');
    const all = runCfs(here('client', 'logon', 'c1'), { dir });
    assert.equal(all.status, 1);
    assert.match(all.stderr, /is committed, but v1: .*no such device; v2: .*no such device; v3: /);
    assert.deepEqual(
      host.calls.map((call) => call.split(' ')[1]),
      ['v1', 'v2', 'v3'],
    );
    host.fails('ro', null);
    cfs(here('client', 'logoff', 'c1'), { dir });
    host.fails('ro-v2', 'no such device');
    const one = runCfs(here('client', 'logon', 'c1'), { dir });
    assert.match(one.stderr, /is committed, but Volume "v2" cannot be mounted: /);
    assert.deepEqual(host.mounted, { v1: 'ro', v3: 'ro' });
  });

  it('a change that is refused after the mount was made less leaves the mount as it was', async () => {
    cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
    const generation = generationOf(dir);
    host.hold('ro', 'before');
    const args = here('volume', 'release-write', 'v1', '--expect-generation', String(generation));
    const release = startCfs(args, { dir });
    const ended = new Promise((done) => release.on('close', done));
    await until('the driver', () => host.isHeld('ro', 'before'));
    cfs(['volume', 'touch', 'v1', '--client', 'c1'], { dir });
    host.letGo('ro', 'before');
    assert.equal(await ended, 4);
    assert.deepEqual(host.mounted, { v1: 'rw' });
    assert.equal(await writer(), 'c1');
  });

  it('commands of one host wait for one another between commit and mount', async () => {
    host.hold('rw', 'before');
    const mount = startCfs(here('volume', 'mount', 'v1', '--rw'), { dir });
    const mounted = new Promise((done) => mount.on('close', done));
    await until('the driver', () => host.isHeld('rw', 'before'));
    const release = startCfs(here('volume', 'release-write', 'v1'), { dir });
    const released = new Promise((done) => release.on('close', done));
    await new Promise((done) => setTimeout(done, 400));
    assert.equal(await writer(), 'c1', 'the right does not pass on while a mount for writing is under way');
    host.letGo('rw', 'before');
    assert.deepEqual(await Promise.all([mounted, released]), [0, 0]);
    assert.deepEqual(host.mounted, { v1: 'ro' });
    assert.equal(await writer(), null);
  });

  describe('killed (acceptance: between any two steps)', () => {
    /** Starts a command, kills it where its driver is held, and lets go. */
    async function killedAt(args: string[], action: string, where: 'before' | 'after'): Promise<void> {
      host.hold(action, where);
      const child = startCfs(here(...args), { dir });
      const ended = new Promise((done) => child.on('close', done));
      await until(`${action} of ${args.join(' ')}`, () => host.isHeld(action, where));
      child.kill('SIGKILL');
      await ended;
    }

    for (const where of ['before', 'after'] as const) {
      it(`taking: ${where} the driver mounts for writing; --reconcile mounts, and ends what the dead one left running`, async () => {
        await killedAt(['volume', 'mount', 'v1', '--rw'], 'rw', where);
        assert.equal(await writer(), 'c1', 'the tables name it first');
        // Had it gone on by itself, it would mount at a time when nobody knows of it.
        const reconcile = startCfs(here('volume', 'mount', '--reconcile'), { dir });
        const ended = new Promise((done) => reconcile.on('close', done));
        await until('reconciling, or held again', () => host.calls.length > 1 || where === 'after');
        host.letGo('rw', where);
        assert.equal(await ended, 0);
        assert.equal(host.mounted.v1, 'rw');
        assert.equal(await writer(), 'c1');
      });

      it(`giving: ${where} the driver makes it read-only; nobody else writes, and --reconcile restores what the tables say`, async () => {
        cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
        cfs(['volume', 'request-write', 'v1', '--client', 'c2'], { dir });
        await killedAt(['volume', 'release-write', 'v1'], 'ro', where);
        host.letGo('ro', where);
        assert.equal(await writer(), 'c1');
        cfs(here('volume', 'mount', '--reconcile'), { dir });
        assert.equal(host.mounted.v1, 'rw', 'the tables still name it');
        cfs(here('volume', 'release-write', 'v1'), { dir });
        assert.equal(await writer(), 'c2');
        assert.equal(host.mounted.v1, 'ro');
      });
    }
  });

  describe('mount --reconcile', () => {
    const reconcile = (...args: string[]) => here('volume', 'mount', '--reconcile', ...args);

    it('goes in the safe direction first: less for writing, then unmounting, then what is missing', () => {
      host.mounted = { v3: 'ro', v1: 'rw', v2: 'rw' };
      cfs(here('volume', 'unmount', 'v3', '--client', 'c1'), { dir });
      host.mounted = { v3: 'ro', v2: 'rw' };
      cfs(['volume', 'mount', 'v1', '--client', 'c1', '--rw'], { dir });
      const { calls } = host;
      const planned = cfsJson(reconcile('--dry-run'), { dir });
      assert.deepEqual(planned.differences, [
        { volume: 'v1', from: 'none', to: 'rw' },
        { volume: 'v2', from: 'rw', to: 'ro' },
        { volume: 'v3', from: 'ro', to: 'none' },
      ]);
      assert.deepEqual(host.calls, calls, 'a dry run touches nothing');
      assert.match(cfs(reconcile('--dry-run'), { dir }), /^v1: none, should be rw\nv2: rw, should be ro/);
      assert.equal(cfs(reconcile(), { dir }), 'v2: rw -> ro\nv3: ro -> none\nv1: none -> rw\n');
      assert.deepEqual(host.mounted, { v1: 'rw', v2: 'ro' });
      assert.match(cfs(reconcile(), { dir }), /All is as the tables say/);
    });

    it('passes on a right that was to be given up, when the mount is read-only', async () => {
      cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
      cfs(['volume', 'request-write', 'v1', '--client', 'c2'], { dir });
      // Its agent, since then dead and gone, was to give it up.
      const { respond } = await import('../../src/index.js');
      const request = { volume: 'v1', client: 'c2', grant: true, by: 'c1', readOnly: false };
      await (await opened(dir)).change(respond, request);
      assert.equal(await writer(), 'c1');
      host.busy('v1', 'process 4711 (vi)');
      const busy = runCfs(reconcile(), { dir });
      assert.equal(busy.status, 4, busy.stderr);
      assert.match(busy.stderr, /v1: .*process 4711/);
      host.busy('v1', null);
      cfs(['volume', 'release-write', 'v1', '--client', 'c1', ...here()], { dir });
      assert.equal(await writer(), null, 'the request was denied with the reason: the mount was busy');
    });

    it('refuses where the agent lives: the agent does it', () => {
      layLease(dir, 'c1', { seq: 5, applied: 3, timeoutMs: 10_000 });
      refuses(dir, reconcile(), { status: 4, code: 'AGENT_RUNNING', says: /has an agent/ });
      cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
      cfs(here('volume', 'release-write', 'v1'), { dir });
      assert.deepEqual(host.calls, [], 'nor do other commands touch its mounts');
    });

    it('takes no volume beside it, and a volume needs no --reconcile (2)', () => {
      refuses(dir, reconcile('v1'), { status: 2, code: 'USAGE', says: /either VOLUME or --reconcile/ });
      refuses(dir, here('volume', 'mount'), { status: 2, code: 'USAGE', says: /either VOLUME or --reconcile/ });
    });
  });

  describe('refresh', () => {
    const refresh = (...args: string[]) => here('volume', 'refresh', ...args);

    it('mounts anew and records it; a writer has nothing to refresh', () => {
      cfs(here('volume', 'mount', '--reconcile'), { dir });
      const before = host.calls.length;
      cfs(['volume', 'request-write', 'v1', '--client', 'c2'], { dir });
      cfs(['volume', 'touch', 'v1', '--client', 'c2'], { dir });
      const result = cfsJson(refresh('v1'), { dir });
      assert.deepEqual(result.volumes, ['v1']);
      assert.deepEqual(host.calls.slice(before), [`ro v1 ${generationOf(dir) - 1} 0`]);
      cfs(here('volume', 'mount', 'v2', '--rw'), { dir });
      assert.deepEqual(cfsJson(refresh('v2'), { dir }).volumes, []);
      refuses(dir, refresh('v9'), { status: 3, code: 'VOLUME_NOT_FOUND', says: /v9/ });
    });

    it('--auto does those that are due and no others, by autoUpdate; not in a frozen cluster', async () => {
      const cluster = await opened(dir);
      const autoUpdate = { autoUpdate: true, autoUpdateIntervalMs: 1000 };
      await cluster.change(volumeAllow, { volume: ['v1', 'v2'], client: 'c1', ...autoUpdate });
      cfs(here('volume', 'mount', '--reconcile'), { dir });
      for (const volume of ['v1', 'v3']) {
        cfs(['volume', 'request-write', volume, '--client', 'c2'], { dir });
        await cluster.change(volumeTouch, { volume, client: 'c2' });
      }
      await new Promise((done) => setTimeout(done, 1000));
      cfs(['cluster', 'freeze'], { dir });
      refuses(dir, refresh('--auto'), { status: 4, code: 'CLUSTER_FROZEN', says: /Nothing is refreshed by itself/ });
      cfs(['cluster', 'unfreeze'], { dir });
      assert.deepEqual(cfsJson(refresh('--auto'), { dir }).volumes, ['v1']);
      assert.deepEqual(cfsJson(refresh('--auto'), { dir }).volumes, []);
    });

    it('a busy mount is not torn away (4); the others are refreshed all the same', () => {
      cfs(here('volume', 'mount', '--reconcile'), { dir });
      host.busy('v1', 'process 4711 (less) reads /srv/v1/a');
      const before = host.calls.length;
      const { status, stderr } = runCfs(refresh(), { dir });
      assert.equal(status, 4, stderr);
      assert.match(stderr, /v1: .*process 4711 \(less\)/);
      assert.equal(host.calls.length, before + 3);
    });

    it('asks the agent where there is one, by the tables', async () => {
      layLease(dir, 'c1', { seq: 5, applied: 3, timeoutMs: 10_000 });
      const result = cfsJson(refresh('v1'), { dir });
      assert.equal(result.byAgent, true);
      const mount = (await opened(dir)).snapshot().table('mounts').get('v1/c1');
      assert.equal(mount?.refreshed, generationOf(dir), 'that it shows this generation is the wish');
      assert.match(runCfs(refresh('--auto'), { dir }).stderr, /refreshes by itself/);
      assert.deepEqual(host.calls, []);
    });
  });

  it("touch is the writer's alone (5)", () => {
    cfs(here('volume', 'mount', 'v1', '--rw'), { dir });
    assert.equal(cfsJson(here('volume', 'touch', 'v1'), { dir }).client, 'c1');
    refuses(dir, ['volume', 'touch', 'v1', '--client', 'c2'], {
      status: 5,
      code: 'NOT_THE_WRITER',
      says: /"c2" is not the writer/,
    });
    refuses(dir, ['volume', 'release-write', 'v1', '--client', 'c2'], {
      status: 5,
      code: 'NOT_THE_WRITER',
      says: /"c2"/,
    });
  });

  it('unmount of what is not mounted is refused (4), mount of a client that is not logged on too', () => {
    cfs(here('volume', 'unmount', 'v2'), { dir });
    refuses(dir, here('volume', 'unmount', 'v2'), {
      status: 4,
      code: 'NOT_MOUNTED',
      says: /not mounted on client "c1"/,
    });
    refuses(dir, ['volume', 'mount', 'v1', '--client', 'c4'], { status: 4, code: 'NOT_LOGGED_ON', says: /c4/ });
    refuses(dir, ['volume', 'mount', 'v1', '--rw', '--client', 'c2'].slice(0, 3), {
      status: 2,
      code: 'USAGE',
      says: /Which client/,
    });
  });
});
