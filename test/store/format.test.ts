import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { clusterOf } from '../../src/core/cluster.js';
import { undoRequest } from '../../src/core/config/undo.js';
import { ACCESS_FORMAT, FORMAT, formatLimit, formatOf, requireFormat } from '../../src/core/model/format.js';
import type { AnyRecord, TableName } from '../../src/core/model/tables.js';
import { validateChange } from '../../src/core/model/validate.js';
import type { Platform } from '../../src/core/platform/platform.js';
import {
  compactStore,
  initStore,
  openStore,
  readBackup,
  repairStore,
  restoreToEmpty,
  type SharedDirectoryStore,
  writeBackup,
} from '../../src/core/store/index.js';
import { refusal } from '../kit/memory.js';
import { hastyPlatform, increment, temporaryDirectory } from '../kit/store-kit.js';

const info = { operation: 'test' };

/** A platform of a program that knows formats up to `limit`. */
function knowing(limit: number): Platform {
  const platform = hastyPlatform();
  const env = (name: string) => (name === 'CFS_FORMAT_LIMIT' ? String(limit) : platform.processes.env(name));
  const processes = new Proxy(platform.processes, {
    get: (target, key) => {
      const value: unknown = key === 'env' ? env : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...platform, processes };
}

function madeBy(limit: number): SharedDirectoryStore {
  const { store } = initStore(temporaryDirectory(), { platform: knowing(limit), info }, (draft) => {
    draft.put('cluster', 'n', { value: 0 });
    draft.put('placements', 'v1', { node: null, since: 1, by: 'x', stage: null, rule: null, unplaced: null });
  });
  return store;
}

function writtenFormat(store: SharedDirectoryStore, generation: number): unknown {
  return JSON.parse(fs.readFileSync(store.heads.pathOf(generation), 'utf8').split('\n')[0]!).format;
}

const newProgram = (store: SharedDirectoryStore) => openStore(store.dir, { platform: knowing(FORMAT) });
const oldProgram = (store: SharedDirectoryStore) => openStore(store.dir, { platform: knowing(1) });

describe('the format of a generation', () => {
  it('is the newest one that the program knows when it makes a cluster', () => {
    for (const limit of [1, FORMAT]) {
      const store = madeBy(limit);
      assert.equal(store.snapshot().format, limit);
      assert.equal(writtenFormat(store, 1), limit);
    }
  });

  it('stays as it is through changes of older and newer programs', async () => {
    const store = madeBy(1);
    await newProgram(store).transact(info, increment);
    await oldProgram(store).transact(info, increment);
    assert.deepEqual(
      [2, 3].map((gen) => writtenFormat(store, gen)),
      [1, 1],
    );
    const newer = madeBy(FORMAT);
    await newer.transact(info, increment);
    assert.equal(writtenFormat(newer, 2), FORMAT);
  });

  it('is raised by one generation, though no record changes, and not again', async () => {
    const store = newProgram(madeBy(1));
    const raise = () => store.transact(info, (draft) => draft.setFormat(FORMAT));
    const { committed, generation, changes } = await raise();
    assert.deepEqual([committed, generation, changes], [true, 2, []]);
    assert.equal(store.snapshot().format, FORMAT);
    assert.equal(store.snapshot(1).format, 1);
    assert.equal((await raise()).committed, false);
    assert.deepEqual(store.changesOf(2), []);
    assert.deepEqual(store.diff(1, 2), []);
  });

  it('never falls', async () => {
    const store = madeBy(FORMAT);
    await assert.rejects(
      store.transact(info, (draft) => draft.setFormat(1)),
      /would fall from 3 to 1/,
    );
  });

  it('that is too new is refused by a program that reads it first, and by one that has worked on the older one', async () => {
    const store = madeBy(1);
    const working = oldProgram(store);
    await working.transact(info, increment);
    await newProgram(store).transact(info, (draft) => draft.setFormat(FORMAT));
    for (const old of [working, oldProgram(store)]) {
      assert.throws(() => old.snapshot(), { code: 'FORMAT_TOO_NEW' });
      await assert.rejects(old.transact(info, increment), { code: 'FORMAT_TOO_NEW' });
    }
    assert.equal(newProgram(store).snapshot().generation, 3, 'nothing was written');
  });

  it('cannot be raised by a program beyond what it writes', async () => {
    const old = oldProgram(madeBy(1));
    await assert.rejects(
      old.transact(info, (draft) => draft.setFormat(FORMAT)),
      /cannot be written here/,
    );
    assert.equal(old.snapshot().generation, 1);
  });

  it('is kept by a collection and by a repair', async () => {
    const store = newProgram(madeBy(1));
    const { generation } = await compactStore(store, { info, keep: 100, fold: true });
    assert.equal(writtenFormat(store, generation!), 1);
    await store.transact(info, increment);
    fs.truncateSync(store.heads.pathOf(3), 100);
    const repaired = await repairStore(newProgram(store), info);
    assert.deepEqual([repaired.from, writtenFormat(store, repaired.generation!)], [2, 1]);
  });

  it('stands in a backup and is kept by the cluster that is made of it', () => {
    for (const format of [1, FORMAT]) {
      const file = path.join(temporaryDirectory(), 'b.cfs');
      assert.equal(writeBackup(madeBy(format), file).format, format);
      const { store } = restoreToEmpty(temporaryDirectory(), file, { platform: knowing(FORMAT), info });
      assert.equal(store.snapshot().format, format);
    }
  });

  it('of a backup that is too new is refused', () => {
    const file = path.join(temporaryDirectory(), 'b.cfs');
    writeBackup(madeBy(FORMAT), file);
    refusal(() => readBackup(knowing(1), file), 'FORMAT_TOO_NEW', /backup of format 3/);
    assert.equal(readBackup(knowing(FORMAT), file).header.format, FORMAT);
  });

  it('that was raised is not undone', () => {
    const raised = { generation: 2, operation: 'cluster.upgrade', request: { format: 2 } };
    refusal(() => undoRequest(raised as never, []), 'CANNOT_UNDO', /raised the format/);
  });

  it('is limited by CFS_FORMAT_LIMIT to one that the program knows', () => {
    const limit = (text?: string) => formatLimit({ env: () => text });
    assert.deepEqual([limit(), limit(''), limit('1'), limit('2'), limit('3')], [FORMAT, FORMAT, 1, 2, 3]);
    for (const wrong of ['0', '4', 'x', '-1']) refusal(() => limit(wrong), 'BAD_VALUE', /is no format/);
  });
});

describe('what a format allows', () => {
  const NEEDS_TWO: [TableName, AnyRecord][] = [
    ['fencing', { state: 'done', by: 'n2', lease: 4, attempts: 1, message: null }],
    ['membership', { state: 'failed', reason: null, lease: 7 }],
    ['membership', { state: 'offline', reason: null, mayJoin: true }],
    ['membership', { state: 'online', reason: null, held: true }],
  ];

  it('is checked at commit: format 1 takes no record of fencing and no field of leases and joining', async () => {
    const plain = { table: 'membership' as const, name: 'n1', before: null, after: { state: 'online', reason: null } };
    validateChange(plain as never, 1);
    for (const [table, after] of NEEDS_TWO) {
      assert.equal(formatOf(table, after), 2);
      validateChange({ table, name: 'n1', before: null, after }, 2);
      validateChange({ table, name: 'n1', before: after, after: null }, 1);
      refusal(() => validateChange({ table, name: 'n1', before: null, after }, 1), 'FORMAT_TOO_OLD', /needs format 2/);
      const cluster = clusterOf('d', newProgram(madeBy(1)));
      const operation = {
        name: 'x',
        run: (draft: { put: (...a: unknown[]) => void }) => draft.put(table, 'n1', after),
      };
      await assert.rejects(cluster.change(operation as never, {}), { code: 'FORMAT_TOO_OLD' });
      assert.equal(cluster.snapshot().generation, 1);
    }
  });

  it('is checked at commit: formats 1 and 2 take no record of access control', () => {
    const at = '2030-01-01T00:00:00.000Z';
    const records: [TableName, string, AnyRecord][] = [
      ['clients', 'c1', { refreshNotify: false, autoRespond: false, lockedOut: false }],
      ['logons', 'c1', { loggedOn: true, lastSeen: at, reason: null }],
      ['access', 'v1/c1', { mount: true, lockout: false, autoUpdate: false, autoUpdateIntervalMs: 1000 }],
      ['mounts', 'v1/c1', { refreshed: 1, lastRefresh: at }],
      ['volumeAccess', 'v1', { enabled: true, softwareLock: false, readOnlyMedia: false }],
      ['writers', 'v1', { writer: 'c1', since: 1, queue: [], modified: 0, lastModified: null }],
      [
        'requests',
        'v1/c1',
        {
          asked: 1,
          askedAt: at,
          to: 'c2',
          message: null,
          limitMs: 1000,
          response: 'pending',
          responseMessage: null,
          answeredAt: null,
        },
      ],
    ];
    for (const [table, name, after] of records) {
      const change = { table, name, before: null, after };
      assert.equal(formatOf(table, after), ACCESS_FORMAT);
      validateChange(change, ACCESS_FORMAT);
      validateChange({ ...change, before: after, after: null }, 1);
      for (const older of [1, 2]) refusal(() => validateChange(change, older), 'FORMAT_TOO_OLD', /needs format 3/);
    }
  });

  it('is asked for by operations, which say how to get there', () => {
    requireFormat({ format: 2 }, 2, 'Fencing');
    const error = refusal(() => requireFormat({ format: 1 }, 2, 'Fencing'), 'FORMAT_TOO_OLD', /Fencing needs format 2/);
    assert.match(error.hint!, /cfs cluster upgrade/);
    assert.equal(error.exitStatus, 4);
  });
});
