import assert from 'node:assert/strict';
import type { Files } from '../../src/core/platform/files.js';
import {
  checkStore,
  compactStore,
  initStore,
  openStore,
  type SharedDirectoryStore,
} from '../../src/core/store/index.js';
import { type Call, type Fate, FaultyFiles } from '../kit/faulty-files.js';
import { SimFiles } from '../kit/sim-files.js';
import { counter, hastyPlatform, increment, volume } from '../kit/store-kit.js';

const DIR = '/cluster';
/** Bounds so small that the prepared change folds into several shards and an index. */
const SMALL = { overlay: 400, shardBytes: 300, inlineShards: 2 };

interface Bench {
  faulty: FaultyFiles;
  store: SharedDirectoryStore;
}

/** Without the lock, which a killed holder leaves behind: how that is cleared away is the subject of lock.test.ts. */
function openOn(files: Files): SharedDirectoryStore {
  return openStore(DIR, { platform: hastyPlatform({ files }), bounds: SMALL, lock: false });
}

function freshCluster(): Bench {
  const faulty = new FaultyFiles(new SimFiles());
  const platform = hastyPlatform({ files: faulty });
  const { store } = initStore(DIR, { platform, bounds: SMALL, info: { operation: 'init' } }, (draft) => {
    draft.put('cluster', 'n', { value: 0 });
  });
  return { faulty, store };
}

const small = (store: SharedDirectoryStore): Promise<unknown> => store.transact({ operation: 'small' }, increment);
const folding = (store: SharedDirectoryStore): Promise<unknown> =>
  store.transact({ operation: 'folding' }, (draft) => {
    increment(draft);
    for (let i = 0; i < 12; i++) draft.put('volumes', `v${i}`, volume(i));
  });
const collecting = async (store: SharedDirectoryStore): Promise<unknown> =>
  compactStore(store, { info: { operation: 'compact' }, keep: 2, leastKept: 1 });

/** The calls that an undisturbed run makes. */
async function callsOf(
  prepare: () => Promise<Bench>,
  run: (store: SharedDirectoryStore) => Promise<unknown>,
): Promise<Call[]> {
  const { faulty, store } = await prepare();
  faulty.play(() => undefined);
  await run(store);
  await hastyPlatform().clock.yieldTurn();
  return faulty.calls;
}

async function outcomeOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    await run();
    return 'done';
  } catch (error) {
    return error;
  } finally {
    // What is left to the next turn (giving the lock back) belongs to the run.
    await hastyPlatform().clock.yieldTurn();
  }
}

/** The database is whole, holds the old or the new state, and takes the next change. */
async function mustBeWhole(files: Files, before: number, about: string): Promise<number> {
  const store = openOn(files);
  assert.deepEqual(checkStore(store).problems, [], about);
  const n = counter(store);
  assert.ok(n === before || n === before + 1, `${about}: the counter is ${n} after it was ${before}`);
  const volumes = store.snapshot().table('volumes');
  assert.equal([...volumes.names()].length, volumes.count, about);
  const outcome = await store.transact({ operation: 'next' }, increment);
  assert.equal(outcome.committed, true, about);
  assert.equal(counter(openOn(files)), n + 1, about);
  return n;
}

describe('a commit that is disturbed', () => {
  const cases = {
    'a small change': { run: small, prepare: async () => freshCluster() },
    'a change that folds': { run: folding, prepare: async () => freshCluster() },
    'a collection': {
      run: collecting,
      prepare: async () => {
        const bench = freshCluster();
        for (let i = 0; i < 3; i++) await folding(bench.store);
        for (let i = 0; i < 3; i++) await small(bench.store);
        return bench;
      },
    },
  };
  for (const [name, { run, prepare }] of Object.entries(cases)) {
    const adds = run === collecting ? 0 : 1;

    const attempt = async (
      fateOf: (call: Call) => Fate,
    ): Promise<{ result: unknown; n: number; before: number; about: string }> => {
      const { faulty, store } = await prepare();
      const before = counter(store);
      let about = '';
      faulty.play((call) => {
        const fate = fateOf(call);
        if (fate !== undefined) about = `call ${call.number} ${call.label} ${JSON.stringify(fate)}`;
        return fate;
      });
      const result = await outcomeOf(() => run(store));
      faulty.play(() => undefined);
      const n = await mustBeWhole(faulty.inner, before, about);
      return { result, n, before, about };
    };

    it(`leaves the old or the new state when killed before or after any call of ${name}`, async () => {
      const calls = await callsOf(prepare, run);
      assert.ok(calls.length > 10);
      for (const { number } of calls) {
        for (const kill of ['before', 'after'] as const) {
          await attempt((call) => (call.number === number ? { kill } : undefined));
        }
      }
    });

    for (const errno of ['EIO', 'ENOSPC', 'EROFS']) {
      it(`says what holds when any call of ${name} fails with ${errno}, once or from then on`, async () => {
        const calls = await callsOf(prepare, run);
        for (const { number } of calls) {
          for (const lasting of [false, true]) {
            for (const fate of [{ fail: errno }, { failAfter: errno }]) {
              const { result, n, before, about } = await attempt((call) =>
                call.number === number || (lasting && call.number > number) ? fate : undefined,
              );
              judge(result, n - before, adds, about);
            }
          }
        }
      });
    }

    it(`writes everything though every write of ${name} is short`, async () => {
      const { result, n, before, about } = await attempt((call) =>
        call.method === 'write' ? { short: true } : undefined,
      );
      assert.equal(result, 'done', about);
      assert.equal(n - before, adds);
    });
  }

  /** P2 to P4: done means done, unsure means either, anything else means unchanged. */
  function judge(result: unknown, added: number, adds: number, about: string): void {
    if (result === 'done') {
      assert.equal(added, adds, `${about}: reported as done`);
      return;
    }
    const { code, message } = result as { code?: string; message: string };
    assert.ok(result instanceof Error && result.name === 'CfsError', `${about}: ${String((result as Error).stack)}`);
    if (code === 'COMMIT_UNSURE') return;
    assert.equal(added, 0, `${about}: reported as ${code}, ${message}`);
    assert.ok(
      [
        'IO_ERROR',
        'NO_SPACE',
        'READ_ONLY',
        'SYSTEM_ERROR',
        'MANIFEST_DAMAGED',
        'TABLE_DAMAGED',
        'LOCK_TIMEOUT',
      ].includes(code ?? ''),
      `${about}: ${code} ${message}`,
    );
  }
});

describe('an init that is disturbed', () => {
  const init = (files: Files): unknown =>
    initStore(DIR, { platform: hastyPlatform({ files }), bounds: SMALL, info: { operation: 'init' } }, (draft) => {
      draft.put('cluster', 'n', { value: 0 });
      for (let i = 0; i < 12; i++) draft.put('volumes', `v${i}`, volume(i));
    });
  const count = (): number => {
    const faulty = new FaultyFiles(new SimFiles());
    init(faulty);
    return faulty.calls.length;
  };

  const repeatable = async (fateOf: (call: Call) => Fate): Promise<void> => {
    const faulty = new FaultyFiles(new SimFiles());
    let about = '';
    faulty.play((call) => {
      const fate = fateOf(call);
      if (fate !== undefined) about = `call ${call.number} ${call.label} ${JSON.stringify(fate)}`;
      return fate;
    });
    let failed = false;
    try {
      init(faulty);
    } catch {
      failed = true;
    }
    let finished = true;
    try {
      openOn(faulty.inner);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'CLUSTER_NOT_FOUND', about);
      finished = false;
    }
    assert.ok(finished || failed, `${about}: init succeeded, but there is no cluster`);
    if (finished) assert.throws(() => init(faulty.inner), { code: 'CLUSTER_EXISTS' }, about);
    else init(faulty.inner);
    await mustBeWhole(faulty.inner, 0, about);
    assert.equal(openOn(faulty.inner).snapshot().table('volumes').count, 12, about);
  };

  it('can be repeated until it is complete, wherever it was killed', async () => {
    for (let number = 1; number <= count(); number++) {
      for (const kill of ['before', 'after'] as const) {
        await repeatable((call) => (call.number === number ? { kill } : undefined));
      }
    }
  });

  it('can be repeated until it is complete, whichever call failed', async () => {
    for (let number = 1; number <= count(); number++) {
      for (const errno of ['EIO', 'ENOSPC']) {
        for (const fate of [{ fail: errno }, { failAfter: errno }]) {
          await repeatable((call) => (call.number === number ? fate : undefined));
        }
      }
    }
  });
});
