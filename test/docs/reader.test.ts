import assert from 'node:assert/strict';
import { TABLE_NAMES } from '../../src/core/model/tables.js';
import { compactStore, initStore } from '../../src/core/store/index.js';
import { INLINE_SHARDS } from '../../src/core/store/layout.js';
import { shardOf } from '../../src/core/store/shard-hash.js';
import type { Snapshot } from '../../src/core/store/store.js';
import { hastyPlatform, temporaryDirectory, volume } from '../kit/store-kit.js';
import { tableOf } from './format-document.js';
import { readNewest, shardOfName } from './independent-reader.js';

const VOLUMES = 12_000;
const info = { operation: 'test' };

function assertReads(dir: string, snapshot: Snapshot): void {
  const read = readNewest(dir);
  assert.equal(read.gen, snapshot.generation);
  for (const table of TABLE_NAMES) {
    const expected = new Map<string, unknown>(snapshot.table(table).entries());
    assert.deepEqual(read.tables.get(table) ?? new Map(), expected, `table ${table}`);
  }
}

describe('A reader written from docs/FORMAT.md alone', () => {
  it('reads every record of a table of more shards than a manifest lists, as the store does, through all kinds of commits', async () => {
    const dir = temporaryDirectory();
    const { store } = initStore(dir, { platform: hastyPlatform(), info }, (draft) => {
      draft.put('cluster', 'name', { value: 'large' });
      for (let i = 0; i < VOLUMES; i++) draft.put('volumes', `vol${i}`, volume(i));
    });
    assert.ok(store.manifest().tables.get('volumes')!.shards > INLINE_SHARDS);
    assert.deepEqual(readNewest(dir).indexed, ['volumes']);
    assertReads(dir, store.snapshot());

    await store.transact(info, (draft) => {
      draft.put('volumes', 'vol7', volume(0.5));
      draft.put('volumes', '__proto__', volume(1));
      draft.put('volumes', 'größe 😀', volume(2));
      draft.remove('volumes', 'vol8');
    });
    assert.equal(store.manifest().overlay.get('volumes')!.size, 4);
    assertReads(dir, store.snapshot());

    await compactStore(store, { info, keep: 100, fold: true });
    assert.equal(store.manifest().overlay.size, 0);
    assertReads(dir, store.snapshot());

    await store.transact(info, (draft) => {
      for (let i = 100; i < VOLUMES; i++) draft.remove('volumes', `vol${i}`);
    });
    assert.equal(store.snapshot().table('volumes').count, 101, 'vol0 to vol99 without vol8, and two that were added');
    assertReads(dir, store.snapshot());

    await store.transact(info, (draft) => draft.remove('volumes', 'vol0'));
    await compactStore(store, { info, keep: 100, fold: true });
    assert.deepEqual(readNewest(dir).indexed, [], 'a table that shrank is cut anew by the fold after');
    assertReads(dir, store.snapshot());
  });

  it('finds the shards that the document gives as examples, and so does the store', () => {
    const rows = tableOf('name | of 16');
    assert.ok(rows.length >= 6);
    for (const row of rows) {
      for (const shards of [16, 64, 1024]) {
        assert.equal(shardOfName(row.name!, shards), Number(row[`of ${shards}`]), `${row.name} of ${shards}`);
        assert.equal(shardOf(row.name!, shards), Number(row[`of ${shards}`]), `${row.name} of ${shards}`);
      }
    }
  });
});
