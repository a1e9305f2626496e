import assert from 'node:assert/strict';
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
/** The prepared change folds into two shards of two tables and an index: five flushes and more. */
const SMALL = { overlay: 60, shardBytes: 900, inlineShards: 1 };

type Run = (store: SharedDirectoryStore) => Promise<unknown>;

const small: Run = (store) => store.transact({ operation: 'small' }, increment);
const folding: Run = (store) =>
  store.transact({ operation: 'folding' }, (draft) => {
    increment(draft);
    for (let i = 0; i < 12; i++) draft.put('volumes', `v${i}`, volume(i + draft.generation));
  });
const collecting: Run = (store) => compactStore(store, { info: { operation: 'compact' }, keep: 2, leastKept: 1 });

function openOn(files: SimFiles, bounds: Partial<typeof SMALL>): SharedDirectoryStore {
  return openStore(DIR, { platform: hastyPlatform({ files }), lock: false, bounds });
}

interface Trial {
  run: Run;
  bounds: Partial<typeof SMALL>;
  adds: number;
  prepare?: (store: SharedDirectoryStore) => Promise<void>;
}

/** Cuts the power at every call of a run; returns a line for each state that breaks a promise. */
async function cutEverywhere(
  trial: Trial,
  fateOf: (call: Call) => Fate = () => undefined,
): Promise<{ states: number; broken: string[] }> {
  const sim = new SimFiles();
  const faulty = new FaultyFiles(sim);
  const platform = hastyPlatform({ files: faulty });
  const { store } = initStore(
    DIR,
    { platform, bounds: trial.bounds, lock: false, info: { operation: 'init' } },
    (draft) => {
      draft.put('cluster', 'n', { value: 0 });
    },
  );
  await trial.prepare?.(store);
  const before = counter(store);
  const images: { files: SimFiles; about: string; done: boolean }[] = [];
  const cut = (about: string, done: boolean): void => {
    for (const { files, lost } of sim.afterPowerCut()) images.push({ files, about: `${about}, kept ${lost}`, done });
  };
  faulty.play((call) => {
    if (!['read', 'fstat', 'isAbsent', 'openRead', 'list', 'stat'].includes(call.method))
      cut(`before ${call.number} ${call.label}`, false);
    return fateOf(call);
  });
  await trial.run(store);
  cut('after it was reported as done', true);
  const broken: string[] = [];
  for (const { files, about, done } of images) {
    const problem = judge(files, trial, before, done);
    if (problem !== null) broken.push(`${about}: ${problem}`);
  }
  return { states: images.length, broken };
}

function judge(files: SimFiles, trial: Trial, before: number, done: boolean): string | null {
  try {
    const store = openOn(files, trial.bounds);
    const { problems } = checkStore(store);
    if (problems.length > 0) return problems[0]!.message;
    const n = counter(store);
    if (n !== before && n !== before + trial.adds) return `the counter is ${n} after ${before}`;
    if (done && n !== before + trial.adds) return 'the change is lost';
    const volumes = store.snapshot().table('volumes');
    return [...volumes.names()].length === volumes.count ? null : 'the tables do not fit together';
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

describe('a power cut', () => {
  const twoChanges = async (store: SharedDirectoryStore): Promise<void> => {
    await folding(store);
    await folding(store);
    await small(store);
  };
  const trials: Record<string, Trial> = {
    'a small change': { run: small, bounds: {}, adds: 1 },
    'a change that folds': {
      run: folding,
      bounds: SMALL,
      adds: 1,
      prepare: async (store) => void (await folding(store)),
    },
    'a collection': { run: collecting, bounds: { overlay: 60 }, adds: 0, prepare: twoChanges },
  };
  for (const [name, trial] of Object.entries(trials)) {
    it(`at any call of ${name} leaves the old or the new state, whatever unsynced names and data survive`, async () => {
      const { states, broken } = await cutEverywhere(trial);
      assert.ok(states > 40, `only ${states} states were tried`);
      assert.deepEqual(broken, []);
    });
  }

  for (const label of ['table.fsync', 'tables-dir.fsync', 'manifest.fsync', 'manifests-dir.fsync']) {
    it(`would lose or damage data without ${label}`, async () => {
      const { broken } = await cutEverywhere(trials['a change that folds']!, (call) =>
        call.label === label ? { drop: true } : undefined,
      );
      assert.notDeepEqual(broken, []);
    });
  }

  it('at any call of an init leaves no cluster, or a whole one, and the init can be repeated', () => {
    const sim = new SimFiles();
    const faulty = new FaultyFiles(sim);
    const init = (files: SimFiles | FaultyFiles): unknown =>
      initStore(DIR, { platform: hastyPlatform({ files }), lock: false, info: { operation: 'init' } }, (draft) => {
        draft.put('cluster', 'n', { value: 0 });
      });
    const images: { files: SimFiles; about: string; done: boolean }[] = [];
    const cut = (about: string, done: boolean): void => {
      for (const { files, lost } of sim.afterPowerCut()) images.push({ files, about: `${about}, kept ${lost}`, done });
    };
    faulty.play((call) => {
      const changing = ['openNew', 'write', 'link', 'unlink', 'mkdir', 'rmdir', 'fsync'];
      if (changing.includes(call.method)) cut(`before ${call.number} ${call.label}`, false);
      return undefined;
    });
    init(faulty);
    cut('after it was reported as done', true);
    assert.ok(images.length > 100);
    for (const { files, about, done } of images) {
      try {
        openOn(files, {});
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'CLUSTER_NOT_FOUND', `${about}: ${(error as Error).message}`);
        assert.equal(done, false, about);
        init(files);
      }
      const store = openOn(files, {});
      assert.deepEqual(checkStore(store).problems, [], about);
      assert.equal(counter(store), 0, about);
    }
  });
});
