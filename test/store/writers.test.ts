/** Rights to write, when generations are given up or a backup becomes a cluster: whoever has one by the tables gives it up first. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { givenUp } from '../../src/core/access/answers.js';
import { mustGiveUp } from '../../src/core/access/desired.js';

import { TABLE_NAMES, type WriterRecord } from '../../src/core/model/tables.js';
import { MemoryDraft } from '../../src/core/store/draft.js';
import {
  initStore,
  openStore,
  repairStore,
  restoreToEmpty,
  type SharedDirectoryStore,
  writeBackup,
} from '../../src/core/store/index.js';
import { RESTORE_STEP } from '../../src/core/store/restore.js';
import type { Snapshot } from '../../src/core/store/store.js';
import { clientCluster } from '../kit/clusters.js';

import { hastyPlatform, increment, temporaryDirectory } from '../kit/store-kit.js';

const info = { operation: 'test' };

/** A directory with the cluster of clients: c1 writes v1, c2 waits for it, and nobody writes v2. */
function withClients(): SharedDirectoryStore {
  const snapshot = clientCluster().snapshot();
  const { store } = initStore(temporaryDirectory(), { platform: hastyPlatform(), info }, (draft) => {
    for (const table of TABLE_NAMES) {
      for (const [name, record] of snapshot.table(table).entries()) draft.put(table, name, record as never);
    }
    draft.put('cluster', 'n', { value: 0 });
    draft.put('writers', 'v2', { writer: null, since: 1, queue: [], modified: 0, lastModified: null });
  });
  return store;
}

/** What stands in the place of the writer that is known: an epoch that outranks all others, and a right that is given up. */
function assertRenewed(snapshot: Snapshot, generation: number): void {
  const { writer, since, yields, queue } = snapshot.table('writers').get('v1')!;
  assert.deepEqual([writer, since, queue], ['c1', generation, ['c2']]);
  assert.deepEqual(yields, { to: null, force: false, message: null });
  assert.equal(mustGiveUp(snapshot, 'v1', 'c1'), true);
  const none: WriterRecord = { writer: null, since: generation, queue: [], modified: 0, lastModified: null };
  assert.deepEqual(snapshot.table('writers').get('v2'), none);
}

describe('rights to write', () => {
  it('are given up after a repair, since somebody else may have got them in the generations that are lost', async () => {
    const store = withClients();
    await store.transact(info, increment);
    fs.truncateSync(store.heads.pathOf(2), 100);
    const repaired = openStore(store.dir, { platform: hastyPlatform() });
    const { generation } = await repairStore(repaired, info);
    assert.equal(generation, 3);
    const snapshot = repaired.snapshot();
    assertRenewed(snapshot, 3);
    assert.deepEqual([...snapshot.table('mounts').names()].length, 4, 'mounts stay');
    const at = new Map(TABLE_NAMES.map((table) => [table, snapshot.table(table).count]));
    assert.deepEqual([at.get('clients'), at.get('logons'), at.get('requests')], [3, 2, 1]);
  });

  it('are given up in a cluster that is made of a backup; who waits gets them when the mount is read-only', () => {
    const file = path.join(temporaryDirectory(), 'b.cfs');
    writeBackup(withClients(), file);
    const { store } = restoreToEmpty(temporaryDirectory(), file, { platform: hastyPlatform(), info });
    const snapshot = store.snapshot();
    assertRenewed(snapshot, RESTORE_STEP);
    const draft = new MemoryDraft(snapshot);
    const volumes = [{ volume: 'v1', since: RESTORE_STEP, problem: null, modified: false }];
    const result = givenUp.run(draft, { client: 'c1', volumes }, { nowMs: 0 });
    assert.deepEqual(result.volumes, [{ volume: 'v1', writer: 'c2', answer: 'passed on' }]);
  });
});
