import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { Processes } from '../../src/core/platform/processes.js';
import { breakLock, type SharedDirectoryStore, showLock } from '../../src/core/store/index.js';
import type { LockHolder } from '../../src/core/store/store.js';
import { nodePlatform } from '../../src/node/platform.js';
import { counter, hastyPlatform, increment, newCluster, reopen } from '../kit/store-kit.js';

const turn = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A process of this host that no longer runs, or never did. */
function processesWith(gone: number): Processes {
  const real = nodePlatform().processes;
  return Object.assign(Object.create(real) as Processes, {
    exists: (pid: number) => pid !== gone,
    startTime: (pid: number) => (pid === gone ? '' : '1'),
  });
}

const OWNER = { user: 'root', command: 'cfs rebalance', since: '2026-01-01T00:00:00.000Z', started: '1' };

/** A lock directory as another holder would have left it. */
function foreignLock(store: SharedDirectoryStore, host: string, pid: number, fields: object = {}): void {
  const lock = path.join(store.dir, 'lock');
  fs.mkdirSync(lock);
  const { ino, birthtimeNs } = fs.statSync(lock, { bigint: true });
  const boot = nodePlatform().processes.bootId();
  const owner = { host, pid, boot, ino: String(ino), birth: String(birthtimeNs), ...OWNER, ...fields };
  fs.writeFileSync(path.join(store.dir, 'lock.owner'), `${JSON.stringify(owner)}\n`);
}

describe('the lock', () => {
  it('is kept between changes of one loop and given back when the event loop turns', async () => {
    const store = newCluster();
    const lock = path.join(store.dir, 'lock');
    await store.transact({ operation: 'a' }, increment);
    const first = fs.statSync(lock).ino;
    await store.transact({ operation: 'b' }, increment);
    assert.equal(fs.statSync(lock).ino, first);
    await turn();
    assert.equal(fs.existsSync(lock), false);
  });

  it('is given back after a fair share of time to somebody who left the note lock.wanted', async () => {
    const platform = hastyPlatform();
    const store = newCluster({ platform });
    await store.transact({ operation: 'a' }, (draft) => {
      platform.clock.sleepSync(30);
      fs.writeFileSync(path.join(store.dir, 'lock.wanted'), '');
      increment(draft);
    });
    assert.equal(fs.existsSync(path.join(store.dir, 'lock')), false);
    assert.equal(fs.existsSync(path.join(store.dir, 'lock.wanted')), false);
  });

  it('goes from store to store within one process', async () => {
    const stores = [newCluster()];
    stores.push(reopen(stores[0]!), reopen(stores[0]!));
    await Promise.all(stores.flatMap((store) => [1, 2, 3, 4].map(() => store.transact({ operation: 'a' }, increment))));
    assert.equal(counter(stores[0]!), 12);
  });

  it('names its holder, to those who wait and in cfs lock show', async () => {
    const store = newCluster();
    foreignLock(store, 'node7', 4711);
    const told: (LockHolder | null)[] = [];
    await assert.rejects(
      store.transact({ operation: 'a' }, increment, { lockTimeoutMs: 700, onWait: (holder) => told.push(holder) }),
      (error: { code?: string; message: string }) =>
        error.code === 'LOCK_TIMEOUT' && /cfs rebalance .*4711 on node7/.test(error.message),
    );
    assert.ok(told.length >= 1 && told.length <= 4, `${told.length} times`);
    assert.equal(told[0]!.host, 'node7');
    const state = showLock(store);
    assert.deepEqual([state.held, state.holder?.pid, state.process, state.wanted], [true, 4711, 'elsewhere', true]);
    assert.equal(counter(store), 0);
  });

  it('of a dead process on this host is taken over at once', async () => {
    const gone = 4711;
    const platform = hastyPlatform({ processes: processesWith(gone) });
    const store = newCluster({ platform });
    foreignLock(store, platform.processes.host(), gone);
    const started = platform.clock.monotonicMs();
    await store.transact({ operation: 'a' }, increment);
    assert.ok(platform.clock.monotonicMs() - started < 1000);
  });

  it('of a dead process is left alone if lock.owner speaks of another lock directory', async () => {
    const gone = 4711;
    const platform = hastyPlatform({ processes: processesWith(gone) });
    const store = newCluster({ platform });
    foreignLock(store, platform.processes.host(), gone, { ino: '1' });
    await assert.rejects(store.transact({ operation: 'a' }, increment, { lockTimeoutMs: 500 }), {
      code: 'LOCK_TIMEOUT',
    });
  });

  for (const [what, skewMs] of Object.entries({ 'a minute ahead': 60_000, 'an hour ahead': 3_600_000 })) {
    it(`whose holder's clock is ${what} is broken after the stale time by the waiter's own clock`, async () => {
      const platform = hastyPlatform();
      const store = newCluster({ platform, lockTimes: { staleMs: 2000, updateMs: 1000 } });
      foreignLock(store, 'node7', 4711);
      const ahead = new Date(Date.now() + skewMs);
      fs.utimesSync(path.join(store.dir, 'lock'), ahead, ahead);
      const started = platform.clock.monotonicMs();
      await store.transact({ operation: 'a' }, increment);
      const waited = platform.clock.monotonicMs() - started;
      assert.ok(waited >= 2000 && waited < 3500, `${waited} ms`);
    });
  }

  for (const [what, skewMs] of Object.entries({ 'a minute behind': 60_000, 'an hour behind': 3_600_000 })) {
    it(`whose holder's clock is ${what} looks stale and is taken at once: slower for the holder, still correct`, async () => {
      const store = newCluster();
      foreignLock(store, 'node7', 4711);
      const behind = new Date(Date.now() - skewMs);
      fs.utimesSync(path.join(store.dir, 'lock'), behind, behind);
      const outcome = await store.transact({ operation: 'a' }, increment);
      assert.equal(outcome.generation, 2);
    });
  }

  it('that was taken over meanwhile is not removed by the one who lost it', async () => {
    const store = newCluster();
    const lock = path.join(store.dir, 'lock');
    await store.transact({ operation: 'a' }, (draft) => {
      fs.rmdirSync(lock);
      foreignLock(store, 'node7', 4711);
      increment(draft);
    });
    await turn();
    assert.equal(fs.existsSync(lock), true);
    assert.equal(counter(store), 1);
  });

  it('is broken on request when its holder is gone or stale, and by force otherwise', () => {
    const store = newCluster();
    assert.throws(() => breakLock(store), { code: 'LOCK_NOT_HELD' });
    foreignLock(store, 'node7', 4711);
    assert.throws(() => breakLock(store), { code: 'LOCK_IN_USE' });
    assert.equal(breakLock(store, true).holder?.host, 'node7');
    assert.equal(showLock(store).held, false);
    foreignLock(store, 'node7', 4711);
    const old = new Date(Date.now() - 20_000);
    fs.utimesSync(path.join(store.dir, 'lock'), old, old);
    assert.equal(breakLock(store).stale, true);
  });
});

describe('a signal', () => {
  const script = (dir: string, body: string): ChildProcess =>
    spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        '--input-type=module',
        '-e',
        `import { openNodeStore } from './src/node/store.ts';\nconst store = openNodeStore(${JSON.stringify(dir)});\n${body}`,
      ],
      { cwd: path.resolve(import.meta.dirname, '../..'), stdio: ['ignore', 'pipe', 'inherit'] },
    );
  const ended = (child: ChildProcess): Promise<[number | null, string | null]> =>
    new Promise((resolve) => child.once('exit', (code, signal) => resolve([code, signal])));
  const said = (child: ChildProcess): Promise<void> =>
    new Promise((resolve) => child.stdout!.once('data', () => resolve()));

  it('before the commit changes nothing and gives the lock back', async () => {
    const store = newCluster({ platform: nodePlatform() });
    const child = script(
      store.dir,
      `try {
        await store.transact({ operation: 'slow' }, (draft) => {
          draft.put('cluster', 'n', { value: 99 });
          process.stdout.write('deciding');
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
        });
      } catch (error) { process.exitCode = error.exitStatus; }`,
    );
    const end = ended(child);
    await said(child);
    child.kill('SIGINT');
    assert.deepEqual(await end, [130, null]);
    assert.equal(counter(store), 0);
    assert.equal(showLock(store).held, false);
  });

  it('while waiting for the lock ends the waiting', async () => {
    const store = newCluster({ platform: nodePlatform() });
    foreignLock(store, 'node7', 4711);
    const child = script(
      store.dir,
      `try { await store.transact({ operation: 'a' }, () => {}, { onWait: () => process.stdout.write('waiting') }); }
      catch (error) { process.exitCode = error.exitStatus; }`,
    );
    const end = ended(child);
    await said(child);
    child.kill('SIGTERM');
    assert.deepEqual(await end, [130, null]);
  });

  it('in a loop of commits ends the loop, and every commit it reported is there', async () => {
    const store = newCluster({ platform: nodePlatform() });
    const child = script(
      store.dir,
      `let n = 0;
      try {
        for (;;) {
          n = (await store.transact({ operation: 'a' }, (draft) => {
            const next = draft.table('cluster').get('n').value + 1;
            draft.put('cluster', 'n', { value: next });
            return next;
          })).value;
          if (n === 20) process.stdout.write('twenty');
        }
      } catch (error) { process.stdout.write('=' + n); process.exitCode = error.exitStatus; }`,
    );
    let output = '';
    child.stdout!.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const end = ended(child);
    await said(child);
    child.kill('SIGINT');
    assert.deepEqual(await end, [130, null]);
    assert.equal(counter(store), Number(output.split('=')[1]));
  });

  it('after the commits has its usual effect', async () => {
    const store = newCluster({ platform: nodePlatform() });
    const child = script(
      store.dir,
      `await store.transact({ operation: 'a' }, (draft) => draft.put('cluster', 'n', { value: 5 }));
      await new Promise((resolve) => setTimeout(resolve, 50));
      process.stdout.write('done');
      setTimeout(() => {}, 60000);`,
    );
    const end = ended(child);
    await said(child);
    child.kill('SIGTERM');
    assert.deepEqual(await end, [null, 'SIGTERM']);
  });
});
