/** The agent of a client: coming up, mounting by the tables, handing the right to write over. */
import assert from 'node:assert/strict';
import { releaseWrite, respond } from '../../src/core/access/answers.js';
import { clientAdd, clientRemove } from '../../src/core/access/clients.js';
import { clientLogoff, clientLogon } from '../../src/core/access/logon.js';
import { isLoggedOn, writerOf } from '../../src/core/access/look.js';
import { volumeMount, volumeUnmount } from '../../src/core/access/mounts.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow, volumeControl, volumeDeny } from '../../src/core/access/rights.js';
import { listClientLeases } from '../../src/core/membership/leases.js';
import { ClientHost, ClientLab } from '../kit/client-lab.js';

const BUSY = 'volume v1 is in use: vi (process 4711) has /srv/v1/a open';

function responseTo(lab: ClientLab, client: string, volume = 'v1') {
  const { response, responseMessage } = lab.snapshot().table('requests').get(`${volume}/${client}`)!;
  return [response, responseMessage];
}

describe('the agent of a client', () => {
  it('logs on and mounts read-only what access allows', async () => {
    const lab = await ClientLab.make({ clients: ['A'], volumes: 3 });
    assert.ok(isLoggedOn(lab.snapshot(), 'A'));
    assert.deepEqual(
      [...lab.host('A').driver.real],
      [
        ['v1', 'ro'],
        ['v2', 'ro'],
        ['v3', 'ro'],
      ],
    );
    const { generation } = lab.snapshot();
    const { platform, paths } = lab.cluster.store.place;
    const lease = listClientLeases(platform, paths.leases).get('A')!;
    assert.deepEqual([lease.released, lease.applied], [generation, generation]);
    assert.deepEqual(
      lab
        .host('A')
        .eventsOf('mounted')
        .map(({ CFS_VOLUME }) => CFS_VOLUME),
      ['v1', 'v2', 'v3'],
    );
  });

  it('makes read-only by force what it finds mounted for writing, before anything else, and writes again by the tables', async () => {
    const lab = await ClientLab.make({ clients: ['A'] });
    const host = lab.host('A');
    await lab.makeWriter('A');
    host.kill();
    host.driver.busy.set('v1', BUSY);
    host.driver.calls.length = 0;
    host.start();
    await lab.until(() => host.driver.calls.length > 0, 'the first call');
    assert.deepEqual(host.driver.calls, ['ro! v1']);
    const { since } = writerOf(lab.snapshot(), 'v1');
    await lab.until(() => host.driver.mode('v1') === 'ro', 'read-only');
    const tookMs = await lab.until(() => host.driver.mode('v1') === 'rw', 'it writes again');
    assert.deepEqual(host.driver.calls, ['ro! v1', `rw v1@${since}`]);
    // Not before a takeover that was under way would be seen.
    assert.ok(tookMs >= 500, `${tookMs} ms`);
    assert.deepEqual([...host.held], [['v1', since]]);
  });

  it('mounts for writing when the tables name it, and tells the supervisor before', async () => {
    const lab = await ClientLab.make({ clients: ['A'] });
    const { driver, held } = lab.host('A');
    assert.deepEqual([...held], []);
    driver.delayMs = 50;
    await lab.do(requestWrite, { volume: 'v1', client: 'A' });
    await lab.until(() => driver.calls.includes(`rw v1@${lab.snapshot().generation}`), 'the driver is asked');
    assert.deepEqual([[...held], driver.mode('v1')], [[['v1', lab.snapshot().generation]], 'ro']);
    await lab.until(() => driver.mode('v1') === 'rw', 'it writes');
  });

  it('hands over in two commits, at once where something tells of new generations', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    await lab.run(3000);
    const { generation } = lab.snapshot();
    const [a, b] = [lab.host('A'), lab.host('B')];
    const calls = () => [a.files!.calls, b.files!.calls];
    const before = calls();
    assert.equal((await lab.do(requestWrite, { volume: 'v1', client: 'B' })).response, 'pending');
    const tookMs = await lab.until(() => b.driver.mode('v1') === 'rw', 'B writes');
    assert.deepEqual(lab.operationsSince(generation), ['volume.request-write', 'volume.respond']);
    assert.equal(a.driver.mode('v1'), 'ro');
    assert.deepEqual(responseTo(lab, 'B'), ['granted', null]);
    // Two calls of the driver of 2 ms, one decision of 1 ms, and the hints.
    assert.ok(tookMs < 10, `${tookMs} ms`);
    const [callsA, callsB] = calls().map((count, i) => count - before[i]!);
    // Of a young history, which is looked at by listing it as well.
    assert.ok(callsA! < 100 && callsB! < 70, `${callsA} system calls of A, which decides, and ${callsB} of B`);
    assert.equal(b.eventsOf('write-granted').length, 1);
  });

  it('hands over within two looks where nothing tells of new generations', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], hasHints: false });
    await lab.makeWriter('A');
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    const tookMs = await lab.until(() => lab.host('B').driver.mode('v1') === 'rw', 'B writes');
    assert.ok(tookMs < 2300, `${tookMs} ms`);
  });

  it('passes the right on in the order of asking', async () => {
    const clients = ['A', 'B', 'C', 'D', 'E'];
    const lab = await ClientLab.make({ clients });
    const order: string[] = [];
    for (const host of lab.hosts) host.answer = async () => ({ grant: order.push(host.name) > 0, message: null });
    await lab.makeWriter('A');
    for (const client of ['D', 'B', 'E', 'C']) await lab.do(requestWrite, { volume: 'v1', client });
    await lab.until(() => lab.writer() === 'C' && lab.host('C').driver.mode('v1') === 'rw', 'the last one writes');
    assert.deepEqual(order, ['A', 'D', 'B', 'E']);
  });

  it('without autoRespond tells people once, and does what they answer', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], fields: { autoRespond: false } });
    await lab.makeWriter('A');
    await lab.do(requestWrite, { volume: 'v1', client: 'B', message: 'please' });
    await lab.run(5000);
    assert.deepEqual(lab.host('A').eventsOf('write-request'), [
      { CFS_VOLUME: 'v1', CFS_FROM: 'B', CFS_MESSAGE: 'please' },
    ]);
    assert.ok(lab.isPending('B'));
    await lab.do(respond, { volume: 'v1', client: null, grant: true, message: 'have it', by: 'A', readOnly: false });
    await lab.until(() => lab.host('B').driver.mode('v1') === 'rw', 'B writes');
    assert.deepEqual(responseTo(lab, 'B'), ['granted', 'have it']);
  });

  it('denies with what its own command says', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    lab.host('A').answer = async ({ volume, from }) => ({ grant: false, message: `${volume} is\nnot for ${from}` });
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    await lab.until(() => !lab.isPending('B'), 'the answer');
    assert.deepEqual(responseTo(lab, 'B'), ['denied', 'v1 is not for B']);
    assert.deepEqual([lab.writer(), lab.host('A').driver.mode('v1')], ['A', 'rw']);
  });

  it('denies with who keeps the mount busy, and goes on writing', async () => {
    for (const isAuto of [true, false]) {
      const lab = await ClientLab.make({ clients: ['A', 'B'], fields: { autoRespond: isAuto } });
      await lab.makeWriter('A');
      lab.host('A').driver.busy.set('v1', BUSY);
      await lab.do(requestWrite, { volume: 'v1', client: 'B' });
      const answer = { volume: 'v1', client: null, grant: true, by: 'A', readOnly: false };
      if (!isAuto) await lab.do(respond, answer);
      await lab.until(() => !lab.isPending('B'), 'the answer');
      const [response, message] = responseTo(lab, 'B');
      assert.equal(response, 'denied');
      assert.match(message!, /vi \(process 4711\) has \/srv\/v1\/a open/);
      await lab.run(2000);
      assert.deepEqual([lab.writer(), lab.host('A').driver.mode('v1')], ['A', 'rw']);
      // Asked once more, when the programs have ended.
      lab.host('A').driver.busy.clear();
      await lab.do(requestWrite, { volume: 'v1', client: 'B' });
      if (!isAuto) await lab.do(respond, answer);
      await lab.until(() => lab.host('B').driver.mode('v1') === 'rw', 'B writes');
    }
  });

  it('ends the programs where the answer says so', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], fields: { autoRespond: false } });
    await lab.makeWriter('A');
    lab.host('A').driver.busy.set('v1', BUSY);
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    await lab.do(respond, { volume: 'v1', client: null, grant: true, force: true, by: 'A', readOnly: false });
    await lab.until(() => lab.host('B').driver.mode('v1') === 'rw', 'B writes');
    assert.ok(lab.host('A').driver.calls.includes('ro! v1'));
  });

  it('gives the right up that is released, disabled, denied, unmounted or logged off; what is busy stays the writer until it is not', async () => {
    const takings: [string, (lab: ClientLab) => Promise<unknown>, 'ro' | 'none'][] = [
      ['disabled', (lab) => lab.do(volumeControl, { volume: 'v1', enabled: false, readOnly: [] }), 'ro'],
      ['denied', (lab) => lab.do(volumeDeny, { volume: 'v1', client: 'A', readOnly: [] }), 'none'],
      ['unmounted', (lab) => lab.do(volumeUnmount, { volume: 'v1', client: 'A', readOnly: false }), 'none'],
      ['logged off', (lab) => lab.do(clientLogoff, { client: 'A', readOnly: false }), 'none'],
    ];
    for (const [name, take, mode] of takings) {
      const lab = await ClientLab.make({ clients: ['A', 'B'] });
      const { driver } = lab.host('A');
      await lab.makeWriter('A');
      driver.busy.set('v1', BUSY);
      driver.calls.length = 0;
      await take(lab);
      await lab.run(3500);
      assert.deepEqual([name, lab.writer(), driver.mode('v1')], [name, 'A', 'rw']);
      assert.ok(driver.calls.length >= 3 && driver.calls.length <= 5, `tried every second: ${driver.calls}`);
      assert.ok(lab.host('A').status!.problems.some((says) => says.includes('process 4711')));
      driver.busy.clear();
      await lab.until(() => lab.writer() === null, `${name}: given up`);
      assert.equal(driver.mode('v1'), mode);
    }
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    lab.host('A').driver.busy.set('v1', BUSY);
    await lab.do(releaseWrite, { volume: 'v1', client: 'A', readOnly: false });
    await lab.until(() => writerOf(lab.snapshot(), 'v1').yields === undefined, 'the release is taken back');
    assert.deepEqual([lab.writer(), lab.host('A').driver.mode('v1')], ['A', 'rw']);
    lab.host('A').driver.busy.clear();
    await lab.do(releaseWrite, { volume: 'v1', client: 'A', readOnly: false });
    await lab.until(() => lab.writer() === null, 'released');
  });

  it('mounts nothing for writing between its word that a mount is read-only and the news of what came of it', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    const host = lab.host('A');
    await lab.makeWriter('A');
    host.beforeDeciding = async (name) => {
      if (name === 'given-up') await lab.cluster.decidingClock(host.process!).sleep(4000);
    };
    await lab.do(volumeControl, { volume: 'v1', enabled: false, readOnly: [] });
    await lab.until(() => host.driver.mode('v1') === 'ro', 'read-only');
    await lab.do(volumeControl, { volume: 'v1', enabled: true, readOnly: [] });
    await lab.run(2000);
    assert.deepEqual([lab.writer(), host.driver.mode('v1')], ['A', 'ro'], 'enabled again, while the word is under way');
    await lab.do(volumeControl, { volume: 'v1', enabled: false, readOnly: [] });
    await lab.until(() => lab.writer() === null, 'the word is taken');
    await lab.do(requestWrite, { volume: 'v1', client: 'B' }).catch(() => null);
    await lab.do(volumeControl, { volume: 'v1', enabled: true, readOnly: [] });
    await lab.makeWriter('B');
    assert.equal(host.driver.mode('v1'), 'ro');
  });

  it('shows what cannot be mounted, tries again, and acknowledges only what it has done', async () => {
    const lab = await ClientLab.make({ clients: ['A'], volumes: 2 }, false);
    const host = lab.host('A');
    host.driver.broken.add('v2 ro').add('v2 unmount');
    host.start();
    await lab.until(() => host.driver.mode('v1') === 'ro', 'the other volume is mounted');
    await lab.run(10_000);
    const tries = host.driver.calls.filter((call) => call.endsWith('v2')).length;
    assert.ok(tries >= 3 && tries <= 5, `${tries} tries in 10 s`);
    const { generation } = lab.snapshot();
    assert.deepEqual([host.status!.released, host.status!.applied < generation], [generation, true]);
    assert.match(host.status!.problems.join(), /volume v2: cannot be mounted read-only: no such device/);
    assert.deepEqual(lab.leaseInfo('A').behind, ['v2'], 'who waits for v1 need not wait for it');
    await lab.do(requestWrite, { volume: 'v1', client: 'A' });
    await lab.until(() => host.driver.mode('v1') === 'rw', 'for writing');
    await lab.until(
      () => lab.leaseInfo('A').behind?.join() === 'v2',
      'said within a moment, not at the next renewal',
      400,
    );
    host.driver.broken.clear();
    await lab.until(() => host.driver.mode('v2') === 'ro', 'mounted');
    await lab.run(2000);
    assert.deepEqual([host.status!.applied, host.status!.problems], [lab.snapshot().generation, []]);
    assert.deepEqual(lab.leaseInfo('A').behind, []);
  });

  it('has a volume read-only where it cannot be mounted for writing, and gives the right up when asked', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    const { driver, held } = lab.host('A');
    driver.broken.add('v1 rw');
    await lab.do(requestWrite, { volume: 'v1', client: 'A' });
    await lab.run(5000);
    assert.deepEqual([driver.mode('v1'), [...held]], ['ro', []]);
    const tries = driver.calls.filter((call) => call.startsWith('rw')).length;
    assert.ok(tries >= 2 && tries <= 4, `${tries} tries in 5 s`);
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    await lab.until(() => lab.host('B').driver.mode('v1') === 'rw', 'B writes');
  });

  it('unmounts what cannot be made read-only, and passes the right on', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    lab.host('A').driver.broken.add('v1 ro');
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    await lab.until(() => lab.host('B').driver.mode('v1') === 'rw', 'B writes');
    assert.equal(lab.host('A').driver.mode('v1'), 'none');
  });

  it('writes nothing more, and ends, when its lease was not renewed in time', async () => {
    const lab = await ClientLab.make({ clients: ['A'] });
    const host = lab.host('A');
    await lab.makeWriter('A');
    host.process!.pause();
    await lab.run(2200);
    host.process!.resume();
    await lab.until(() => host.worker === null, 'it ends');
    assert.match(host.error!.message, /^the lease was not renewed for \d+ ms: what runs here is given up$/);
  });

  it('ends in order: unmounts, logs off, leaves; what is busy is named and tried again, and by force when asked again', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], volumes: 2 });
    const host = lab.host('A');
    await lab.makeWriter('A');
    host.driver.busy.set('v1', BUSY);
    host.worker!.stop({ drain: false });
    await lab.run(2500);
    assert.deepEqual([...host.driver.real], [['v1', 'rw']]);
    assert.ok(host.hasSaid(/volume v1 cannot be unmounted: .* vi \(process 4711\)/));
    assert.ok(isLoggedOn(lab.snapshot(), 'A'));
    host.worker!.stop({ drain: false });
    await lab.until(() => host.end !== null, 'it ends');
    assert.deepEqual(host.end, { reason: 'stopped', says: 'stopped in order' });
    assert.deepEqual([...host.driver.real], []);
    const { platform, paths } = lab.cluster.store.place;
    assert.equal(listClientLeases(platform, paths.leases).get('A')!.applied, null);
    assert.deepEqual([isLoggedOn(lab.snapshot(), 'A'), lab.writer()], [false, null]);
  });

  it('asked for a third time, ends with what cannot be unmounted, when nothing of it can be written to', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    const host = lab.host('A');
    host.driver.broken.add('v1 unmount');
    host.worker!.stop({ drain: false });
    host.worker!.stop({ drain: false });
    await lab.run(3000);
    assert.equal(host.end, null);
    host.worker!.stop({ drain: false });
    await lab.until(() => host.end !== null, 'it ends');
    assert.equal(host.driver.mode('v1'), 'ro');
  });

  it('logs on where it was removed and added again', async () => {
    const lab = await ClientLab.make({ clients: ['A'] });
    const { driver } = lab.host('A');
    await lab.do(clientLogoff, { client: 'A', readOnly: true });
    await lab.do(clientRemove, { name: 'A' });
    await lab.run(1000);
    assert.ok(lab.host('A').status!.problems.some((says) => says.includes('has no client')));
    await lab.do(clientAdd, { clients: [{ name: 'A' }] });
    await lab.until(() => isLoggedOn(lab.snapshot(), 'A'), 'logged on');
    await lab.do(volumeAllow, { volume: 'v1', client: 'A' });
    await lab.do(volumeMount, { volume: 'v1', client: 'A' });
    await lab.until(() => driver.mode('v1') === 'ro', 'mounted');
  });

  it('does not write when somebody has found it gone and has not committed that yet: he has to decide anew', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], fields: { autoRespond: false } });
    await lab.makeWriter('A');
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    // Nothing else that it commits may come between.
    lab.host('A').driver.canTell = false;
    lab.host('A').kill();
    // B looks at the leases under the lock, and its commit takes its time.
    lab.cluster.decisionMs = () => 3000;
    await lab.until(() => lab.host('B').hasSaid(/asks: clients-lapsed/), 'B asks');
    lab.host('A').start();
    await lab.until(() => lab.host('A').driver.mode('v1') === 'ro', 'read-only first');
    lab.cluster.decisionMs = () => 1;
    lab.host('A').driver.delayMs = 500;
    // Two writers would end it.
    await lab.run(10_000);
    const [a, b] = [lab.host('A'), lab.host('B')].map(({ driver }) => driver.mode('v1') === 'rw');
    assert.deepEqual([a, b], [lab.writer() === 'A', lab.writer() === 'B']);
    assert.ok(isLoggedOn(lab.snapshot(), 'A'));
  });

  it('passes its rights on when it ends, in one commit', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'], fields: { autoRespond: false } });
    await lab.makeWriter('A');
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    const { generation } = lab.snapshot();
    lab.host('A').worker!.stop({ drain: false });
    await lab.until(() => lab.host('B').driver.mode('v1') === 'rw', 'B writes');
    assert.deepEqual(lab.operationsSince(generation), ['client.logoff']);
  });

  it('does not work while another host has a live agent of its client', async () => {
    const lab = await ClientLab.make({ clients: ['A'] });
    await lab.makeWriter('A');
    const second = new ClientHost(lab, 'A', 9, 'other-host');
    second.start();
    await lab.until(() => second.end !== null, 'it ends');
    assert.match(
      second.end!.says,
      /^client A has an agent already, on host host-A \(process 1\): it renewed its lease/,
    );
    assert.equal(lab.host('A').driver.mode('v1'), 'rw');
  });

  it('stays logged off when a person logs it off, and mounts again when it is logged on', async () => {
    const lab = await ClientLab.make({ clients: ['A'] });
    await lab.do(clientLogoff, { client: 'A', readOnly: true });
    await lab.run(3000);
    assert.deepEqual([isLoggedOn(lab.snapshot(), 'A'), [...lab.host('A').driver.real]], [false, []]);
    await assert.rejects(lab.do(volumeMount, { volume: 'v1', client: 'A' }), /is not logged on/);
  });

  it('makes a mount anew that was to go, could not, and is wished again', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    const { driver } = lab.host('B');
    driver.busy.set('v1', BUSY);
    await lab.do(clientLogoff, { client: 'B', readOnly: true });
    await lab.run(2000);
    assert.equal(driver.mode('v1'), 'ro', 'busy');
    await lab.do(clientLogon, { client: 'B' });
    driver.calls.length = 0;
    await lab.run(3000);
    assert.ok(lab.host('B').status!.problems.some((says) => says.includes('cannot be refreshed')));
    assert.ok(lab.host('B').status!.applied < lab.snapshot().generation);
    driver.busy.clear();
    await lab.until(() => lab.host('B').status!.applied === lab.snapshot().generation, 'made anew');
    assert.ok(
      driver.calls.every((call) => call === 'ro v1'),
      driver.calls.join(),
    );
  });

  it('does not make a mount anew that it wrote itself', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    const { driver } = lab.host('A');
    driver.calls.length = 0;
    driver.write('v1');
    await lab.do(requestWrite, { volume: 'v1', client: 'B' });
    await lab.run(5000);
    assert.deepEqual([driver.calls, lab.writer()], [['ro v1'], 'B']);
  });

  it('makes few system calls when nothing happens, however many volumes it has', async () => {
    const perSecond = async (volumes: number): Promise<number> => {
      const lab = await ClientLab.make({
        clients: ['A'],
        volumes,
        settings: { 'lease.interval': 2000, 'lease.timeout': 10_000 },
      });
      const { files } = lab.host('A');
      await lab.run(5000);
      const before = files!.calls;
      await lab.run(60_000);
      return (files!.calls - before) / 60;
    };
    const few = await perSecond(2);
    const many = await perSecond(500);
    assert.ok(few < 12, `${few} calls per second`);
    assert.ok(Math.abs(many - few) < 0.5, `${few} with 2 volumes, ${many} with 500`);
  });
});
