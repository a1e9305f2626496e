import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { breakLockOfDead } from '../../src/core/membership/dead-lock.js';
import type { Lease } from '../../src/core/membership/leases.js';
import type { SharedDirectoryStore } from '../../src/core/store/index.js';
import { renewLease } from '../kit/leases.js';
import { counter, increment, newCluster } from '../kit/store-kit.js';

const N2: Lease = { node: 'n2', seq: 4, released: 1, applied: 1, timeoutMs: 10_000 };

/** A cluster whose lock was left by host h2, with the lease of node n2 beside it. */
function left({ host = 'h2', bootId = 'boot-2', ofThisLock = true } = {}): SharedDirectoryStore {
  const store = newCluster();
  renewLease(store.dir, N2, { host: 'h2', bootId: 'boot-2' });
  const lock = path.join(store.dir, 'lock');
  fs.mkdirSync(lock);
  const { ino, birthtimeNs } = fs.statSync(lock, { bigint: true });
  const identity = { ino: String(ofThisLock ? ino : ino + 1n), birth: String(birthtimeNs) };
  const who = { pid: 7, user: 'root', command: 'cfs agentd', since: '2026-01-01T00:00:00.000Z', started: '1' };
  fs.writeFileSync(path.join(store.dir, 'lock.owner'), JSON.stringify({ host, boot: bootId, ...identity, ...who }));
  return store;
}

const isHeld = (store: SharedDirectoryStore): boolean => fs.existsSync(path.join(store.dir, 'lock'));

describe('the lock of a machine that is taken over from', () => {
  it('[F36] is broken, and a change goes on at once', async () => {
    const store = left();
    assert.equal(breakLockOfDead(store.place, [N2]), 'h2');
    assert.equal(isHeld(store), false);
    await store.transact({ operation: 'test' }, increment, { lockTimeoutMs: 0 });
    assert.equal(counter(store), 1);
  });

  it('stays where nobody is quiet, or another machine or an earlier boot held it', () => {
    for (const [store, quiet] of [
      [left(), []],
      [left({ host: 'h3' }), [N2]],
      [left({ bootId: 'boot-1' }), [N2]],
    ] as [SharedDirectoryStore, Lease[]][]) {
      assert.equal(breakLockOfDead(store.place, quiet), null);
      assert.equal(isHeld(store), true);
    }
  });

  it('stays where somebody else has taken it since, and where the lease says nothing', () => {
    const taken = left({ ofThisLock: false });
    assert.equal(breakLockOfDead(taken.place, [N2]), null);
    assert.equal(isHeld(taken), true);
    const silent = left();
    renewLease(silent.dir, N2, null);
    assert.equal(breakLockOfDead(silent.place, [N2]), null);
    assert.equal(isHeld(silent), true);
    fs.rmSync(path.join(silent.dir, 'lock'), { recursive: true });
    renewLease(silent.dir, N2, { host: 'h2', bootId: 'boot-2' });
    assert.equal(breakLockOfDead(silent.place, [N2]), null, 'there is none');
  });
});
