import assert from 'node:assert/strict';
import { OwnLease } from '../../src/core/agent/own-lease.js';
import { Renewals } from '../../src/core/agent/renewals.js';
import { leaseInfo, listLeases, newestLeases } from '../../src/core/membership/leases.js';
import type { Platform } from '../../src/core/platform/platform.js';
import { memorySnapshot } from '../../src/core/store/draft.js';
import { PLAIN_MODES, pathsOf } from '../../src/core/store/layout.js';
import { DEFAULT_BOUNDS, type Place } from '../../src/core/store/place.js';
import { FaultyFiles } from '../kit/faulty-files.js';
import { SimFiles } from '../kit/sim-files.js';
import { Chance, SimClock, SimWorld } from '../kit/sim-world.js';

interface Bench {
  world: SimWorld;
  files: FaultyFiles;
  place: Place;
  renewals: Renewals;
  lease: OwnLease;
  /** What the supervisor was told: timeouts, with the number of the newest lease at that moment. */
  told: { timeoutMs: number; seq: number }[];
}

function snapshot(generation: number, timeoutMs: number) {
  const settings = new Map([
    ['lease.timeout', { value: timeoutMs }],
    ['lease.interval', { value: 500 }],
  ]);
  return memorySnapshot({ cluster: settings }, generation);
}

function bench(inner = new SimFiles()): Bench {
  const world = new SimWorld(1);
  const files = new FaultyFiles(inner);
  const clock = new SimClock(world, null);
  const processes = { pid: 7, host: () => 'h1', bootId: () => 'b1', exists: () => true };
  const platform = { clock, files, random: new Chance(1), processes } as unknown as Platform;
  const place: Place = { platform, paths: pathsOf('/c'), modes: PLAIN_MODES, bounds: DEFAULT_BOUNDS, format: 2 };
  if (inner.isAbsent('test.look', '/c')) inner.mkdir('test.mkdir', '/c', 0o750);
  const lease = new OwnLease(place, 'n1', '1.2.3');
  lease.prepare();
  const told: Bench['told'] = [];
  const renewals = new Renewals(lease, clock, {
    renewed: (_, timeoutMs) => void told.push({ timeoutMs, seq: lease.seq }),
  });
  return { world, files, place, renewals, lease, told };
}

function newest({ place }: Bench) {
  const lease = listLeases(place.platform, place.paths.leases).get('n1')!;
  return { lease, info: leaseInfo(place.platform, place.paths.leases, lease) };
}

describe('renewing the own lease', () => {
  it('keeps the name before the newest until the next renewal, and no older one', () => {
    const b = bench();
    b.renewals.follow(snapshot(4, 3000));
    b.renewals.released(4);
    for (let i = 0; i < 5; i++) b.renewals.renew([]);
    const names = b.files.list('test.list', b.place.paths.leases).sort();
    assert.deepEqual(names, ['n1.4.4.0.3000', 'n1.5.4.0.3000']);
    const { lease, info } = newest(b);
    assert.deepEqual(lease, { node: 'n1', seq: 5, released: 4, applied: 0, timeoutMs: 3000 });
    assert.equal(info?.version, '1.2.3');
  });

  it('is not due before it is known what can be acknowledged', () => {
    const { renewals } = bench();
    renewals.follow(snapshot(4, 3000));
    assert.equal(renewals.isDue(), false);
    renewals.released(4);
    assert.equal(renewals.isDue(), true);
  });

  it('acknowledges at once, but not more often than every tenth of a second', async () => {
    const { world, renewals } = bench();
    renewals.follow(snapshot(4, 3000));
    renewals.released(4);
    renewals.renew([]);
    renewals.applied(4);
    assert.equal(renewals.isBehind(), false);
    assert.equal(renewals.nextDueMs(), 100);
    await world.runFor(100);
    assert.equal(renewals.isBehind(), true);
    renewals.renew([]);
    assert.deepEqual(renewals.acknowledged(), { released: 4, applied: 4 });
  });

  it('never says less than an earlier agent of the node did', () => {
    const b = bench();
    b.renewals.succeed(9, Number.NEGATIVE_INFINITY);
    b.renewals.follow(snapshot(4, 3000));
    b.renewals.released(4);
    assert.equal(b.renewals.isDue(), false);
    b.renewals.released(9);
    assert.equal(b.renewals.isDue(), true);
  });

  it('tells the others of a longer timeout before the supervisor', () => {
    const b = bench();
    b.renewals.follow(snapshot(4, 3000));
    b.renewals.released(4);
    b.renewals.renew([]);
    b.renewals.follow(snapshot(5, 9000));
    b.renewals.released(5);
    b.files.play((call) => (call.label === 'lease.create' ? { fail: 'EIO' } : undefined));
    assert.throws(() => b.renewals.renew([]));
    assert.equal(b.told.at(-1)!.timeoutMs, 3000, 'a lease that could not be made prolongs nothing');
    b.files.play(() => undefined);
    b.renewals.renew([]);
    assert.equal(newest(b).lease.timeoutMs, 9000);
    assert.equal(newest(b).lease.released, 5);
    assert.equal(b.told.at(-1)!.timeoutMs, 9000);
  });

  it('tells the supervisor of a shorter timeout before the others', () => {
    const b = bench();
    b.renewals.follow(snapshot(4, 9000));
    b.renewals.released(4);
    b.renewals.renew([]);
    b.renewals.follow(snapshot(5, 3000));
    b.renewals.released(5);
    b.renewals.renew([]);
    // Others go on with the longer one: by what the lease says, and as generation 5 is not acknowledged.
    assert.equal(newest(b).lease.timeoutMs, 9000);
    assert.equal(newest(b).lease.released, 4);
    assert.deepEqual(b.told.at(-1), { timeoutMs: 3000, seq: 2 });
    b.renewals.renew([]);
    assert.equal(newest(b).lease.timeoutMs, 3000);
    assert.equal(newest(b).lease.released, 5);
  });

  it('lets nothing be started before the head was read one interval after the first renewal, nor on a stale lease', async () => {
    const { world, renewals } = bench();
    renewals.follow(snapshot(4, 3000));
    renewals.released(4);
    renewals.renew([]);
    renewals.headWasRead(world.nowMs);
    assert.equal(renewals.startObstacle(), 'this agent came up a moment ago');
    await world.runFor(500);
    renewals.headWasRead(world.nowMs);
    assert.equal(renewals.startObstacle(), null);
    await world.runFor(1599);
    assert.equal(renewals.startObstacle(), null);
    await world.runFor(1);
    assert.equal(renewals.startObstacle(), 'the own lease is not fresh');
    assert.throws(() => renewals.checkFresh(true), /was not renewed for 2100 ms/);
    renewals.checkFresh(false);
    renewals.renew([]);
    assert.equal(renewals.startObstacle(), 'this agent came up a moment ago', 'a takeover may be under way');
  });

  it('waits for what a former agent on another host may still run', async () => {
    const { world, renewals } = bench();
    renewals.succeed(0, 5000);
    renewals.follow(snapshot(4, 30_000));
    renewals.released(4);
    renewals.renew([]);
    await world.runFor(600);
    renewals.headWasRead(world.nowMs);
    assert.equal(renewals.startObstacle(), 'another agent of this name may still run it');
    await world.runFor(4400);
    assert.equal(renewals.startObstacle(), null);
  });

  it('makes a lease without content on a full disk, and gives up the ballast only when not even that fits', () => {
    const b = bench();
    b.files.close('test.close', b.files.openNew('test.create', b.place.paths.ballast, 0o640));
    b.renewals.follow(snapshot(4, 3000));
    b.renewals.released(4);
    b.files.play((call) => (call.label === 'lease.write' ? { fail: 'ENOSPC' } : undefined));
    assert.deepEqual(b.renewals.renew([]), { isDiskFull: true });
    assert.equal(newest(b).lease.seq, 1);
    assert.equal(newest(b).info, null);
    assert.equal(b.files.isAbsent('test.look', b.place.paths.ballast), false);
    b.files.play((call) =>
      call.label === 'lease.create' && !b.files.inner.isAbsent('test.look', b.place.paths.ballast)
        ? { fail: 'ENOSPC' }
        : undefined,
    );
    assert.deepEqual(b.renewals.renew([]), { isDiskFull: true });
    assert.equal(newest(b).lease.seq, 2);
    assert.equal(b.files.isAbsent('test.look', b.place.paths.ballast), true);
    b.files.play((call) => (call.label === 'lease.create' ? { fail: 'ENOSPC' } : undefined));
    assert.throws(() => b.renewals.renew([]), { code: 'ENOSPC' });
  });

  it('goes on with a higher number after a restart, and leaves with one lease that says so', () => {
    const disk = new SimFiles();
    const first = bench(disk);
    first.renewals.follow(snapshot(4, 3000));
    first.renewals.released(4);
    for (let i = 0; i < 3; i++) first.renewals.renew([]);
    const second = bench(disk);
    const former = second.lease.former()!;
    assert.deepEqual(former.lease, { node: 'n1', seq: 3, released: 4, applied: 0, timeoutMs: 3000 });
    assert.equal(former.isGone, false, 'its process exists');
    second.renewals.follow(snapshot(4, 3000));
    second.renewals.released(4);
    second.renewals.renew([]);
    second.renewals.leave();
    const names = disk.list('test.list', second.place.paths.leases);
    assert.deepEqual(newestLeases(names).get('n1'), {
      node: 'n1',
      seq: 5,
      released: 4,
      applied: null,
      timeoutMs: 3000,
    });
    assert.equal(second.renewals.isDue(), false);
    assert.equal(bench(disk).lease.former()?.isGone, true);
  });
});
