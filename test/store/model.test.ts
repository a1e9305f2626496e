import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { VolumeRecord } from '../../src/core/model/tables.js';
import { checkStore, initStore, openStore } from '../../src/core/store/index.js';
import { SimFiles } from '../kit/sim-files.js';
import { hastyPlatform, volume } from '../kit/store-kit.js';

const NAMES = [
  '__proto__',
  'constructor',
  'a',
  'b',
  'v10',
  'v9',
  '0',
  '17',
  'ü',
  'Ω"\\',
  'toString',
  ...Array.from({ length: 40 }, (_, i) => `x${i}`),
];

describe('the store against a plain map', () => {
  it('gives every generation, every difference and every count as the map has them, however often it folds', async () => {
    const edit = fc.record({
      name: fc.constantFrom(...NAMES),
      weight: fc.option(fc.integer({ min: 0, max: 5 }), { nil: null }),
    });
    const bounds = fc.record({
      overlay: fc.constantFrom(10, 300, 2000),
      shardBytes: fc.constantFrom(200, 1000, 64000),
      inlineShards: fc.constantFrom(1, 4, 16),
    });
    const property = fc.asyncProperty(
      bounds,
      fc.array(fc.array(edit, { maxLength: 12 }), { maxLength: 12 }),
      async (bounds, commits) => {
        const platform = hastyPlatform({ files: new SimFiles() });
        const options = { platform, bounds, lock: false };
        const { store } = initStore('/c', { ...options, info: { operation: 'init' } }, () => {});
        const history: Map<string, VolumeRecord>[] = [new Map(), new Map()];
        for (const edits of commits) {
          const next = new Map(history.at(-1)!);
          const outcome = await store.transact({ operation: 'edit' }, (draft) => {
            for (const { name, weight } of edits) {
              if (weight === null) draft.remove('volumes', name);
              else draft.put('volumes', name, volume(weight));
            }
          });
          for (const { name, weight } of edits) {
            if (weight === null) next.delete(name);
            else next.set(name, volume(weight));
          }
          if (outcome.committed) history.push(next);
          else assert.deepEqual(next, history.at(-1));
        }
        for (const reader of [store, openStore('/c', options)]) {
          assert.equal(reader.snapshot().generation, history.length - 1);
          for (let gen = 1; gen < history.length; gen++) {
            const view = reader.snapshot(gen).table('volumes');
            assert.deepEqual(new Map(view.entries()), history[gen]);
            assert.equal(view.count, history[gen]!.size);
            for (const name of NAMES) assert.deepEqual(view.get(name), history[gen]!.get(name));
            if (gen === 1) continue;
            const expected = difference(history[gen - 1]!, history[gen]!);
            assert.deepEqual(asMap(reader.changesOf(gen)), expected);
            assert.deepEqual(asMap(reader.diff(gen - 1, gen)), expected);
          }
          assert.deepEqual(asMap(reader.diff(1, history.length - 1)), difference(history[1]!, history.at(-1)!));
        }
        const report = checkStore(store);
        assert.deepEqual(report.problems, []);
        assert.deepEqual(report.leftovers, []);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });
});

type Difference = Map<string, { before: unknown; after: unknown }>;

function difference(a: Map<string, VolumeRecord>, b: Map<string, VolumeRecord>): Difference {
  const names = new Set([...a.keys(), ...b.keys()]);
  const found: Difference = new Map();
  for (const name of names) {
    const [before, after] = [a.get(name) ?? null, b.get(name) ?? null];
    if (JSON.stringify(before) !== JSON.stringify(after)) found.set(name, { before, after });
  }
  return found;
}

function asMap(changes: { name: string; before: unknown; after: unknown }[]): Difference {
  const found: Difference = new Map();
  for (const { name, before, after } of changes) found.set(name, { before, after });
  assert.equal(found.size, changes.length);
  return found;
}
