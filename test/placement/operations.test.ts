/** Rebalance, failover, failback and draining as operations on a draft. */
import assert from 'node:assert/strict';
import { CfsError } from '../../src/core/errors.js';
import type { MembershipRecord, NodeState, PlacementRecord } from '../../src/core/model/tables.js';
import { drainTo, failback, failover, rebalance } from '../../src/core/placement/operations.js';
import { MemoryDraft } from '../../src/core/store/draft.js';
import type { Snapshot } from '../../src/core/store/store.js';
import { tenNodes } from './ten-nodes.js';

const CONTEXT = { nowMs: 0 };

function rebalanced(): { before: Snapshot; after: Snapshot } {
  const before = tenNodes();
  const draft = new MemoryDraft(before);
  rebalance.run(draft, {}, CONTEXT);
  return { before, after: draft.applied() };
}

function stateOf(snapshot: Snapshot, node: string): NodeState | undefined {
  return snapshot.table('membership').get(node)?.state;
}

function placement(snapshot: Snapshot, volume: string): PlacementRecord {
  return snapshot.table('placements').get(volume) as PlacementRecord;
}

function refused(code: string, hint: RegExp | null, run: () => unknown): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof CfsError);
    assert.equal(error.code, code);
    if (hint !== null) assert.match(error.hint ?? '', hint);
    return true;
  });
}

describe('rebalance', () => {
  it('records for every volume its node, generation, stage and rule, and for the others why they have none', () => {
    const { after } = rebalanced();
    assert.equal(after.table('placements').count, 31);
    const since = after.generation;
    const by = 'staged';
    assert.deepEqual(placement(after, 'o1'), {
      ...{ node: 'CFN5', since, by, stage: '1158', unplaced: null },
      rule: 'ops, level 3, RC 2.88 -> -16.13; 1166.1 CFN8 -> CFN5 (19 < 33.44)',
    });
    assert.deepEqual(placement(after, 'm5'), {
      ...{ node: null, since, by, stage: null, rule: null, unplaced: 'group-locked' },
    });
    const rules = [...after.table('placements').entries()].map(([, record]) => record.rule ?? '');
    assert.ok(rules.every((rule) => rule.length < 400));
  });

  it('tells only the last of many balancing moves in the record', () => {
    const { after } = rebalanced();
    const { rule } = placement(after, 'e3');
    assert.match(
      rule as string,
      /^eng, level 1, RC \S+ -> \S+; 5 moves in 1166, the last; 1166\.2 \S+ -> CFN4 \(2 < \S+\)$/,
    );
  });

  it('keeps the generation of a volume that stays, and writes again only a reason that is another', () => {
    const { after } = rebalanced();
    const draft = new MemoryDraft(after);
    draft.put('volumes', 'm5', { ...after.table('volumes').get('m5')!, domains: ['MI'] });
    rebalance.run(draft, {}, CONTEXT);
    const changed = draft.changes().filter(({ table }) => table === 'placements');
    assert.deepEqual(changed.map(({ name }) => name).includes('m5'), true);
    const next = draft.applied();
    assert.equal(placement(next, 'm5').unplaced, 'no-common-domain');
    assert.equal(placement(next, 'm5').since, next.generation);
    assert.equal(placement(next, 'm4').since, after.generation);
  });
});

describe('failover', () => {
  it('fails the node, moves only what it had, and keeps everything else untouched', () => {
    const { after } = rebalanced();
    const draft = new MemoryDraft(after);
    const result = failover.run(draft, { node: 'CFN8' }, CONTEXT);
    const next = draft.applied();
    assert.equal(stateOf(next, 'CFN8'), 'failed');
    const had = ['a3', 'a4', 'e2', 'e8', 's1', 's3'];
    assert.deepEqual(result.changed, had);
    for (const [volume, record] of next.table('placements').entries()) {
      assert.notEqual(record.node, 'CFN8');
      if (had.includes(volume)) assert.deepEqual([record.by, record.since], ['failover', next.generation]);
      else assert.deepEqual(record, placement(after, volume));
    }
    const again = new MemoryDraft(next);
    assert.deepEqual(failover.run(again, { node: 'CFN8' }, CONTEXT).changed, []);
    assert.deepEqual(again.changes(), []);
  });

  it('names the nearest node when there is none of that name', () => {
    refused('NODE_NOT_FOUND', /Did you mean "CFN8"/i, () =>
      failover.run(new MemoryDraft(tenNodes()), { node: 'CFN8x' }, CONTEXT),
    );
  });

  it('refuses a node that is offline, which runs nothing that could fail', () => {
    refused('NODE_STATE', null, () => failover.run(new MemoryDraft(tenNodes()), { node: 'CFN11' }, CONTEXT));
  });
});

describe('failback', () => {
  it('puts the node online and returns what prefers it, and nothing else', () => {
    const { after } = rebalanced();
    const failed = new MemoryDraft(after);
    failover.run(failed, { node: 'CFN3' }, CONTEXT);
    const draft = new MemoryDraft(failed.applied());
    const result = failback.run(draft, { node: 'CFN3' }, CONTEXT);
    // s2 prefers CFN3; o3 was there by the stages only and stays where failover put it.
    assert.deepEqual(result.changed, ['s2']);
    assert.equal(stateOf(draft.applied(), 'CFN3'), 'online');
    assert.deepEqual(
      draft.changes().map(({ table, name }) => `${table} ${name}`),
      ['membership CFN3', 'placements s2'],
    );
    const again = new MemoryDraft(draft.applied());
    failback.run(again, { node: 'CFN3' }, CONTEXT);
    assert.deepEqual(again.changes(), []);
  });

  it('brings an offline node online and leaves a suspect one suspect', () => {
    const { after } = rebalanced();
    const draft = new MemoryDraft(after);
    draft.put('membership', 'CFN2', { state: 'suspect', reason: null });
    failback.run(draft, { node: 'CFN2' }, CONTEXT);
    assert.equal(stateOf(draft, 'CFN2'), 'suspect');
    failback.run(draft, { node: 'CFN11' }, CONTEXT);
    assert.equal(stateOf(draft, 'CFN11'), 'online');
    assert.equal(placement(draft, 'e2').node, 'CFN11');
  });
});

describe('draining', () => {
  for (const state of ['standby', 'offline'] as const) {
    it(`sets the state ${state} and moves away what the node had, in one change`, () => {
      const { after } = rebalanced();
      const draft = new MemoryDraft(after);
      const operation = drainTo(state);
      assert.equal(operation.name, `node.${state}`);
      const result = operation.run(draft, { node: 'CFN4', reason: 'new disks' }, CONTEXT);
      assert.deepEqual(draft.table('membership').get('CFN4'), {
        state,
        reason: 'new disks',
      } satisfies MembershipRecord);
      assert.deepEqual(result.changed, ['e3', 'e5', 'g1', 'g2', 'g3']);
      for (const volume of result.changed) assert.equal(placement(draft, volume).by, 'drain');
      const again = new MemoryDraft(draft.applied());
      operation.run(again, { node: 'CFN4' }, CONTEXT);
      assert.deepEqual(again.changes(), []);
    });
  }
});
