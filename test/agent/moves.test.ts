import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Moves } from '../../src/core/agent/moves.js';
import { couldRun } from '../../src/core/agent/ownership.js';
import { PlacementsView } from '../../src/core/agent/placements-view.js';
import type { PlacementRecord } from '../../src/core/model/tables.js';
import { memorySnapshot } from '../../src/core/store/draft.js';

function placement(node: string | null, since: number): PlacementRecord {
  return { node, since, by: 'staged', stage: null, rule: null, unplaced: node === null ? 'no-common-domain' : null };
}

describe('recent moves', () => {
  it('never say that a node could not have run a volume which it had, however much is forgotten', () => {
    const step = fc.record({ volume: fc.nat(3), node: fc.nat(3) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 4, max: 30 }),
        fc.nat(60),
        (steps, most, until) => {
          const moves = new Moves(0, most);
          // owners[v][g]: who had volume v at generation g.
          const owners = Array.from({ length: 4 }, () => [null as string | null]);
          steps.forEach(({ volume, node }, i) => {
            const generation = i + 1;
            for (const history of owners) history.push(history.at(-1)!);
            const from = owners[volume]!.at(-2)!;
            owners[volume]![generation] = `n${node}`;
            if (from !== null) moves.add(`v${volume}`, { generation, from });
            if (i === until) moves.forget(Math.floor(generation / 2));
          });
          assert.ok(moves.count <= most);
          for (const [v, history] of owners.entries()) {
            for (let released = 0; released < history.length; released++) {
              for (const node of ['n0', 'n1', 'n2', 'n3']) {
                // It left the node after what it acknowledged.
                const had = history
                  .slice(released, -1)
                  .some((owner, i) => owner === node && history[released + i + 1] !== node);
                if (had) assert.ok(couldRun(node, released, moves.of(`v${v}`), moves.knownFrom));
              }
            }
          }
        },
      ),
    );
  });
});

describe('the view of placements', () => {
  it('follows the changes of generations, and is what reading all of them gives', () => {
    const view = new PlacementsView('n1');
    view.reset(
      memorySnapshot(
        {
          placements: new Map([
            ['v1', placement('n1', 2)],
            ['v2', placement('n2', 2)],
          ]),
        },
        5,
      ),
    );
    view.apply(6, [
      { table: 'placements', name: 'v1', before: placement('n1', 2), after: placement('n2', 6) },
      { table: 'placements', name: 'v2', before: placement('n2', 2), after: placement('n1', 6) },
      { table: 'placements', name: 'v3', before: null, after: placement('n1', 6) },
    ]);
    assert.deepEqual(
      [...view.desired(true)],
      [
        ['v2', 6],
        ['v3', 6],
      ],
    );
    assert.deepEqual(view.moves.of('v2'), [{ generation: 6, from: 'n2' }]);
    assert.deepEqual(view.moves.of('v3'), []);
    assert.equal(view.moves.knownFrom, 5);
    assert.equal(view.desired(false).size, 0);
  });

  it('counts another epoch on the same node as a move from it', () => {
    const view = new PlacementsView('n1');
    view.reset(memorySnapshot({ placements: new Map([['v1', placement('n1', 2)]]) }, 5));
    view.apply(6, [{ table: 'placements', name: 'v1', before: placement('n1', 2), after: placement('n1', 6) }]);
    assert.deepEqual([...view.desired(true)], [['v1', 6]]);
    assert.deepEqual(view.moves.of('v1'), [{ generation: 6, from: 'n1' }]);
  });

  it('refuses a generation that does not follow', () => {
    const view = new PlacementsView('n1');
    view.reset(memorySnapshot({}, 5));
    assert.throws(() => view.apply(7, []), /does not follow/);
  });
});
