import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {
  checkStore,
  compactStore,
  findTransaction,
  history,
  initStore,
  readBackup,
  repairStore,
  restoreToEmpty,
  type SharedDirectoryStore,
  statStore,
  type WatchItem,
  watchStore,
  writeBackup,
} from '../../src/core/store/index.js';
import { FaultyFiles } from '../kit/faulty-files.js';
import { SimFiles } from '../kit/sim-files.js';
import { counter, hastyPlatform, increment, newCluster, reopen, temporaryDirectory, volume } from '../kit/store-kit.js';

const BOUNDS = { overlay: 300, shardBytes: 1000, inlineShards: 2 };
const COMPACT = { info: { operation: 'compact' } };

async function grown(store: SharedDirectoryStore, commits: number): Promise<void> {
  for (let i = 0; i < commits; i++) {
    await store.transact({ operation: 'grow', message: `number ${i}` }, (draft) => {
      increment(draft);
      draft.put('volumes', `v${i % 7}`, volume(i));
    });
  }
}

describe('compaction', () => {
  it('keeps what it is told to keep, removes the rest, and what is kept stays readable', async () => {
    const store = newCluster({ bounds: BOUNDS });
    await grown(store, 30);
    const expected = [...store.snapshot(25).table('volumes').entries()].sort();
    const rehearsal = await compactStore(store, { ...COMPACT, keep: 10, leastKept: 1, dryRun: true });
    assert.equal(store.snapshot().generation, 31);
    assert.deepEqual([rehearsal.floor, rehearsal.manifests], [22, 21]);
    assert.ok(rehearsal.paths.every((file) => fs.existsSync(file)) && rehearsal.paths.length > 21);
    const report = await compactStore(store, { ...COMPACT, keep: 10, leastKept: 1 });
    assert.deepEqual([report.floorBefore, report.floor, report.generation], [1, 22, 32]);
    assert.equal(report.tableFiles, rehearsal.tableFiles);
    assert.ok(rehearsal.paths.every((file) => !fs.existsSync(file)));
    assert.deepEqual([...reopen(store).snapshot(25).table('volumes').entries()].sort(), expected);
    assert.throws(() => store.snapshot(21), { code: 'GENERATION_NOT_FOUND' });
    assert.equal(store.oldestGeneration(), 22);
    assert.deepEqual(checkStore(store), { ...checkStore(store), problems: [], leftovers: [] });
  });

  it('never keeps fewer than 100 generations, and keeps what is younger than the age it is given', async () => {
    const store = newCluster();
    await grown(store, 120);
    assert.equal((await compactStore(store, { ...COMPACT, keep: 1, dryRun: true })).floor, 22);
    assert.equal((await compactStore(store, { ...COMPACT, keep: 1, keepMs: 3_600_000, dryRun: true })).floor, 1);
  });

  it('removes what killed writers left behind, but nothing of a commit under way', async () => {
    const store = newCluster({ bounds: BOUNDS });
    await grown(store, 5);
    const left = ['manifests/.0000000006.0123456789abcdef.tmp', 'tables/volumes.6.0123456789abcdef.json'];
    const underWay = ['manifests/.0000000008.0123456789abcdef.tmp', 'tables/volumes.8.0123456789abcdef.json'];
    for (const name of [...left, ...underWay, 'manifests/notes.txt']) fs.writeFileSync(path.join(store.dir, name), 'x');
    assert.deepEqual(checkStore(store).leftovers.sort(), left.map((name) => path.join(store.dir, name)).sort());
    const report = await compactStore(store, { ...COMPACT, keep: 100 });
    assert.deepEqual([report.temporaries, report.tableFiles, report.generation], [1, 1, null]);
    for (const name of [...underWay, 'manifests/notes.txt']) assert.ok(fs.existsSync(path.join(store.dir, name)), name);
  });

  it('folds the overlay on request', async () => {
    const store = newCluster();
    await grown(store, 3);
    assert.ok(statStore(store).overlayRecords > 0);
    await compactStore(store, { ...COMPACT, keep: 100, fold: true });
    assert.equal(statStore(store).overlayRecords, 0);
    assert.equal(counter(reopen(store)), 3);
  });

  it('makes room on a full disk without committing', async () => {
    const faulty = new FaultyFiles(new SimFiles());
    const platform = hastyPlatform({ files: faulty });
    const store = newCluster({ platform, bounds: BOUNDS }, '/c');
    await grown(store, 10);
    faulty.play((call) => (call.label === 'manifest.link' ? { kill: 'before' } : undefined));
    await assert.rejects(
      store.transact({ operation: 'killed' }, (draft) => draft.put('volumes', 'x'.repeat(70), volume(1))),
    );
    faulty.play(() => undefined);
    await grown(reopen(store, { platform, bounds: BOUNDS, lock: false }), 1);
    faulty.play((call) => (call.method === 'write' ? { fail: 'ENOSPC' } : undefined));
    const report = await compactStore(reopen(store, { platform, lock: false }), { ...COMPACT, keep: 2, leastKept: 1 });
    assert.deepEqual([report.generation, report.temporaries], [null, 1]);
    assert.ok(report.bytes > 0);
  });

  it('makes the removal of each block of generations durable before it begins with the next, and what it found gone first', async () => {
    const faulty = new FaultyFiles(new SimFiles());
    const store = newCluster({ platform: hastyPlatform({ files: faulty }) }, '/c');
    await grown(store, 200);
    faulty.play(() => undefined);
    await compactStore(store, { ...COMPACT, keep: 10, leastKept: 1 });
    const steps = faulty.calls.flatMap(({ label, args }) => {
      if (label === 'collect-dir.fsync') return ['flush'];
      const gen = label === 'collect.unlink-manifest' ? Number(/(\d+)\.json$/.exec(args[0] as string)![1]) : null;
      return gen === null ? [] : [`block ${Math.floor(gen / 64)}`];
    });
    const order = steps.filter((step, i) => step !== steps[i - 1]);
    assert.deepEqual(order, ['flush', 'block 0', 'flush', 'block 1', 'flush', 'block 2', 'flush']);
  });

  it('after every commit, keeping three, leaves the database whole', async () => {
    const store = newCluster({ bounds: BOUNDS });
    const slow = reopen(store, { bounds: BOUNDS });
    const old = slow.snapshot();
    for (let i = 0; i < 150; i++) {
      await grown(store, 1);
      await compactStore(store, { ...COMPACT, keep: 3, leastKept: 1 });
    }
    assert.deepEqual(checkStore(store).problems, []);
    assert.ok(fs.readdirSync(path.join(store.dir, 'manifests')).length <= 5);
    assert.equal(old.table('cluster').get('n')!.value, 0, 'what stands in the manifest itself is still readable');
    assert.equal(counter(slow), 150);
  });
});

describe('history', () => {
  it('lists generations newest first and finds a transaction', async () => {
    const store = newCluster();
    const outcome = await store.transact({ operation: 'one', message: 'why', request: { a: 1 } }, increment);
    await grown(store, 2);
    assert.deepEqual(
      [...history(store)].map(({ operation }) => operation),
      ['grow', 'grow', 'one', 'init'],
    );
    const info = findTransaction(store, outcome.txid!);
    assert.deepEqual([info.generation, info.message, info.request, info.counts], [2, 'why', { a: 1 }, { cluster: 1 }]);
    assert.throws(() => findTransaction(store, '0123456789abcdef'), { code: 'TRANSACTION_NOT_FOUND' });
  });
});

describe('a backup', () => {
  const options = (platform = hastyPlatform()): { platform: typeof platform; info: { operation: string } } => ({
    platform,
    info: { operation: 'restore' },
  });

  it('is restored into an empty directory with a first generation that outranks every epoch given out since', async () => {
    const store = newCluster({ bounds: BOUNDS });
    await grown(store, 20);
    const file = path.join(temporaryDirectory(), 'backup');
    const report = writeBackup(store, file);
    assert.deepEqual([report.generation, report.records, report.bytes], [21, 8, fs.statSync(file).size]);
    assert.equal(fs.statSync(file).mode & 0o777, 0o640);
    const restored = restoreToEmpty(path.join(temporaryDirectory(), 'new'), file, options());
    assert.equal(restored.generation, 1_000_000);
    const all = (s: SharedDirectoryStore): unknown => [...s.snapshot().table('volumes').entries()].sort();
    assert.deepEqual(all(restored.store), all(store));
    assert.equal((await restored.store.transact({ operation: 'next' }, increment)).generation, 1_000_001);
    assert.deepEqual(checkStore(restored.store).problems, []);
  });

  it('is never overwritten, and is removed again when the disk is full', async () => {
    const faulty = new FaultyFiles(new SimFiles());
    const store = newCluster({ platform: hastyPlatform({ files: faulty }) }, '/c');
    writeBackup(store, '/b');
    assert.throws(() => writeBackup(store, '/b'), { code: 'FILE_EXISTS' });
    faulty.play((call) => (call.label === 'backup.write' ? { fail: 'ENOSPC' } : undefined));
    assert.throws(() => writeBackup(store, '/full'), { code: 'NO_SPACE' });
    assert.equal(faulty.inner.isAbsent('test.look', '/full'), true);
  });

  it('that is changed or cut short anywhere is refused', async () => {
    const store = newCluster();
    await grown(store, 10);
    const file = path.join(temporaryDirectory(), 'backup');
    writeBackup(store, file);
    const bytes = fs.readFileSync(file);
    const platform = hastyPlatform();
    for (let at = 0; at < bytes.length; at += 3) {
      const copy = Buffer.from(bytes);
      copy[at] = copy[at]! ^ 1;
      for (const bad of [copy, bytes.subarray(0, at)]) {
        fs.writeFileSync(file, bad);
        assert.throws(
          () => readBackup(platform, file),
          (error: { code?: string }) => error.code === 'BACKUP_DAMAGED' || error.code === 'FORMAT_TOO_NEW',
          `at ${at}`,
        );
      }
    }
    fs.writeFileSync(file, bytes);
    assert.equal([...readBackup(platform, file).records()].length, 8);
  });
});

describe('watching', () => {
  async function take(items: AsyncGenerator<WatchItem, void>, count: number): Promise<WatchItem[]> {
    const taken: WatchItem[] = [];
    for await (const item of items) {
      taken.push(item);
      if (taken.length === count) break;
    }
    return taken;
  }
  const numbers = (items: WatchItem[]): unknown[] =>
    items.map((item) => (item.kind === 'generation' ? item.info.generation : item.kind));

  it('delivers each generation once and in order, from the one it is given', async () => {
    const store = newCluster();
    await grown(store, 3);
    const items = watchStore(reopen(store), { from: 2, intervalMs: 5 });
    const taking = take(items, 6);
    await grown(store, 3);
    assert.deepEqual(numbers(await taking), [2, 3, 4, 5, 6, 7]);
  });

  it('begins with the next generation when it is given none, and ends when it is told to', async () => {
    const store = newCluster();
    const stop = new AbortController();
    const items = watchStore(reopen(store), { intervalMs: 5, signal: stop.signal });
    const first = items.next();
    await grown(store, 1);
    assert.equal(((await first).value as { info: { generation: number } }).info.generation, 2);
    const last = items.next();
    stop.abort();
    assert.equal((await last).done, true);
  });

  it('says that it must be read anew when generations were collected before it saw them', async () => {
    const store = newCluster();
    await grown(store, 10);
    await compactStore(store, { ...COMPACT, keep: 3, leastKept: 1 });
    const items = await take(watchStore(reopen(store), { from: 2, intervalMs: 5 }), 3);
    assert.deepEqual(items[0], { kind: 'resync', from: 2, to: 8 });
    assert.deepEqual(numbers(items), ['resync', 9, 10]);
  });

  it('raises an alarm when the database goes back', async () => {
    const store = newCluster();
    await grown(store, 3);
    const items = watchStore(reopen(store), { from: 4, intervalMs: 5 });
    assert.deepEqual(numbers([(await items.next()).value as WatchItem]), [4]);
    const next = items.next();
    await new Promise((resolve) => setTimeout(resolve, 15));
    fs.unlinkSync(path.join(store.dir, 'manifests', '0000000004.json'));
    const { value } = await next;
    assert.equal((value as WatchItem).kind, 'alarm');
    await items.return();
  });
});

describe('what is kept', () => {
  it('never grows at the old end: of two collections that overlap the later one cannot lower the floor', async () => {
    const store = newCluster();
    await grown(store, 30);
    const slow = reopen(store);
    // Both decide on their floors from the same generation; the one that wants less is committed last.
    await store.change({ info: { operation: 'fast' }, floor: 20, always: true }, () => {});
    await slow.change({ info: { operation: 'slow' }, floor: 10, always: true }, () => {});
    assert.equal(reopen(store).oldestGeneration(), 20);
  });

  it('is missed by check and given up by repair when manifests at its old end are lost', async () => {
    const store = newCluster();
    await grown(store, 10);
    for (const gen of [1, 2]) fs.unlinkSync(store.heads.pathOf(gen));
    const checked = checkStore(reopen(store));
    assert.deepEqual(
      checked.problems.map(({ generation }) => generation),
      [1, 2],
    );
    const report = await repairStore(reopen(store), { operation: 'repair' });
    assert.deepEqual([report.from, report.skips, report.generation], [11, [1, 2], 12]);
    assert.deepEqual(checkStore(reopen(store)).problems, []);
    await compactStore(reopen(store), { ...COMPACT, keep: 5, leastKept: 1 });
  });
});

describe('a creation that was cut off', () => {
  const init = (dir: string, files: SimFiles | FaultyFiles, source: string) =>
    initStore(
      dir,
      { platform: hastyPlatform({ files }), info: { operation: 'init', request: { source } } },
      (draft) => {
        draft.put('cluster', 'n', { value: 0 });
      },
    );

  it('is completed by the same request and refuses another, whose document would be lost', () => {
    const faulty = new FaultyFiles(new SimFiles());
    faulty.play((call) => (call.label === 'cluster.link' ? { kill: 'before' } : undefined));
    assert.throws(() => init('/c', faulty, 'a.yaml'));
    assert.throws(() => init('/c', faulty.inner as SimFiles, 'b.yaml'), { code: 'CLUSTER_EXISTS' });
    assert.equal(init('/c', faulty.inner as SimFiles, 'a.yaml').generation, 1);
  });
});
