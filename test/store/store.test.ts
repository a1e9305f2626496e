import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { initStore, openStore } from '../../src/core/store/index.js';
import { Collected } from '../../src/core/store/table-reader.js';
import { FaultyFiles } from '../kit/faulty-files.js';
import { SimFiles } from '../kit/sim-files.js';
import { counter, hastyPlatform, increment, newCluster, reopen, temporaryDirectory, volume } from '../kit/store-kit.js';
import { SyncWriter } from '../kit/sync-writer.js';

const INIT = { platform: hastyPlatform(), info: { operation: 'init' } };

describe('a change', () => {
  it('makes one generation that tells who, when, what and why', async () => {
    const actor = { user: 'ann', sudoUser: 'bob', host: 'h', pid: 7, command: 'cfs node add x' };
    const store = newCluster({ actor });
    const outcome = await store.transact(
      { operation: 'node.add', request: { name: 'x' }, message: 'new rack' },
      (draft) => {
        assert.deepEqual([draft.generation, draft.nextGeneration], [1, 2]);
        draft.put('volumes', 'v', volume(1));
        return 'result';
      },
    );
    assert.deepEqual([outcome.value, outcome.base, outcome.generation, outcome.committed], ['result', 1, 2, true]);
    assert.deepEqual(outcome.changes, [{ table: 'volumes', name: 'v', before: null, after: volume(1) }]);
    const info = reopen(store).info();
    assert.deepEqual(
      { ...info, time: '' },
      {
        ...{
          generation: 2,
          txid: outcome.txid,
          time: '',
          operation: 'node.add',
          request: { name: 'x' },
          message: 'new rack',
        },
        ...{ actor, counts: { volumes: 1 }, repair: null },
      },
    );
    assert.ok(Math.abs(Date.parse(info.time) - Date.now()) < 60_000);
  });

  it('that changes nothing makes no generation', async () => {
    const store = newCluster();
    const outcome = await store.transact({ operation: 'x' }, (draft) => draft.put('cluster', 'n', { value: 0 }));
    assert.deepEqual([outcome.committed, outcome.generation, outcome.txid], [false, 1, null]);
    assert.equal(fs.readdirSync(path.join(store.dir, 'manifests')).length, 1);
  });

  it('whose decision throws changes nothing and frees the lock', async () => {
    const store = newCluster();
    const failing = store.transact({ operation: 'x' }, (draft) => {
      increment(draft);
      throw new Error('refused');
    });
    await assert.rejects(failing, /refused/);
    assert.equal(counter(store), 0);
    assert.equal((await store.transact({ operation: 'x' }, increment)).committed, true);
  });

  it('that expects another generation is refused', async () => {
    const store = newCluster();
    await assert.rejects(store.transact({ operation: 'x' }, increment, { expectGeneration: 7 }), {
      code: 'GENERATION_CONFLICT',
      exitStatus: 4,
    });
    assert.equal((await store.transact({ operation: 'x' }, increment, { expectGeneration: 1 })).generation, 2);
  });

  it('that is only rehearsed takes no lock and writes nothing', async () => {
    const faulty = new FaultyFiles(new SimFiles());
    const store = newCluster({ platform: hastyPlatform({ files: faulty }) }, '/c');
    faulty.play(() => undefined);
    const outcome = await store.transact({ operation: 'x' }, increment, { dryRun: true });
    assert.deepEqual([outcome.committed, outcome.value, outcome.changes.length], [false, 1, 1]);
    const writing = ['openNew', 'write', 'mkdir', 'link', 'unlink', 'rename', 'rmdir', 'fsync'];
    assert.deepEqual(
      faulty.calls.filter(({ method }) => writing.includes(method)),
      [],
    );
  });

  it('is decided again after a conflict, on the newer generation', async () => {
    const sim = new SimFiles();
    const store = newCluster({ platform: hastyPlatform({ files: sim }), lock: false }, '/c');
    const other = new SyncWriter('/c', sim);
    let runs = 0;
    const outcome = await store.transact({ operation: 'x' }, (draft) => {
      runs += 1;
      if (runs < 4) other.commit(increment);
      return increment(draft);
    });
    assert.deepEqual([runs, outcome.value, outcome.generation], [4, 4, 5]);
  });

  it('that loses a conflict and expects a generation fails at once', async () => {
    const sim = new SimFiles();
    const store = newCluster({ platform: hastyPlatform({ files: sim }), lock: false }, '/c');
    const other = new SyncWriter('/c', sim);
    const failing = store.transact(
      { operation: 'x' },
      (draft) => {
        other.commit(increment);
        return increment(draft);
      },
      { expectGeneration: 1 },
    );
    await assert.rejects(failing, { code: 'GENERATION_CONFLICT' });
  });

  it('gives up when others are faster for longer than it may wait', async () => {
    const sim = new SimFiles();
    const store = newCluster({ platform: hastyPlatform({ files: sim }), lock: false }, '/c');
    const other = new SyncWriter('/c', sim);
    const failing = store.transact(
      { operation: 'x' },
      (draft) => {
        other.commit(increment);
        return increment(draft);
      },
      { lockTimeoutMs: 200 },
    );
    await assert.rejects(failing, { code: 'LOCK_TIMEOUT', exitStatus: 6 });
  });

  it('of a small kind makes exactly two flushes and writes one file', async () => {
    const faulty = new FaultyFiles(new SimFiles());
    const store = newCluster({ platform: hastyPlatform({ files: faulty }) }, '/c');
    await store.transact({ operation: 'x' }, (draft) => {
      for (let i = 0; i < 3000; i++) draft.put('volumes', `v${i}`, volume(i));
    });
    faulty.play(() => undefined);
    await store.transact({ operation: 'x' }, (draft) => draft.put('volumes', 'v7', volume(8)));
    assert.deepEqual(
      faulty.calls.filter(({ method }) => method === 'fsync').map(({ label }) => label),
      ['manifest.fsync', 'manifests-dir.fsync'],
    );
  });

  it('costs the same number of system calls however long the history is', async () => {
    const faulty = new FaultyFiles(new SimFiles());
    const store = newCluster({ platform: hastyPlatform({ files: faulty }) }, '/c');
    const calls: number[] = [];
    for (let i = 0; i < 300; i++) {
      faulty.play(() => undefined);
      await store.transact({ operation: 'x' }, increment);
      if (i % 100 === 90) calls.push(faulty.calls.filter(({ method }) => method !== 'list').length);
      if (i > 70)
        assert.equal(
          faulty.calls.some(({ label }) => label === 'manifests.list'),
          false,
        );
    }
    assert.ok(
      calls.every((n) => n <= 22),
      calls.join(),
    );
  });

  it('of one record among 100,000 reads and writes a few files of kilobytes', async () => {
    const faulty = new FaultyFiles(new SimFiles());
    const platform = hastyPlatform({ files: faulty });
    initStore('/c', { platform, info: { operation: 'init' } }, (draft) => {
      for (let i = 0; i < 100_000; i++) draft.put('volumes', `volume-${i}`, volume(i % 50));
    });
    const store = openStore('/c', { platform });
    faulty.play(() => undefined);
    await store.transact({ operation: 'x' }, (draft) => {
      draft.put('volumes', 'volume-4711', { ...draft.table('volumes').get('volume-4711')!, weight: 99 });
    });
    const tables = faulty.calls.filter(({ label }) => label === 'table.open').length;
    assert.equal(tables, 2, 'the index and one shard');
    const written = faulty.calls
      .filter(({ method }) => method === 'write')
      .reduce((n, { args }) => n + (args[3] as number), 0);
    assert.ok(written < 8192, `${written} bytes`);
    assert.equal(openStore('/c', { platform }).snapshot().table('volumes').get('volume-4711')!.weight, 99);
  });

  it('is refused when its message is too long for a manifest', async () => {
    const store = newCluster();
    await assert.rejects(store.transact({ operation: 'x', message: 'm'.repeat(20_000) }, increment), {
      code: 'BAD_VALUE',
    });
  });

  it('with a request or a record of megabytes can still be read', async () => {
    const store = newCluster({ actor: { user: 'u', sudoUser: null, host: 'h', pid: 1, command: 'c'.repeat(100_000) } });
    const request = { text: 'r'.repeat(6_000_000) };
    await store.transact({ operation: 'x', request }, (draft) =>
      draft.put('groups', 'g', { description: 'd'.repeat(6_000_000) }),
    );
    const reader = reopen(store);
    assert.deepEqual(reader.info().request, { omittedCharacters: 6_000_011 });
    assert.equal(reader.info().actor.command.length, 4097);
    assert.equal(reader.changesOf(2)[0]!.name, 'g');
    await store.transact({ operation: 'x' }, (draft) => draft.remove('groups', 'g'));
    assert.equal(reopen(store).snapshot().table('groups').count, 0);
  });

  it('by two stores at once in one process without the lock loses nothing', async () => {
    const store = newCluster({ lock: false });
    const other = reopen(store, { lock: false });
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? store : other).transact({ operation: 'x' }, increment)),
    );
    assert.equal(counter(store), 20);
    assert.equal(store.snapshot().generation, 21);
  });

  it('is checked after its commit when that is asked for', async () => {
    const store = newCluster({ verify: true });
    const manifest = path.join(store.dir, 'manifests', '0000000001.json');
    assert.equal((await store.transact({ operation: 'x' }, increment)).generation, 2);
    fs.truncateSync(manifest, 3);
    await assert.rejects(store.transact({ operation: 'x' }, increment), {
      code: 'MANIFEST_DAMAGED',
      message: /generation 3 was committed/,
    });
  });
});

describe('a snapshot', () => {
  it('of a generation that does not exist, never did or is no number is refused', () => {
    const store = newCluster();
    for (const at of [2, 0, -1, 1.5, Number.NaN])
      assert.throws(() => store.snapshot(at), { code: 'GENERATION_NOT_FOUND', exitStatus: 3 });
  });

  it('whose files were collected says so, and a change begins again', async () => {
    const sim = new SimFiles();
    const bounds = { overlay: 10 };
    const store = newCluster({ platform: hastyPlatform({ files: sim }), bounds, lock: false }, '/c');
    const other = new SyncWriter('/c', sim, bounds);
    const old = store.snapshot();
    for (let i = 0; i < 5; i++) other.commit(increment);
    other.collect(1);
    assert.throws(
      () => old.table('cluster').get('n'),
      (error: unknown) => error instanceof Collected && error.code === 'GENERATION_NOT_FOUND',
    );
    let runs = 0;
    await store.transact({ operation: 'x' }, (draft) => {
      runs += 1;
      if (runs === 1) {
        for (let i = 0; i < 5; i++) other.commit((d) => d.put('volumes', `v${i}`, volume(i)));
        other.collect(1);
      }
      draft.table('volumes').get('v1');
      return increment(draft);
    });
    assert.equal(runs, 2);
    assert.equal(counter(store), 6);
  });
});

describe('opening a directory', () => {
  it('without a cluster says how to begin', () => {
    const dir = temporaryDirectory();
    for (const where of [dir, path.join(dir, 'nothing'), '/dev/null', '/dev/null/x']) {
      assert.throws(
        () => openStore(where, INIT),
        { code: 'CLUSTER_NOT_FOUND', exitStatus: 3, hint: /cfs init/ },
        where,
      );
    }
  });

  it('that everybody can write, or that belongs to a third person, is refused', () => {
    const store = newCluster();
    fs.chmodSync(store.dir, 0o777);
    assert.throws(() => reopen(store), { code: 'UNSAFE_DIRECTORY', exitStatus: 5 });
    fs.chmodSync(store.dir, 0o750);
    if (process.geteuid?.() !== 0) return;
    fs.chownSync(store.dir, 12345, 0);
    assert.throws(() => reopen(store), { code: 'UNSAFE_DIRECTORY' });
  });

  it('whose cluster.json is damaged is refused', () => {
    const store = newCluster();
    for (const text of ['', '{', '[]', '{"cluster":7}', '{"cluster":"../x"}']) {
      fs.writeFileSync(path.join(store.dir, 'cluster.json'), text);
      assert.throws(() => reopen(store), { code: 'CLUSTER_DAMAGED', exitStatus: 8 }, text);
    }
  });
});

describe('init', () => {
  const nothing = (): void => {};

  it('sets rights explicitly, whatever the umask', async () => {
    const before = process.umask(0o000);
    const modes: number[] = [];
    try {
      for (const umask of [0o000, 0o077]) {
        process.umask(umask);
        const store = newCluster({ bounds: { overlay: 1 } }, path.join(temporaryDirectory(), 'c'));
        await store.transact({ operation: 'x' }, increment);
        for (const name of ['', 'manifests', 'tables'])
          modes.push(fs.statSync(path.join(store.dir, name)).mode & 0o7777);
        assert.deepEqual(modes.splice(0), [0o750, 0o750, 0o750]);
        const names = (sub: string): string[] =>
          fs.readdirSync(path.join(store.dir, sub)).map((name) => path.join(sub, name));
        for (const name of ['cluster.json', ...names('manifests'), ...names('tables')]) {
          assert.equal(fs.statSync(path.join(store.dir, name)).mode & 0o7777, 0o640, name);
        }
      }
    } finally {
      process.umask(before);
    }
  });

  it('with a group hands it on', () => {
    if (process.geteuid?.() !== 0) return;
    const dir = path.join(temporaryDirectory(), 'c');
    initStore(dir, { ...INIT, group: '2' }, (draft) => draft.put('cluster', 'n', { value: 0 }));
    const { mode, gid } = fs.statSync(path.join(dir, 'manifests'));
    assert.deepEqual([mode & 0o7777, gid], [0o2770, 2]);
    assert.equal(fs.statSync(path.join(dir, 'manifests', '0000000001.json')).gid, 2);
    assert.throws(() => initStore(`${dir}2`, { ...INIT, group: 'no-such-group' }, nothing), { code: 'BAD_VALUE' });
    assert.equal(fs.existsSync(`${dir}2`), false);
  });

  it('refuses a finished cluster, a directory with other things in it, a file, and a place that does not exist', () => {
    const store = newCluster();
    const before = fs.readdirSync(store.dir, { recursive: true }).sort();
    assert.throws(() => initStore(store.dir, INIT, nothing), { code: 'CLUSTER_EXISTS', exitStatus: 4 });
    assert.deepEqual(fs.readdirSync(store.dir, { recursive: true }).sort(), before);
    const dir = temporaryDirectory();
    fs.writeFileSync(path.join(dir, 'letter.txt'), '');
    assert.throws(() => initStore(dir, INIT, nothing), { code: 'CLUSTER_EXISTS', message: /letter.txt/ });
    assert.throws(() => initStore(path.join(dir, 'letter.txt'), INIT, nothing), { code: 'FILE_EXISTS' });
    assert.throws(() => initStore(path.join(dir, 'a', 'b'), INIT, nothing), {
      code: 'FILE_NOT_FOUND',
      hint: /mkdir -p/,
    });
    assert.deepEqual(fs.readdirSync(dir), ['letter.txt']);
  });

  it('whose decision refuses makes not even a directory', () => {
    const dir = path.join(temporaryDirectory(), 'c');
    assert.throws(
      () =>
        initStore(dir, INIT, () => {
          throw new Error('no');
        }),
      /no/,
    );
    assert.equal(fs.existsSync(dir), false);
  });

  it('refuses a file system without exclusive links or directories', () => {
    const wrong = {
      'probe.link': { fail: 'EPERM' },
      'probe.link-again': { answer: undefined },
      'probe.mkdir-again': { answer: undefined },
    } as const;
    for (const [label, fate] of Object.entries(wrong)) {
      const faulty = new FaultyFiles(new SimFiles());
      faulty.play((call) => (call.label === label ? fate : undefined));
      const platform = hastyPlatform({ files: faulty });
      assert.throws(
        () => initStore('/c', { ...INIT, platform }, nothing),
        { code: 'UNSUITABLE_FILE_SYSTEM', exitStatus: 4 },
        label,
      );
      assert.deepEqual(faulty.inner.list('test.list', '/c').sort(), ['manifests', 'tables']);
    }
  });
});
