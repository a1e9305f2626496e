import assert from 'node:assert/strict';
import fs from 'node:fs';
import fc from 'fast-check';
import { compactStore, type SharedDirectoryStore } from '../../src/core/store/index.js';
import { nodePlatform } from '../../src/node/platform.js';
import { FaultyFiles } from '../kit/faulty-files.js';
import { hastyPlatform, increment, newCluster, reopen } from '../kit/store-kit.js';

/** What a fresh process finds, and whether it had to list manifests/. */
function freshHead(store: SharedDirectoryStore): { generation: number; listed: boolean } {
  const files = new FaultyFiles(nodePlatform().files);
  const fresh = reopen(store, { platform: hastyPlatform({ files }) });
  files.play(() => undefined);
  const { generation } = fresh.snapshot();
  return { generation, listed: files.calls.some((call) => call.label === 'manifests.list') };
}

async function commits(store: SharedDirectoryStore, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await store.transact({ operation: 'more' }, increment);
}

/** Lets `lock.owner` say what it would after a writer that began at `generation`. */
function hint(store: SharedDirectoryStore, generation: unknown): void {
  const path = store.place.paths.lockOwner;
  const owner = JSON.parse(fs.readFileSync(path).toString('utf8')) as Record<string, unknown>;
  fs.writeFileSync(path, JSON.stringify({ ...owner, generation }));
}

describe('The newest generation, found by a fresh process', () => {
  let store: SharedDirectoryStore;
  before(async () => {
    store = newCluster();
    await commits(store, 199);
  });

  it('is found without a listing from where the last writer began', async () => {
    const other = reopen(store);
    other.snapshot();
    await other.transact({ operation: 'another process' }, increment);
    assert.deepEqual(freshHead(store), { generation: 201, listed: false });
  });

  it('is listed while history is young, and where nobody says where to begin', () => {
    const young = newCluster();
    assert.deepEqual(freshHead(young), { generation: 1, listed: true });
    hint(store, null);
    assert.deepEqual(freshHead(store), { generation: 201, listed: true });
  });

  for (const [what, generation] of [
    ['too low to follow from', 100],
    ['higher than there is', 300],
    ['no number', 'x'],
    ['negative', -5],
    ['not whole', 199.5],
    ['far away', 9_999_999_999],
  ] as const) {
    it(`is found though the hint is ${what}`, () => {
      hint(store, generation);
      assert.equal(freshHead(store).generation, 201);
    });
  }

  it('is never one behind a manifest that was lost: the hint gives way to the listing', () => {
    hint(store, 190);
    const lost = store.heads.pathOf(195);
    const bytes = fs.readFileSync(lost);
    fs.unlinkSync(lost);
    assert.deepEqual(freshHead(store), { generation: 201, listed: true });
    fs.writeFileSync(lost, bytes);
  });

  it('is the one that the listing gives, whatever the hint and whichever manifest was lost', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 210 }), fc.integer({ min: 130, max: 200 }), (generation, gen) => {
        hint(store, generation);
        const lost = store.heads.pathOf(gen);
        fs.renameSync(lost, `${lost}.away`);
        try {
          assert.equal(freshHead(store).generation, reopen(store).heads.number());
        } finally {
          fs.renameSync(`${lost}.away`, lost);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is found after a collection has passed the hint', async () => {
    hint(store, 70);
    await compactStore(reopen(store), { info: { operation: 'compact' }, keep: 20, leastKept: 1 });
    hint(store, 70);
    assert.equal(freshHead(store).generation, 202);
  });
});
