import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { CfsError } from '../../src/core/errors.js';
import { FORMAT } from '../../src/core/model/format.js';
import {
  checkStore,
  compactStore,
  openStore,
  repairStore,
  type SharedDirectoryStore,
} from '../../src/core/store/index.js';
import { hastyPlatform, increment, newCluster, volume } from '../kit/store-kit.js';

const BOUNDS = { overlay: 2000, shardBytes: 3000, inlineShards: 1 };

/** A cluster with shards, an index and an overlay, so that its head needs every kind of file. */
async function prepared(): Promise<SharedDirectoryStore> {
  const store = newCluster({ bounds: BOUNDS });
  await store.transact({ operation: 'bulk' }, (draft) => {
    for (let i = 0; i < 60; i++) draft.put('volumes', `v${i}`, volume(i));
  });
  await store.transact({ operation: 'small' }, increment);
  return store;
}

function readAll(dir: string): string {
  const snapshot = openStore(dir, { platform: hastyPlatform(), bounds: BOUNDS }).snapshot();
  const tables = (['cluster', 'volumes', 'nodes'] as const).map((table) => [...snapshot.table(table).entries()].sort());
  return JSON.stringify([snapshot.generation, tables]);
}

function filesOfHead(dir: string): string[] {
  const tables = fs.readdirSync(path.join(dir, 'tables')).map((name) => path.join(dir, 'tables', name));
  return [path.join(dir, 'manifests', '0000000003.json'), ...tables];
}

const DAMAGED = ['MANIFEST_DAMAGED', 'TABLE_DAMAGED'];

function isRefused(dir: string, about: string): void {
  assert.throws(
    () => readAll(dir),
    (error: unknown) => error instanceof CfsError && DAMAGED.includes(error.code) && error.exitStatus === 8,
    about,
  );
}

describe('damage', () => {
  it('of any kind to a file of the head is refused: 2,400 changed bytes and truncations', async () => {
    const store = await prepared();
    const sound = readAll(store.dir);
    const files = filesOfHead(store.dir);
    assert.ok(files.length >= 4);
    const perFile = Math.ceil(2400 / files.length);
    let tried = 0;
    for (const file of files) {
      const bytes = fs.readFileSync(file);
      for (let i = 0; i < perFile; i++) {
        const at = Math.floor((i / perFile) * bytes.length);
        const copy = Buffer.from(bytes);
        copy[at] = copy[at]! ^ (1 << (i % 8));
        fs.writeFileSync(file, i % 6 === 5 ? bytes.subarray(0, at) : copy);
        isRefused(store.dir, `${file} at ${at}`);
        tried += 1;
      }
      fs.writeFileSync(file, bytes);
    }
    assert.ok(tried >= 2400);
    assert.equal(readAll(store.dir), sound);
  });

  it('by a link, a pipe or a directory in place of a file is refused, and does not hang', async () => {
    const store = await prepared();
    for (const file of filesOfHead(store.dir)) {
      const kept = `${store.dir}/kept`;
      fs.renameSync(file, kept);
      fs.symlinkSync(kept, file);
      isRefused(store.dir, `${file} as a link`);
      fs.unlinkSync(file);
      execFileSync('mkfifo', [file]);
      isRefused(store.dir, `${file} as a pipe`);
      fs.unlinkSync(file);
      fs.mkdirSync(file);
      isRefused(store.dir, `${file} as a directory`);
      fs.rmdirSync(file);
      fs.renameSync(kept, file);
    }
    readAll(store.dir);
  });

  it('by a newer format is told apart from damage', async () => {
    const store = await prepared();
    const file = path.join(store.dir, 'manifests', '0000000004.json');
    const line = fs.readFileSync(path.join(store.dir, 'manifests', '0000000003.json'), 'utf8').split('\n')[0]!;
    const newer = `${line.replace(`"format":${FORMAT}`, `"format":${FORMAT + 1}`).replace('"gen":3', '"gen":4')}\n`;
    const { sha256 } = await import('../../src/core/store/sum.js');
    fs.writeFileSync(file, `${newer}{"sum":"${sha256(Buffer.from(newer))}"}\n`);
    assert.throws(() => readAll(store.dir), { code: 'FORMAT_TOO_NEW' });
  });

  it('to the newest manifest is found by the check and repaired from the one before, giving up what it held', async () => {
    const store = await prepared();
    const head = path.join(store.dir, 'manifests', '0000000003.json');
    fs.truncateSync(head, 100);
    const damaged = openStore(store.dir, { platform: hastyPlatform(), bounds: BOUNDS });
    const report = checkStore(damaged);
    assert.deepEqual(
      report.problems.map(({ code, generation }) => [code, generation]),
      [['MANIFEST_DAMAGED', 3]],
    );
    await assert.rejects(damaged.transact({ operation: 'x' }, increment), { code: 'MANIFEST_DAMAGED' });
    const rehearsal = await repairStore(damaged, { operation: 'repair' }, { dryRun: true });
    assert.deepEqual([rehearsal.needed, rehearsal.from, rehearsal.skips, rehearsal.generation], [true, 2, [3], null]);
    const repaired = await repairStore(damaged, { operation: 'repair' });
    assert.equal(repaired.generation, 4);
    assert.equal(fs.statSync(head).size, 100, 'a manifest is never removed by a repair');
    const reader = openStore(store.dir, { platform: hastyPlatform(), bounds: BOUNDS });
    assert.deepEqual(checkStore(reader).problems, []);
    assert.deepEqual(checkStore(reader).skipped, [3]);
    assert.equal(reader.snapshot().table('cluster').get('n')!.value, 0);
    assert.deepEqual(reader.info().repair, { from: 2, skips: [3] });
    assert.deepEqual(reader.changesOf(4), []);
    await reader.transact({ operation: 'next' }, increment);
    const again = await repairStore(reader, { operation: 'repair' });
    assert.deepEqual([again.needed, again.generation], [false, null]);
    await compactStore(reader, { info: { operation: 'compact' }, keep: 2, leastKept: 1 });
    assert.deepEqual(checkStore(reader).problems, []);
  });

  it('to a table file of the newest generation is repaired from a generation that does not need it', async () => {
    const store = await prepared();
    const before = fs.readdirSync(path.join(store.dir, 'tables'));
    await store.transact({ operation: 'bulk' }, (draft) => {
      for (let i = 0; i < 60; i++) draft.put('volumes', `v${i}`, volume(i + 1));
    });
    const [fresh] = fs.readdirSync(path.join(store.dir, 'tables')).filter((name) => !before.includes(name));
    fs.appendFileSync(path.join(store.dir, 'tables', fresh!), ' ');
    const reader = openStore(store.dir, { platform: hastyPlatform(), bounds: BOUNDS });
    assert.equal(checkStore(reader).problems[0]!.code, 'TABLE_DAMAGED');
    const report = await repairStore(reader, { operation: 'repair' });
    assert.deepEqual([report.from, report.skips, report.generation], [3, [4], 5]);
    assert.equal(reader.snapshot().table('volumes').get('v7')!.weight, 7);
  });

  it('to an old generation stops the collection until a repair has covered it', async () => {
    const store = await prepared();
    for (let i = 0; i < 5; i++) await store.transact({ operation: 'small' }, increment);
    const old = path.join(store.dir, 'manifests', '0000000005.json');
    fs.truncateSync(old, 10);
    const reader = openStore(store.dir, { platform: hastyPlatform(), bounds: BOUNDS });
    const options = { info: { operation: 'compact' }, keep: 6, leastKept: 1 };
    const names = fs.readdirSync(path.join(store.dir, 'tables')).length;
    await assert.rejects(compactStore(reader, options), { code: 'MANIFEST_DAMAGED' });
    assert.equal(fs.readdirSync(path.join(store.dir, 'tables')).length, names);
    assert.throws(() => reader.snapshot(5), { code: 'MANIFEST_DAMAGED' });
    const report = await repairStore(reader, { operation: 'repair' });
    assert.deepEqual([report.skips, report.from], [[5], reader.snapshot().generation - 1]);
    await compactStore(reader, options);
    assert.deepEqual(checkStore(reader).problems, []);
  });

  it('beyond repair is said so', async () => {
    const store = await prepared();
    for (const name of fs.readdirSync(path.join(store.dir, 'manifests'))) {
      fs.truncateSync(path.join(store.dir, 'manifests', name), 5);
    }
    const reader = openStore(store.dir, { platform: hastyPlatform() });
    await assert.rejects(repairStore(reader, { operation: 'repair' }), { code: 'MANIFEST_DAMAGED', hint: /backup/ });
  });
});
