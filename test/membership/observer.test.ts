import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  decodeName,
  encodeName,
  type Lease,
  leaseName,
  newestLeases,
  parseLeaseName,
} from '../../src/core/membership/leases.js';
import { LeaseObserver } from '../../src/core/membership/observer.js';
import { leaseTimeout } from '../../src/core/membership/timeout.js';
import { clusterOfNodes, Leases } from './clusters.js';

describe('the name of a lease', () => {
  it('comes back exactly, whatever the node is called', () => {
    const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
    fc.assert(
      fc.property(name, number, number, fc.option(number), (node, seq, released, applied) => {
        fc.pre(node.isWellFormed() && !node.includes('~'));
        const file = leaseName({ node, seq, released, applied, timeoutMs: 10_000 });
        assert.match(file, /^[\w.%-]+$/);
        assert.deepEqual(parseLeaseName(file), { node, seq, released, applied, timeoutMs: 10_000 });
        assert.equal(decodeName(encodeName(node)), node);
      }),
    );
  });

  it('is not taken from names that say something else', () => {
    for (const file of [
      'n1',
      'n1.1.2',
      'n1.1.2.3',
      'n1.1.2.gone.500',
      'n1.01.2.3.500',
      '.n1.tmp',
      'client~c1.1.2.3.500',
      'n1.-1.2.3.500',
      '%6e1.1.2.3.500',
      '%.1.2.3.500',
    ]) {
      assert.equal(parseLeaseName(file), null, file);
    }
  });

  it('with the highest number counts, in whatever order they are listed', () => {
    const files = ['n1.9.1.1.500', 'n1.10.2.1.500', 'n2.3.1.left.500', 'n1.2.1.1.500', 'junk'];
    for (const list of [files, [...files].reverse()]) {
      const newest = newestLeases(list);
      assert.equal(newest.get('n1')!.seq, 10);
      assert.equal(newest.get('n2')!.applied, null);
      assert.equal(newest.size, 2);
    }
  });
});

describe('an observer', () => {
  it('says that a lease lapsed only after it was watched for the whole timeout', () => {
    const leases = new Leases();
    leases.run(3, ['n1', 'n2']);
    leases.run(9, ['n2']);
    assert.equal(leases.observer.isLapsed('n1', 10_000), false);
    leases.run(1, ['n2']);
    assert.equal(leases.observer.isLapsed('n1', 10_000), true);
    assert.equal(leases.observer.isLapsed('n2', 10_000), false);
    leases.run(1, ['n1', 'n2']);
    assert.equal(leases.observer.quietMs('n1'), 0);
  });

  it('never says so of a node that renews in time, however irregular the looks: no clock of others counts', () => {
    const gap = fc.integer({ min: 1, max: 9000 });
    fc.assert(
      fc.property(
        fc.array(gap, { minLength: 1, maxLength: 60 }),
        fc.array(gap, { minLength: 1, maxLength: 60 }),
        (renewals, looks) => {
          const observer = new LeaseObserver(6000);
          // Renewed at least every 9 s of true time; looked at whenever.
          const times: number[] = [];
          for (const pause of renewals) times.push((times.at(-1) ?? 0) + pause);
          const last = times.at(-1)!;
          let nowMs = 0;
          for (const pause of looks) {
            nowMs += pause;
            if (nowMs > last) break;
            const seq = times.filter((at) => at <= nowMs).length;
            const lease: Lease = { node: 'n1', seq, released: 1, applied: 1, timeoutMs: 10_000 };
            observer.look({ leases: new Map([['n1', lease]]), beganMs: nowMs, endedMs: nowMs + 5 });
            assert.equal(observer.isLapsed('n1', 10_000), false);
          }
        },
      ),
    );
  });

  it('watches for a whole timeout again when it could not look for a while, as after a directory that hung for all', () => {
    const leases = new Leases();
    leases.run(3, ['n1']);
    leases.run(9, []);
    leases.nowMs += 60_000;
    leases.look();
    assert.equal(leases.observer.quietMs('n1'), 0);
    leases.run(9, []);
    assert.equal(leases.observer.isLapsed('n1', 10_000), false);
    leases.run(1, []);
    assert.equal(leases.observer.isLapsed('n1', 10_000), true);
  });

  it('does so too where the look itself hung', () => {
    const observer = new LeaseObserver(3000);
    const look = (beganMs: number, endedMs: number) => {
      const lease: Lease = { node: 'n1', seq: 4, released: 1, applied: 1, timeoutMs: 10_000 };
      observer.look({ leases: new Map([['n1', lease]]), beganMs, endedMs });
    };
    for (let at = 0; at <= 8000; at += 1000) look(at, at + 10);
    assert.equal(observer.quietMs('n1'), 7990);
    look(9000, 30_000);
    assert.equal(observer.quietMs('n1'), 0);
  });

  it('knows a lease that is renewed from one that lies there', () => {
    const leases = new Leases();
    leases.renew('n1');
    leases.run(3, []);
    assert.equal(leases.observer.isRenewing('n1'), false);
    leases.run(1, ['n1']);
    assert.equal(leases.observer.isRenewing('n1'), true);
    leases.leases.delete('n1');
    leases.look();
    assert.equal(leases.observer.isRenewing('n1'), false);
    assert.equal(leases.observer.isLapsed('n1', 0), false);
  });
});

describe('the timeout of a lease', () => {
  const cluster = clusterOfNodes({ nodes: 2, volumes: 2, settings: { 'lease.timeout': '5s', 'lease.interval': '1s' } });
  const lease = (timeoutMs: number): Lease => ({ node: 'n1', seq: 1, released: 1, applied: 1, timeoutMs });

  it('is the one that its node counts with, until the node has seen that it became shorter', () => {
    assert.equal(leaseTimeout(cluster.snapshot(), lease(60_000)), 60_000);
    assert.equal(leaseTimeout(cluster.snapshot(), lease(5000)), 5000);
  });

  it('is the one of the tables where that is longer, or where there is no lease', () => {
    assert.equal(leaseTimeout(cluster.snapshot(), lease(1000)), 5000);
    assert.equal(leaseTimeout(cluster.snapshot(), undefined), 5000);
  });
});
