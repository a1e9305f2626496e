/** A tmpfs that is really full: root only. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { OwnLease } from '../../src/core/agent/own-lease.js';
import { ballastState, withBallast } from '../../src/core/ballast/ballast.js';
import { compactWithBallast } from '../../src/core/ballast/compact.js';
import { BallastKeeper, makeBallast } from '../../src/core/ballast/keeper.js';
import { CfsError } from '../../src/core/errors.js';
import { leaseName, listLeases } from '../../src/core/membership/leases.js';
import { cfsJson, needsProgram, runCfs, tempDir } from '../kit/cli.js';
import { counter, increment, newCluster } from '../kit/store-kit.js';

const MIB = 1 << 20;
const ACKNOWLEDGED = { released: 1, applied: 1 };

/** Fills the file system to the last byte. */
function fill(file: string): void {
  const fd = fs.openSync(file, 'w');
  for (let bytes = MIB; bytes >= 1; bytes >>= 1) {
    try {
      while (fs.writeSync(fd, Buffer.alloc(bytes, 0x5a)) === bytes);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
  fs.closeSync(fd);
}

/** A renewal as agents make it: a new name with content, then the older one goes. */
function renew(leases: string, seq: number): void {
  const name = (n: number) =>
    path.join(leases, leaseName({ node: 'n1', seq: n, released: 1, applied: 1, timeoutMs: 10_000 }));
  fs.writeFileSync(name(seq), `${JSON.stringify({ version: '0.1.0', problems: [] })}\n`, { flag: 'wx' });
  if (seq > 1) fs.unlinkSync(name(seq - 1));
}

/** What the keeper tells next: on a slow machine the ballast grows over several calls. */
function nextEvent(keeper: BallastKeeper): string {
  for (let calls = 0; calls < 100; calls++) {
    const { event } = keeper.ballastDuty();
    if (event !== null) return event;
  }
  throw new Error('nothing happened');
}

describe('on a file system that is full', () => {
  let at: string;

  before(function () {
    needsProgram(this, 'mount');
    at = path.join(tempDir('full'), 'mnt');
    fs.mkdirSync(at);
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0750', 'tmpfs', at]);
    if (status === 0) return;
    console.error(`skipped, because a tmpfs cannot be mounted here: ${String(stderr).trim()}`);
    this.skip();
  });
  after(() => {
    if (fs.existsSync(at)) spawnSync('umount', ['-l', at]);
  });

  it('the ballast lets leases be renewed and a commit through; status and check raise the alarm; space brings it back', async () => {
    const store = newCluster({}, path.join(at, 'cfs'));
    const { place } = store;
    const { leases } = place.paths;
    fs.mkdirSync(leases);
    const keeper = new BallastKeeper(place);
    assert.equal(nextEvent(keeper), 'made');
    renew(leases, 1);
    const verdict = () => runCfs(['check'], { dir: store.dir }).stdout;
    assert.doesNotMatch(verdict(), /the shared volume is full/);

    const filler = path.join(at, 'filler');
    fill(filler);
    assert.match(verdict(), /^CFS WARNING - .*the shared volume is nearly full: 0 KiB left beside the ballast/);
    assert.throws(() => renew(leases, 2), { code: 'ENOSPC' });
    await assert.rejects(
      store.transact({ operation: 'test' }, increment),
      (error) => error instanceof CfsError && error.code === 'NO_SPACE',
    );
    assert.equal(counter(store), 0, 'a commit without space changes nothing');
    assert.equal(ballastState(place).state, 'whole', 'commands that only add do not use it up');

    const outcome = await withBallast(place, () => store.transact({ operation: 'test' }, increment));
    assert.deepEqual([outcome.freed, outcome.value.committed, counter(store)], [true, true, 1]);
    fs.rmSync(path.join(leases, leaseName({ node: 'n1', seq: 2, released: 1, applied: 1, timeoutMs: 10_000 })), {
      force: true,
    });
    for (let seq = 2; seq <= 50; seq++) renew(leases, seq);

    assert.equal(nextEvent(keeper), 'disk-full');
    const said = verdict();
    assert.match(said, /^CFS CRITICAL - .*the shared volume is full: there is no ballast/);
    const { alarms } = cfsJson(['status'], { dir: store.dir }) as { alarms: { health: string; message: string }[] };
    assert.deepEqual(alarms, [
      { health: 'CRITICAL', message: 'the shared volume is full: there is no ballast (any more)' },
    ]);

    fs.unlinkSync(filler);
    assert.equal(nextEvent(keeper), 'space-back');
    assert.equal(ballastState(place).state, 'whole');
    assert.doesNotMatch(verdict(), /the shared volume is full/);
  });

  it('a compaction that finds no space to raise the beginning of history does so with the ballast, and makes it anew', async () => {
    const store = newCluster({}, path.join(at, 'compacted'));
    for (let i = 0; i < 20; i++) await store.transact({ operation: 'test' }, increment);
    makeBallast(store.place);
    const filler = path.join(at, 'filler');
    fill(filler);
    const compact = () => compactWithBallast(store, { info: { operation: 'db.compact' }, keep: 5, leastKept: 5 });
    const report = await compact();
    assert.deepEqual([report.noSpace, report.floorBefore, report.floor], [false, 1, 17]);
    assert.equal(report.manifests, 16);
    assert.equal(ballastState(store.place).state, 'missing', 'a full disk has no room for it');
    fs.unlinkSync(filler);
    assert.equal((await compact()).noSpace, false);
    assert.equal(ballastState(store.place).state, 'missing', 'a compaction that did not use it does not make it');
  });

  it('an agent renews its lease, without content where there is no block for it, and keeps the ballast for a commit', () => {
    const store = newCluster({}, path.join(at, 'leases-only'));
    const lease = new OwnLease(store.place, 'n1', '0.1.0');
    lease.prepare();
    makeBallast(store.place);
    const filler = path.join(at, 'filler');
    fill(filler);
    for (let i = 0; i < 20; i++) assert.equal(lease.renew(ACKNOWLEDGED, 10_000, []).isDiskFull, true);
    assert.equal(listLeases(store.place.platform, store.place.paths.leases).get('n1')?.seq, 20);
    assert.equal(ballastState(store.place).state, 'whole');
    fs.unlinkSync(filler);
    assert.equal(lease.renew(ACKNOWLEDGED, 10_000, []).isDiskFull, false);
  });

  it('an agent that finds no inode for its lease gives up the ballast for one', () => {
    spawnSync('mount', ['-o', 'remount,nr_inodes=200', at]);
    const store = newCluster({}, path.join(at, 'inodes'));
    const lease = new OwnLease(store.place, 'n1', '0.1.0');
    lease.prepare();
    lease.renew(ACKNOWLEDGED, 10_000, []);
    makeBallast(store.place);
    fs.mkdirSync(path.join(at, 'many'));
    assert.throws(
      () => {
        for (let i = 0; i < 1000; i++) fs.writeFileSync(path.join(at, 'many', String(i)), '');
      },
      { code: 'ENOSPC' },
    );
    const { isDiskFull } = lease.renew(ACKNOWLEDGED, 10_000, []);
    assert.deepEqual([isDiskFull, ballastState(store.place).state], [true, 'missing']);
    for (let i = 0; i < 20; i++) lease.renew(ACKNOWLEDGED, 10_000, []);
    assert.equal(listLeases(store.place.platform, store.place.paths.leases).get('n1')?.seq, 22);
  });
});
