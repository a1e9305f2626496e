/** Agents of clients among each other: who is gone, what expires, what is marked and refreshed, who is told. */
import assert from 'node:assert/strict';
import { ClientWatch } from '../../src/core/access/agent/client-watch.js';
import { withClientQuestions } from '../../src/core/access/agent/decisions.js';
import { clientSet } from '../../src/core/access/clients.js';
import { clientLogoff, clientLogon, clientsLapsed, type LapsedRequest } from '../../src/core/access/logon.js';
import { isLoggedOn, logonOf, writerOf } from '../../src/core/access/look.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow, volumeControl } from '../../src/core/access/rights.js';
import { clusterFreeze } from '../../src/core/config/settings.js';
import type { Operation } from '../../src/core/operation.js';
import type { Files } from '../../src/core/platform/files.js';
import { ClientLab } from '../kit/client-lab.js';

const TIMEOUT_MS = 3000;

/** What a command notes that mounts for a client. */
const noting = (client: string, host: string): Operation<null, void> => ({
  name: 'test.note',
  run: (draft) => draft.put('logons', client, { ...draft.table('logons').get(client)!, host }),
});

describe('clients that are gone', () => {
  it('are followed by who waits when their lease has lapsed; back, they log on and find themselves read-only', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B', 'C'] });
    await lab.makeWriter('A');
    lab.host('A').kill();
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    // The dead one's mount is made read-only by its supervisor, in 0.7 of the lease's time.
    lab.world.after(0.7 * TIMEOUT_MS, () => lab.host('A').driver.real.set('v1', 'ro'));
    const tookMs = await lab.until(() => lab.host('B').driver.mode('v1') === 'rw', 'B writes');
    assert.ok(tookMs >= TIMEOUT_MS - 500 && tookMs < TIMEOUT_MS + 1500, `${tookMs} ms`);
    assert.match(logonOf(lab.snapshot(), 'A')!.reason!, /^lease quiet for 3\.\d s, confirmed by client [BC]$/);
    const told = lab.hosts.flatMap((host) => host.eventsOf('client-gone'));
    assert.deepEqual(
      told.map(({ CFS_CLIENT }) => CFS_CLIENT),
      ['A'],
      'said by one',
    );
    lab.host('A').start();
    await lab.until(() => isLoggedOn(lab.snapshot(), 'A') && lab.isSettled(), 'A is back');
    assert.deepEqual([lab.host('A').driver.mode('v1'), lab.writer()], ['ro', 'B']);
  });

  it('write again where their agent is back before the lease has lapsed', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    const { since } = writerOf(lab.snapshot(), 'v1');
    lab.host('A').kill();
    await lab.run(1500);
    lab.host('A').start();
    await lab.until(() => lab.host('A').driver.mode('v1') === 'ro', 'read-only first');
    await lab.until(() => lab.host('A').driver.mode('v1') === 'rw', 'A writes again');
    await lab.run(5000);
    assert.deepEqual([lab.writer(), writerOf(lab.snapshot(), 'v1').since], ['A', since]);
  });

  it('log on again where they were found gone and live', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    const host = lab.host('A');
    // It holds nothing for writing, and is only slow.
    host.process!.pause();
    await lab.until(() => !isLoggedOn(lab.snapshot(), 'A'), 'found gone');
    host.process!.resume();
    await lab.until(() => isLoggedOn(lab.snapshot(), 'A') && lab.isSettled(), 'logged on again');
  });

  it('are logged off after two intervals where they left and could not log off', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    const host = lab.host('A');
    host.beforeDeciding = async () => Promise.reject(new Error('no lock today'));
    host.worker!.stop({ drain: false });
    await lab.until(() => host.end !== null, 'it ends');
    const tookMs = await lab.until(() => lab.writer() === null, 'B logs it off');
    assert.ok(tookMs >= 900 && tookMs < 2000, `${tookMs} ms`);
    assert.match(logonOf(lab.snapshot(), 'A')!.reason!, /^its agent left and did not come back for/);
  });

  it('are fenced first where this host has a command for it', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], settings: { 'fencing.policy': 'required' } });
    await lab.makeWriter('A');
    const fenced: string[] = [];
    lab.host('A').kill();
    await lab.run(TIMEOUT_MS + 3000);
    assert.equal(lab.writer(), 'A', 'nothing lapses without fencing');
    assert.ok(lab.host('B').status!.problems.some((says) => says.includes('cfs client logoff A --fenced')));
    lab.host('B').fencing = {
      timeoutMs: 1000,
      fence: async (client) => {
        if (fenced.push(client) === 1) throw new Error('no route to the switch');
        lab.host('A').driver.real.clear();
        return 'switched off';
      },
    };
    await lab.until(() => lab.writer() === null, 'logged off');
    assert.deepEqual(fenced, ['A', 'A']);
    assert.match(logonOf(lab.snapshot(), 'A')!.reason!, /; fenced by client B: switched off$/);
  });

  it('stay where commands mount for them elsewhere, whatever the lease that their agent left says', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    lab.host('A').worker!.stop({ drain: false });
    await lab.until(() => lab.host('A').end !== null, 'A ends');
    const lease = lab.lease('A').seq;
    await lab.do(clientLogon, { client: 'A', lease });
    await lab.do(requestWrite, { volume: 'v1', client: 'A' });
    await lab.do(noting('A', 'by hand'), null);
    await lab.do(clientLogoff, { client: 'A', readOnly: false });
    await lab.run(TIMEOUT_MS + 3000);
    assert.equal(lab.writer(), 'A', 'its mount is still for writing there');
    lab.host('A').start();
    await lab.run(5000);
    assert.equal(
      lab.host('A').driver.mode('v1'),
      'none',
      'nor does an agent on another host go on as if it were its own',
    );
    assert.ok(
      lab.host('A').status!.problems.some((says) => says.includes('Commands on host "by hand" mount for client')),
    );
    assert.equal(lab.writer(), 'A');
    await lab.do(clientsLapsed, {
      clients: [{ client: 'A', lease, why: 'it was said to be off', fenced: 'confirmed' }],
    });
    assert.equal(lab.writer(), null);
    await lab.until(() => lab.host('A').driver.mode('v1') === 'ro', 'its agent logs on and mounts');
  });

  it('[F49] stay while the cluster is frozen, which is shown', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    await lab.do(clusterFreeze, { until: null, reason: 'works' });
    lab.host('A').kill();
    await lab.run(TIMEOUT_MS + 3000);
    assert.equal(lab.writer(), 'A');
    assert.ok(
      lab.host('B').status!.problems.some((says) => /^client A is silent: the cluster is frozen: works/.test(says)),
    );
  });
});

describe('write requests', () => {
  it('expire when somebody who is named in them has seen them wait for so long by his own clock', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], fields: { autoRespond: false } });
    await lab.makeWriter('A');
    await lab.do(requestWrite, { volume: 'v1', client: 'B', limitMs: 4000 });
    const { generation } = lab.snapshot();
    const tookMs = await lab.until(() => !lab.isPending('B'), 'expired');
    assert.ok(tookMs >= 4000 && tookMs < 4300, `${tookMs} ms`);
    const { response, responseMessage } = lab.snapshot().table('requests').get('v1/B')!;
    assert.deepEqual([response, responseMessage], ['expired', 'not answered within 4s']);
    await lab.run(2000);
    assert.deepEqual(
      lab.operationsSince(generation).filter((operation) => operation !== 'volume.touch'),
      ['volume.end-requests'],
    );
  });

  it('[F48] of a client without an agent expire by the agent of the writer', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], fields: { autoRespond: false } });
    await lab.makeWriter('A');
    lab.host('B').worker!.stop({ drain: false });
    await lab.until(() => lab.host('B').end !== null, 'B ends');
    await lab.do(clientLogon, { client: 'B', lease: 1_000_000 });
    await lab.do(requestWrite, { volume: 'v1', client: 'B', limitMs: 2000 });
    await lab.until(() => !lab.isPending('B'), 'expired');
  });
});

describe('what a writer writes', () => {
  it('is marked while it goes on at most every ten seconds, and once more at the end', async () => {
    const lab = await ClientLab.make({ clients: ['A'] });
    await lab.makeWriter('A');
    const { driver } = lab.host('A');
    await lab.run(15_000);
    const touches = (since: number): number =>
      lab.operationsSince(since).filter((operation) => operation === 'volume.touch').length;
    const { generation } = lab.snapshot();
    for (let i = 0; i < 60; i++) {
      driver.write('v1');
      await lab.run(500);
    }
    const during = touches(generation);
    assert.ok(during >= 3 && during <= 4, `${during} in 30 s`);
    await lab.run(12_000);
    const { generation: last } = lab.snapshot();
    assert.equal(touches(generation), during + 1, 'the last word');
    await lab.run(30_000);
    assert.equal(lab.snapshot().generation, last);
  });

  it('is known to readers after a handover; a handover without writing is no modification', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    await lab.run(12_000);
    const modified = () => writerOf(lab.snapshot(), 'v1').modified;
    const before = modified();
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    await lab.until(() => lab.host('B').driver.mode('v1') === 'rw', 'B writes');
    assert.equal(modified(), before);
    await lab.run(12_000);
    lab.host('B').driver.write('v1');
    await lab.do(requestWrite, { volume: 'v1', client: 'A' });
    await lab.until(() => lab.writer() === 'A', 'A writes');
    assert.equal(modified(), writerOf(lab.snapshot(), 'v1').since);
  });

  it('is never told where the driver cannot, but counts as modified when the right passes on', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    lab.host('A').driver.canTell = false;
    await lab.makeWriter('A');
    const { generation } = lab.snapshot();
    await lab.run(30_000);
    assert.equal(lab.snapshot().generation, generation);
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    await lab.until(() => lab.writer() === 'B', 'B writes');
    assert.ok(writerOf(lab.snapshot(), 'v1').modified > generation);
  });
});

describe('read-only mounts', () => {
  const allow = { autoUpdate: true, autoUpdateIntervalMs: 20_000 };

  it('with autoUpdate are made anew when the volume was modified, at most once per interval', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], allow });
    await lab.makeWriter('A');
    const reader = lab.host('B');
    reader.driver.calls.length = 0;
    for (let i = 0; i < 120; i++) {
      lab.host('A').driver.write('v1');
      await lab.run(500);
    }
    const anew = reader.driver.calls.filter((call) => call === 'ro v1').length;
    assert.ok(anew >= 3 && anew <= 4, `${anew} times in 60 s`);
    assert.equal(reader.eventsOf('refreshed').length, anew);
    await lab.run(45_000);
    const { refreshed } = lab.snapshot().table('mounts').get('v1/B')!;
    assert.ok(refreshed >= writerOf(lab.snapshot(), 'v1').modified, 'the last modification is seen');
  });

  it('that programs use are not torn away: it is shown, and tried again at the next interval', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], allow });
    await lab.makeWriter('A');
    const reader = lab.host('B');
    reader.driver.busy.set('v1', 'volume v1 is in use: less (process 7)');
    reader.driver.calls.length = 0;
    lab.host('A').driver.write('v1');
    await lab.run(15_000);
    assert.equal(reader.driver.calls.length, 1);
    assert.ok(
      reader.status!.problems.some((says) => says.includes('cannot be refreshed') && says.includes('less (process 7)')),
    );
    reader.driver.busy.clear();
    await lab.until(() => reader.eventsOf('refreshed').length === 1, 'refreshed', 30_000);
    await lab.run(2000);
    assert.deepEqual(reader.status!.problems, []);
  });

  it('without autoUpdate stay as they are', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    lab.host('B').driver.calls.length = 0;
    lab.host('A').driver.write('v1');
    await lab.run(30_000);
    assert.deepEqual(lab.host('B').driver.calls, []);
  });
});

describe('a client with refreshNotify', () => {
  it('is told of the writers and the rights of others, where it has the volume mounted', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B', 'C'] });
    await lab.do(clientSet, { name: 'A', refreshNotify: true });
    await lab.makeWriter('B');
    await lab.do(volumeAllow, { volume: 'v1', client: 'C', autoUpdate: true });
    await lab.do(volumeControl, { volume: 'v1', softwareLock: true, readOnly: [] });
    await lab.run(1000);
    assert.deepEqual(lab.host('A').eventsOf('privileges-changed'), [
      { CFS_VOLUME: 'v1', CFS_CLIENT: 'B', CFS_WRITER: 'B' },
      { CFS_VOLUME: 'v1', CFS_CLIENT: 'C', CFS_WRITER: 'B' },
      { CFS_VOLUME: 'v1', CFS_CLIENT: '', CFS_WRITER: 'B' },
    ]);
    assert.deepEqual(lab.host('C').eventsOf('privileges-changed'), []);
  });
});

describe("a node's agent", () => {
  it('logs off clients that are gone, and looks at no leases where no client ever logged on', async () => {
    const lab = await ClientLab.make({ clients: ['A'] }, false);
    const asked: string[] = [];
    const { cluster } = lab;
    const { platform, paths } = cluster.store.place;
    let lists = 0;
    const watch = new ClientWatch({
      platform: { ...platform, files: countingLists(platform.files, () => (lists += 1)) },
      dir: paths.leases,
      by: 'node n1',
      self: null,
      decide: async (request) => {
        asked.push(...request.clients.map(({ client }) => client));
        const questions = withClientQuestions(cluster.store.place, 'clients-lapsed', request);
        return (await lab.change(cluster.store, clientsLapsed, questions as LapsedRequest)).value;
      },
      fencing: () => null,
      log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
      hook: () => {},
      decided: () => {},
    });
    const look = (): void => {
      watch.look(lab.snapshot());
      lab.world.after(500, look);
    };
    look();
    await lab.run(5000);
    assert.equal(lists, 0);
    lab.host('A').start();
    await lab.makeWriterWhenUp('A');
    await lab.run(5000);
    assert.deepEqual(asked, [], 'it lives');
    lab.host('A').kill();
    await lab.until(() => lab.writer() === null, 'logged off');
    assert.deepEqual(asked, ['A']);
    assert.match(logonOf(lab.snapshot(), 'A')!.reason!, /confirmed by node n1$/);
  });
});

function countingLists(files: Files, counted: () => void): Files {
  return new Proxy(files, {
    get(target, name) {
      if (name === 'list') counted();
      const member = target[name as keyof Files] as (...given: unknown[]) => unknown;
      return member.bind(target);
    },
  });
}
