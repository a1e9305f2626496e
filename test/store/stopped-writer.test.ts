import assert from 'node:assert/strict';
import type { Files } from '../../src/core/platform/files.js';
import { Conflict } from '../../src/core/store/commit.js';
import { checkStore, history, initStore, openStore } from '../../src/core/store/index.js';
import { manifestName } from '../../src/core/store/layout.js';
import { type Call, type Fate, FaultyFiles } from '../kit/faulty-files.js';
import { SimFiles } from '../kit/sim-files.js';
import { counter, hastyPlatform, increment, volume } from '../kit/store-kit.js';
import { SyncWriter } from '../kit/sync-writer.js';

const DIR = '/cluster';
const FOLDING = { overlay: 60, shardBytes: 900, inlineShards: 1 };

interface Scene {
  sim: SimFiles;
  /** The one that is stopped, over files of its own. */
  faulty: FaultyFiles;
  stopped: SyncWriter;
  other: SyncWriter;
}

/** @param age generations before it begins */
function scene(age: number, bounds = {}): Scene {
  const sim = new SimFiles();
  const faulty = new FaultyFiles(sim);
  initStore(DIR, { platform: hastyPlatform({ files: sim }), bounds, info: { operation: 'init' } }, (draft) => {
    draft.put('cluster', 'n', { value: 0 });
  });
  const other = new SyncWriter(DIR, sim, bounds);
  for (let i = 1; i < age; i++) other.commit(increment);
  const stopped = new SyncWriter(DIR, faulty, bounds);
  stopped.store.snapshot();
  return { sim, faulty, stopped, other };
}

type Outcome = 'done' | 'conflict' | 'unsure';

/** Runs the writer's commit; at its call `stopAt` the others do `meanwhile` first. */
function stopAt(
  s: Scene,
  stopAtCall: number,
  meanwhile: () => void,
  fateOf: (call: Call) => Fate = () => undefined,
): Outcome {
  s.faulty.play((call) => {
    if (call.number === stopAtCall) meanwhile();
    return fateOf(call);
  });
  try {
    s.stopped.commit((draft) => {
      draft.put('volumes', 'of-the-stopped', volume(1));
      increment(draft);
    });
    return 'done';
  } catch (error) {
    if (error instanceof Conflict) return 'conflict';
    if ((error as { code?: string }).code === 'COMMIT_UNSURE') return 'unsure';
    throw error;
  } finally {
    s.faulty.play(() => undefined);
  }
}

function callsOfOneCommit(age: number, bounds: object): number {
  const s = scene(age, bounds);
  stopAt(s, 0, () => {});
  let calls = 0;
  s.faulty.play(() => {
    calls += 1;
    return undefined;
  });
  s.stopped.commit((draft) => void increment(draft));
  return calls + 10;
}

function hasVolume(files: Files): boolean {
  return openStore(DIR, { platform: hastyPlatform({ files }), lock: false })
    .snapshot()
    .table('volumes')
    .has('of-the-stopped');
}

/** One commit and collection at a time, so that every slot near the stopped one is taken, left behind and freed. */
function crowd(s: Scene, commits: number, keep: number): void {
  for (let i = 0; i < commits; i++) {
    s.other.commit(increment);
    s.other.collect(keep);
  }
}

describe('a writer that is stopped at any call while others commit and collect', () => {
  for (const [name, bounds] of Object.entries({ 'a small change': {}, 'a change that folds': FOLDING })) {
    for (const age of [3, 70]) {
      it(`never loses its change nor anybody else's (${name}, at generation ${age}, keep 2)`, () => {
        const outcomes = new Set<Outcome>();
        for (let call = 1; call <= callsOfOneCommit(age, bounds); call++) {
          const s = scene(age, bounds);
          const before = counter(s.other.store);
          let others = 0;
          const outcome = stopAt(s, call, () => {
            crowd(s, 4, 2);
            others = 4;
          });
          outcomes.add(outcome);
          const about = `stopped at call ${call}: ${outcome}`;
          const n = counter(openStore(DIR, { platform: hastyPlatform({ files: s.sim }), lock: false }));
          assert.ok(n === before + others || n === before + others + 1, about);
          const has = hasVolume(s.sim);
          if (outcome === 'done') assert.ok(has && n === before + others + 1, `${about}, but its change is not there`);
          if (outcome === 'conflict') assert.ok(!has && n === before + others, `${about}, but its change is there`);
          assert.deepEqual(checkStore(s.other.store).problems, [], about);
          s.other.commit(increment);
        }
        assert.ok(outcomes.has('done') && outcomes.has('conflict'), [...outcomes].join());
      });
    }
  }

  it('finds out by a guard from an earlier block when more than a block was collected meanwhile', () => {
    for (let call = 1; call <= callsOfOneCommit(70, {}); call++) {
      const s = scene(70);
      const outcome = stopAt(s, call, () => {
        for (let i = 0; i < 130; i++) s.other.commit(increment);
        s.other.collect(3);
      });
      // Unsure after the link: it was committed, and collected before the writer could look.
      if (outcome !== 'unsure') assert.equal(hasVolume(s.sim), outcome === 'done', `call ${call}: ${outcome}`);
    }
  });

  it('would report a lost change as done if the collector left temporary names and the writer did not look again (C12, G5)', () => {
    const run = (withConfirmation: boolean): { outcome: Outcome; there: boolean } => {
      const s = scene(3);
      // A collector that does G6 without G5: the temporary name survives, so the link into the freed slot succeeds.
      const careless = new FaultyFiles(s.sim);
      const collector = new SyncWriter(DIR, careless);
      careless.play((call) => (call.label === 'collect.unlink-temporary' ? { drop: true } : undefined));
      let linked = false;
      const outcome = (() => {
        s.faulty.play((call) => {
          if (call.label === 'manifest.link') {
            for (let i = 0; i < 4; i++) {
              s.other.commit(increment);
              collector.collect(2);
            }
            linked = true;
          }
          // Without C12: whatever is asked after the link, the answer is that the own generation is the newest.
          if (linked && !withConfirmation && call.label === 'manifests.list') return { answer: [manifestName(4)] };
          if (linked && !withConfirmation && call.label === 'probe.look') return { answer: true };
          return undefined;
        });
        try {
          s.stopped.commit((draft) => {
            draft.put('volumes', 'of-the-stopped', volume(1));
            increment(draft);
          });
          return 'done';
        } catch (error) {
          if (error instanceof Conflict) return 'conflict';
          assert.equal((error as { code?: string }).code, 'COMMIT_UNSURE');
          return 'unsure';
        }
      })();
      return { outcome, there: hasVolume(s.sim) };
    };
    assert.deepEqual(run(true), { outcome: 'unsure', there: false });
    assert.deepEqual(run(false), { outcome: 'done', there: false });
  });

  it('would overwrite the change of another if the link were a rename', () => {
    const s = scene(3);
    const rename = (call: Call): Fate => {
      if (call.label !== 'manifest.link') return undefined;
      s.sim.rename('test.rename', call.args[0] as string, call.args[1] as string);
      return { drop: true };
    };
    let theirs = 0;
    const atLink = s.faulty;
    atLink.play((call) => {
      if (call.label === 'manifest.link')
        theirs = s.other.commit((draft) => draft.put('volumes', 'theirs', volume(2)))!;
      return rename(call);
    });
    s.stopped.commit(increment);
    const reader = openStore(DIR, { platform: hastyPlatform({ files: s.sim }), lock: false });
    assert.equal(theirs, reader.snapshot().generation);
    assert.equal(reader.snapshot().table('volumes').has('theirs'), false, 'the rename must have destroyed it');
  });

  it('keeps the change of another since the link is exclusive', () => {
    const s = scene(3);
    s.faulty.play((call) => {
      if (call.label === 'manifest.link') s.other.commit((draft) => draft.put('volumes', 'theirs', volume(2)));
      return undefined;
    });
    assert.throws(() => s.stopped.commit(increment), Conflict);
    s.faulty.play(() => undefined);
    s.stopped.commit(increment);
    const snapshot = openStore(DIR, { platform: hastyPlatform({ files: s.sim }), lock: false }).snapshot();
    assert.equal(snapshot.table('volumes').has('theirs'), true);
  });

  it('takes a link whose reply was lost for what it is: done', () => {
    for (const errno of ['EEXIST', 'EIO', 'ENOENT']) {
      const s = scene(3);
      const outcome = stopAt(
        s,
        0,
        () => {},
        (call) => (call.label === 'manifest.link' ? { failAfter: errno } : undefined),
      );
      assert.equal(outcome, 'done', errno);
      assert.ok(hasVolume(s.sim));
      assert.equal([...history(s.other.store)].length, 4);
    }
  });
});

describe('a reader whose listings are cached', () => {
  it('finds the newest generation by probing forward (R3), and without that would not', () => {
    const s = scene(2);
    const stale = s.sim.list('test.list', `${DIR}/manifests`);
    for (let i = 0; i < 5; i++) s.other.commit(increment);
    const read = (fateOf: (call: Call) => Fate): number => {
      const faulty = new FaultyFiles(s.sim);
      faulty.play((call) => (call.label === 'manifests.list' ? { answer: stale } : fateOf(call)));
      return openStore(DIR, { platform: hastyPlatform({ files: faulty }) }).snapshot().generation;
    };
    assert.equal(
      read(() => undefined),
      7,
    );
    assert.equal(
      read((call) => (call.label === 'probe.look' ? { answer: true } : undefined)),
      2,
    );
  });

  it('never sees the generation go down', () => {
    const s = scene(2);
    const stale = s.sim.list('test.list', `${DIR}/manifests`);
    for (let i = 0; i < 5; i++) s.other.commit(increment);
    assert.equal(s.stopped.store.snapshot().generation, 7);
    s.faulty.play((call) => {
      if (call.label === 'manifests.list') return { answer: stale };
      return call.label === 'probe.look' ? { answer: true } : undefined;
    });
    assert.throws(() => s.stopped.store.snapshot(), { code: 'MANIFEST_DAMAGED' });
  });
});
