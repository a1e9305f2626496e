/** Mounts that a person changed behind the back of a client's agent. */
import assert from 'node:assert/strict';
import { writerOf } from '../../src/core/access/look.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { ClientLab } from '../kit/client-lab.js';

const WRITABLE = 'volume v1 was made writable by somebody else, and is made read-only';

describe('the survey of mounts by a client’s agent', () => {
  it('makes read-only by force what a reader was made to write by hand, says so, and takes the problem back', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    await lab.makeWriter('A');
    const host = lab.host('B');
    host.driver.calls.length = 0;
    host.driver.busy.set('v1', 'vi has a file open');
    host.driver.real.set('v1', 'rw');
    const tookMs = await lab.until(() => host.driver.mode('v1') === 'ro', 'read-only again');
    assert.ok(tookMs < 4000, `${tookMs} ms`);
    assert.deepEqual(host.driver.calls, ['ro! v1']);
    assert.ok(host.says.includes(WRITABLE));
    await lab.until(() => host.status!.problems.includes(WRITABLE), 'the status tells it');
    await lab.until(() => host.status!.problems.length === 0, 'no problem any more');
    assert.deepEqual([host.held.size, lab.writer(), lab.host('A').driver.mode('v1')], [0, 'A', 'rw']);
    assert.equal(host.driver.calls.length, 1);
  });

  it('keeps what cannot be made read-only with the supervisor, as a problem, until it can', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    const host = lab.host('B');
    host.driver.broken.add('v1 ro').add('v1 unmount');
    host.driver.real.set('v1', 'rw');
    await lab.until(() => host.held.has('v1'), 'the supervisor knows');
    await lab.until(() => host.status!.problems.includes(WRITABLE), 'it is told');
    assert.equal(host.driver.mode('v1'), 'rw');
    host.driver.broken.clear();
    await lab.until(() => host.driver.mode('v1') === 'ro' && host.held.size === 0, 'read-only');
  });

  it('makes read-only by force what was mounted for writing where nothing was mounted', async () => {
    const lab = await ClientLab.make({ clients: ['A'], volumes: 1 });
    const { driver } = lab.host('A');
    driver.calls.length = 0;
    driver.real.set('other', 'rw');
    await lab.until(() => driver.mode('other') === 'none', 'unmounted');
    assert.deepEqual(driver.calls, ['unmount! other']);
  });

  it('mounts again what was unmounted by hand', async () => {
    const lab = await ClientLab.make({ clients: ['A'], volumes: 2 });
    const host = lab.host('A');
    host.driver.calls.length = 0;
    host.driver.real.delete('v2');
    await lab.until(() => host.driver.mode('v2') === 'ro', 'mounted again');
    assert.deepEqual(host.driver.calls, ['ro v2']);
    assert.ok(host.says.includes('volume v2 was unmounted by somebody else'));
    await lab.until(() => host.status!.problems.length === 0, 'no problem any more');
  });

  for (const [how, says] of [
    ['unmounted', /^volume v1 was unmounted by somebody else$/],
    ['made read-only', /^volume v1 was made read-only by somebody else/],
  ] as const) {
    it(`makes a writer’s mount anew that was ${how} by hand, by way of a read-only one that the driver made sure of`, async () => {
      const lab = await ClientLab.make({ clients: ['A'] });
      const host = lab.host('A');
      await lab.makeWriter('A');
      host.driver.calls.length = 0;
      if (how === 'unmounted') host.driver.real.delete('v1');
      else host.driver.real.set('v1', 'ro');
      const { since } = writerOf(lab.snapshot(), 'v1');
      await lab.until(() => host.driver.calls.includes(`rw v1@${since}`), 'mounted for writing again');
      await lab.until(() => host.driver.mode('v1') === 'rw', 'it writes');
      assert.deepEqual(host.driver.calls, ['ro v1', `rw v1@${since}`]);
      assert.ok(host.hasSaid(says));
      assert.deepEqual([...host.held], [['v1', since]]);
    });
  }

  it('tells a driver that cannot say what is mounted once, and changes nothing', async () => {
    const lab = await ClientLab.make({ clients: ['A'] });
    const host = lab.host('A');
    await lab.makeWriter('A');
    host.driver.calls.length = 0;
    const { mounted } = host.driver;
    host.driver.mounted = () => Promise.reject(new Error('no /proc'));
    await lab.run(20_000);
    const says = 'cannot find out what is mounted here: no /proc';
    assert.equal(host.says.filter((text) => text === says).length, 1);
    assert.deepEqual([host.status!.problems, host.driver.calls], [[says], []]);
    host.driver.mounted = mounted;
    await lab.until(() => host.status!.problems.length === 0, 'no problem any more');
  });

  it('never asks twice at once, and leaves alone what was mounted while it asked', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    const host = lab.host('A');
    let asked = 0;
    let answer: (() => void) | null = null;
    host.driver.mounted = () => {
      asked += 1;
      const before = [...host.driver.real].map(([volume, mode]) => ({ volume, mode }));
      return new Promise((resolve) => {
        answer = () => resolve(before);
      });
    };
    await lab.until(() => answer !== null, 'a survey began');
    await lab.makeWriter('A');
    await lab.run(10_000);
    assert.equal(asked, 1);
    host.driver.calls.length = 0;
    answer!();
    await lab.run(1000);
    assert.deepEqual([host.driver.mode('v1'), host.driver.calls, host.status!.problems], ['rw', [], []]);
  });

  it('finds nothing amiss while rights are handed over', async () => {
    const lab = await ClientLab.make({ clients: ['A', 'B'] });
    for (let i = 0; i < 6; i++) {
      const client = i % 2 === 0 ? 'A' : 'B';
      await lab.do(requestWrite, { volume: 'v1', client });
      await lab.until(() => lab.host(client).driver.mode('v1') === 'rw', `${client} writes`);
      await lab.run(700);
    }
    for (const host of lab.hosts) assert.ok(!host.hasSaid(/somebody else/), host.name);
  });
});
