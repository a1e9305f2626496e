import assert from 'node:assert/strict';
import fc from 'fast-check';
import { apply } from '../../src/core/config/apply.js';
import { domainOperations, groupOperations } from '../../src/core/config/declared.js';
import { nodeAdd, nodeRemove, nodeRename, nodeSet } from '../../src/core/config/nodes.js';
import { clusterFreeze } from '../../src/core/config/settings.js';
import { type UndoResult, undo, undoRemainder } from '../../src/core/config/undo.js';
import { volumeCreate, volumeRemove, volumeRename, volumeSet } from '../../src/core/config/volumes.js';
import { nodeOnline } from '../../src/core/membership/states.js';
import { attempt, configurationStep, otherStep } from '../kit/arbitrary.js';
import { clientCluster, giveState, place, smallCluster } from '../kit/clusters.js';
import { configurationOf, type MemoryCluster, refusal, tablesOf } from '../kit/memory.js';

const nodeOf = (cluster: MemoryCluster, volume: string) => cluster.snapshot().table('placements').get(volume)?.node;

/** Undoing the newest generation must give the configuration of the one before. */
function assertUndone(cluster: MemoryCluster): UndoResult {
  const undone = cluster.generation;
  const result = cluster.undo(undone);
  assert.deepEqual(configurationOf(cluster.snapshot()), configurationOf(cluster.snapshot(undone - 1)));
  return result;
}

describe('undo of configuration', () => {
  it('takes back a changed field, as a new generation', () => {
    const cluster = smallCluster();
    cluster.change(nodeSet, { name: 'n1', weight: 9 });
    const result = assertUndone(cluster);
    assert.equal(cluster.generation, 3);
    assert.deepEqual(result.reverted, [{ table: 'nodes', name: 'n1' }]);
    assert.equal(undoRemainder(result), null);
  });

  it('removes what was added, with its state or placement', () => {
    const cluster = smallCluster();
    cluster.change(nodeAdd, { nodes: [{ name: 'n4', state: 'online' }] });
    assertUndone(cluster);
    assert.equal(cluster.snapshot().table('membership').has('n4'), false);
    cluster.change(volumeCreate, { volumes: [{ name: 'v9', currentNode: 'n1' }] });
    assertUndone(cluster);
    assert.equal(cluster.snapshot().table('placements').has('v9'), false);
  });

  it('brings a removed volume back to the node it had, by a new decision', () => {
    const cluster = smallCluster();
    const node = nodeOf(cluster, 'v1');
    cluster.change(volumeRemove, { name: 'v1' });
    const result = assertUndone(cluster);
    assert.deepEqual([result.unplaced, result.returned], [[], [{ volume: 'v1', from: null, to: node }]]);
    assert.equal(nodeOf(cluster, 'v1'), node);
    assert.equal(cluster.snapshot().table('placements').get('v1')?.since, cluster.snapshot().generation);
  });

  it('brings a removed node back offline, and what preferred it prefers it again', () => {
    const cluster = smallCluster();
    const held = [...cluster.snapshot().table('placements').entries()].filter(([, { node }]) => node === 'n1');
    const moves = Object.fromEntries(held.map(([name]) => [name, 'n2']));
    cluster.change(place, { by: 'drain', moves });
    const preferring = [...cluster.snapshot().table('volumes').entries()].filter(([, v]) => v.preferredNode === 'n1');
    cluster.change(nodeRemove, { name: 'n1', force: true });
    const { generation } = cluster.snapshot();
    assertUndone(cluster);
    assert.deepEqual(cluster.snapshot().table('membership').get('n1')?.state, 'offline');
    assert.match(
      cluster.snapshot().table('membership').get('n1')?.reason ?? '',
      new RegExp(`undoing generation ${generation}`),
    );
    for (const [name] of preferring) assert.equal(cluster.snapshot().table('volumes').get(name)?.preferredNode, 'n1');
    assert.ok(preferring.length > 0);
  });

  it('takes a renaming back with state and placements, epochs unchanged; and again forward', () => {
    const cluster = smallCluster();
    cluster.change(nodeRename, { name: 'n1', newName: 'alpha' });
    cluster.change(giveState, { name: 'alpha', state: 'suspect' });
    const result = cluster.undo(2);
    assert.deepEqual(result.renamed, [{ table: 'nodes', from: 'alpha', to: 'n1' }]);
    assert.equal(cluster.snapshot().table('membership').get('n1')?.state, 'suspect');
    assert.deepEqual([nodeOf(cluster, 'v1'), cluster.snapshot().table('placements').get('v1')?.since], ['n1', 1]);
    cluster.undo();
    assert.equal(nodeOf(cluster, 'v1'), 'alpha');
    assert.equal(cluster.snapshot().table('membership').get('alpha')?.state, 'suspect');
    cluster.undo();
    assert.equal(nodeOf(cluster, 'v1'), 'n1');

    cluster.change(volumeRename, { name: 'v1', newName: 'mail' });
    assertUndone(cluster);
    assert.deepEqual([nodeOf(cluster, 'v1'), cluster.snapshot().table('placements').get('v1')?.since], ['n1', 1]);
    cluster.change(groupOperations.rename, { name: 'Sales', newName: 'Vertrieb' });
    assertUndone(cluster);
    cluster.change(domainOperations.rename, { name: 'CA', newName: 'ca' });
    assertUndone(cluster);
  });

  it('of an undo does it again', () => {
    const cluster = smallCluster();
    cluster.change(nodeSet, { name: 'n1', weight: 9 });
    cluster.undo();
    cluster.undo();
    assert.equal(cluster.snapshot().table('nodes').get('n1')?.weight, 9);
  });

  it('twice changes nothing', () => {
    const cluster = smallCluster();
    cluster.change(nodeSet, { name: 'n1', weight: 9 });
    cluster.undo(2);
    const { generation } = cluster;
    assert.deepEqual(cluster.undo(2).reverted, []);
    assert.equal(cluster.generation, generation);
  });

  it('ends a freeze that the generation began', () => {
    const cluster = smallCluster();
    cluster.change(clusterFreeze, { until: null });
    assertUndone(cluster);
  });

  it('is refused where a record was changed since, naming both sides; with force the rest goes back', () => {
    const cluster = smallCluster();
    cluster.change(nodeSet, { name: ['n1', 'n2'], weight: 9 });
    cluster.change(nodeSet, { name: 'n1', weight: 10 });
    const error = refusal(
      () => cluster.undo(2),
      'RECORD_CHANGED_SINCE',
      /^Node "n1" is no longer as generation 2 left it: weight was 9, is now 10$/,
    );
    assert.equal(error.exitStatus, 4);
    assert.match(error.hint ?? '', /--force/);
    const result = cluster.undo(2, true);
    assert.deepEqual(
      result.skipped.map(({ name }) => name),
      ['n1'],
    );
    assert.equal(cluster.snapshot().table('nodes').get('n1')?.weight, 10);
    assert.equal(cluster.snapshot().table('nodes').get('n2')?.weight, 1);
    assert.equal(undoRemainder(result), '1 record left out.');
  });

  it('is refused where something would refer to nothing; with force it is left out', () => {
    const cluster = smallCluster();
    cluster.change(groupOperations.add, { names: [{ name: 'web' }, { name: 'old' }] });
    cluster.change(nodeSet, { name: 'n1', addGroups: ['web'] });
    refusal(() => cluster.undo(2), 'GROUP_IN_USE', /"web" is in use by nodes "n1"/);
    assert.deepEqual(
      cluster.undo(2, true).skipped.map(({ name }) => name),
      ['web'],
    );
    assert.deepEqual([...cluster.snapshot().table('groups').names()].sort(), ['Eng.', 'Sales', 'web']);

    cluster.change(nodeAdd, { nodes: [{ name: 'n4', state: 'online' }] });
    const added = cluster.generation;
    cluster.change(place, { by: 'staged', moves: { v2: 'n4' } });
    refusal(() => cluster.undo(added), 'NODE_IN_USE', /"n4" administers 1 volume: "v2"/);

    cluster.change(volumeSet, { name: 'v4', group: 'web' });
    cluster.change(volumeSet, { name: 'v4', group: null });
    const cleared = cluster.generation;
    cluster.change(nodeSet, { name: 'n1', removeGroups: ['web'] });
    cluster.change(groupOperations.remove, { name: 'web' });
    refusal(
      () => cluster.undo(cleared),
      'GROUP_NOT_FOUND',
      /Volume "v4" cannot go back: there is no group "web" any more/,
    );
    const removed = cluster.generation;
    cluster.change(groupOperations.add, { names: [{ name: 'WEB' }] });
    refusal(() => cluster.undo(removed), 'GROUP_EXISTS', /"web" cannot come back beside "WEB"/);
  });

  it('is refused for the generation that made the cluster, and for one that is not there', () => {
    const cluster = smallCluster();
    const error = refusal(() => cluster.undo(1), 'CANNOT_UNDO', /Generation 1 cannot be undone: it made the cluster/);
    assert.equal(error.exitStatus, 4);
    cluster.refuses(
      undo,
      { generation: 7, renames: [], changes: [] },
      'GENERATION_NOT_FOUND',
      /no generation 7; the newest is 1/,
    );
  });

  it('leaves states as they are, and says so', () => {
    const cluster = smallCluster();
    cluster.change(giveState, { name: 'n1', state: 'offline' });
    cluster.change(nodeOnline, { name: 'n1' });
    const result = cluster.undo();
    assert.deepEqual(result.statesKept, ['n1']);
    assert.equal(cluster.generation, 3, 'nothing to undo, no generation');
    assert.match(undoRemainder(result) ?? '', /states not undone: "n1"/);
  });

  it('keeps what it needs for another undo in history, and no more', () => {
    const cluster = smallCluster();
    cluster.change(nodeRename, { name: 'n1', newName: 'alpha' });
    cluster.undo();
    assert.deepEqual(cluster.generations[3]?.info.request, {
      generation: 2,
      renames: [{ table: 'nodes', from: 'alpha', to: 'n1' }],
    });
  });
});

describe('undo of a placement', () => {
  it('sends volumes back by a new decision, with a higher epoch', () => {
    const cluster = smallCluster();
    cluster.change(place, { by: 'staged', moves: { v1: 'n2', v2: 'n1' } });
    const result = cluster.undo();
    assert.deepEqual(result.returned, [
      { volume: 'v1', from: 'n2', to: 'n1' },
      { volume: 'v2', from: 'n1', to: 'n2' },
    ]);
    assert.deepEqual(cluster.snapshot().table('placements').get('v1'), {
      node: 'n1',
      since: 3,
      by: 'undo',
      stage: null,
      rule: 'back from generation 2',
      unplaced: null,
    });
    cluster.undo();
    assert.equal(nodeOf(cluster, 'v1'), 'n2');
    assert.equal(cluster.snapshot().table('placements').get('v1')?.since, 4);
  });

  it('leaves a volume where it is when its former node may not have it, with the reason', () => {
    const cluster = smallCluster();
    cluster.change(giveState, { name: 'n1', state: 'failed' });
    cluster.change(place, { by: 'failover', moves: { v1: 'n2', v4: 'n2' } });
    const result = cluster.undo();
    assert.deepEqual(result.stayed, [
      { volume: 'v1', node: 'n2', reason: 'node "n1": is failed' },
      { volume: 'v4', node: 'n2', reason: 'it had no node before' },
    ]);
    assert.equal(nodeOf(cluster, 'v1'), 'n2');
    cluster.change(place, { by: 'staged', moves: { v3: 'n2' } });
    cluster.change(nodeSet, { name: 'n3', groups: [] });
    const locked = cluster.undo(cluster.generation - 1);
    assert.match(locked.stayed[0]?.reason ?? '', /^node "n3": does not carry group Sales/);
  });

  it('is refused when a volume was moved since; with force the others go back', () => {
    const cluster = smallCluster();
    cluster.change(place, { by: 'staged', moves: { v1: 'n2', v2: 'n1' } });
    cluster.change(place, { by: 'failover', moves: { v1: 'n3' } });
    refusal(() => cluster.undo(2), 'RECORD_CHANGED_SINCE', /^Placement of volume "v1" .* node was "n2", is now "n3"$/);
    assert.deepEqual(cluster.undo(2, true).returned, [{ volume: 'v2', from: 'n1', to: 'n2' }]);
  });
});

describe('undo, whatever was done', () => {
  it('restores the configuration exactly, and never touches states of nodes that stay', () => {
    fc.assert(
      fc.property(fc.array(configurationStep, { minLength: 1, maxLength: 8 }), (steps) => {
        const cluster = clientCluster();
        for (const step of steps) {
          const before = cluster.generation;
          attempt(cluster, step);
          if (cluster.generation === before) continue;
          assertUndone(cluster);
          // An undo that has nothing but states to take back makes no generation.
          if (cluster.generation > before + 1) {
            const undone = cluster.snapshot(before + 1);
            const again = cluster.generation;
            cluster.undo(again);
            assert.deepEqual(configurationOf(cluster.snapshot()), configurationOf(undone), 'undo of the undo');
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('with force always ends in a cluster that fits together, its epochs risen, its states untouched', () => {
    const steps = fc.array(fc.oneof({ weight: 3, arbitrary: configurationStep }, otherStep), {
      minLength: 2,
      maxLength: 15,
    });
    fc.assert(
      fc.property(steps, fc.nat(), (done, pick) => {
        const cluster = clientCluster();
        for (const step of done) attempt(cluster, step);
        if (cluster.generation < 2) return;
        const target = 2 + (pick % (cluster.generation - 1));
        const before = cluster.snapshot();
        const { renamed } = cluster.undo(target, true);
        const after = cluster.snapshot();
        const newName = new Map(renamed.map(({ from, to }) => [from, to]));
        for (const [name, record] of before.table('membership').entries()) {
          const now = after.table('membership').get(newName.get(name) ?? name);
          if (now !== undefined) assert.deepEqual(now, record);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes back an applied document as one', () => {
    const cluster = smallCluster();
    cluster.change(apply, {
      document: {
        nodes: [{ name: 'n9', groups: ['new'], domains: ['TX'], state: 'online' }],
        volumes: [
          { name: 'v1', weight: 7 },
          { name: 'v9', group: 'new', preferredNode: 'n9', currentNode: 'n9' },
        ],
      },
    });
    assertUndone(cluster);
    assert.deepEqual(
      tablesOf(cluster.snapshot(), ['placements', 'membership']),
      tablesOf(cluster.snapshot(1), ['placements', 'membership']),
    );
  });
});
