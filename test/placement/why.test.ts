/** Why a volume is where it is, and why each other node is out. */
import assert from 'node:assert/strict';
import { CfsError } from '../../src/core/errors.js';
import type { TableName } from '../../src/core/model/tables.js';
import { drainTo, failback, failover, rebalance } from '../../src/core/placement/operations.js';
import { type Replay, type Why, whyVolume } from '../../src/core/placement/why.js';
import { MemoryDraft } from '../../src/core/store/draft.js';
import type { Snapshot } from '../../src/core/store/store.js';
import { tenNodes } from './ten-nodes.js';

interface AnyOperation {
  name: string;
  run(draft: MemoryDraft, request: never, context: { nowMs: number }): unknown;
}

/** What an operation makes of a snapshot, and how to replay it. */
function madeBy(before: Snapshot, operation: AnyOperation, request: object): { snapshot: Snapshot; replay: Replay } {
  const draft = new MemoryDraft(before);
  operation.run(draft, request as never, { nowMs: 0 });
  return { snapshot: draft.applied(), replay: { before, operation: operation.name, request } };
}

const textOf = (why: Why, node: string): string =>
  why.nodes.find((candidate) => candidate.node === node)?.text as string;

/** The snapshot, refusing to give whole tables but that of the nodes. */
function sparing(snapshot: Snapshot): Snapshot {
  return {
    generation: snapshot.generation,
    table: (name: TableName) => {
      const view = snapshot.table(name);
      if (name === 'nodes') return view;
      const refuse = (): never => assert.fail(`the whole table ${name} was read`);
      return {
        count: view.count,
        get: (key: string) => view.get(key),
        has: (key: string) => view.has(key),
        entries: refuse,
        names: refuse,
      };
    },
  } as Snapshot;
}

describe('why', () => {
  const { snapshot, replay } = madeBy(tenNodes(), rebalance, {});

  it('tells the stage, the rule, the balancing moves, and the capacities before the last of them', () => {
    const why = whyVolume(snapshot, 'o1', { replay });
    assert.equal(why.replayed, true);
    assert.deepEqual(why.lines.slice(0, 11), [
      'o1 is on CFN5, placed by staged in generation 12: 1158 (ops, level 3, RC 2.88 -> -16.13; 1166.1 CFN8 -> CFN5 (19 < 33.44))',
      '  CFN5: has it',
      '  CFN1: no common domain (node: ca,ny; volume: GA)',
      "  CFN2: eligible; when 1166.1 moved it CFN8 -> CFN5, its RC of -1.56 was only 14.56 above CFN8's, weight 19",
      "  CFN3: eligible; when 1166.1 moved it CFN8 -> CFN5, its RC of -16.56 was not above CFN8's, weight 19",
      "  CFN4: eligible; when 1166.1 moved it CFN8 -> CFN5, its RC of 0.44 was only 16.56 above CFN8's, weight 19",
      "  CFN6: eligible; when 1166.1 moved it CFN8 -> CFN5, its RC of -0.56 was only 15.56 above CFN8's, weight 19",
      "  CFN7: eligible; it was CFN5's turn when 1166.1 moved it CFN8 -> CFN5, RC 18.88 against 17.31",
      '  CFN8: eligible; had it before 1166.1 moved it CFN8 -> CFN5',
      "  CFN9: eligible; it was CFN5's turn when 1166.1 moved it CFN8 -> CFN5, RC 18.88 against 17.31",
      "  CFN10: eligible; when 1166.1 moved it CFN8 -> CFN5, its RC of -2.56 was only 13.56 above CFN8's, weight 19",
    ]);
    const offline = why.nodes.find(({ node }) => node === 'CFN11');
    assert.deepEqual(offline, { node: 'CFN11', verdict: 'excluded', rule: 'inactive', text: 'is offline' });
    assert.equal(why.nodes.length, 20);
  });

  it('tells for each stage what kept an eligible node from getting the volume', () => {
    const at = (volume: string, node: string): string => textOf(whyVolume(snapshot, volume, { replay }), node);
    assert.equal(at('e1', 'CFN2'), 'eligible; CFN1 is preferred');
    assert.equal(at('g1', 'CFN10'), 'eligible; does not list g&a, RC 9.44 against 7.44');
    assert.equal(at('o2', 'CFN8'), 'eligible; had no capacity left, RC -16.13 against 3.88');
    assert.equal(at('m1', 'CFN2'), "eligible; its turn came after CFN10's, RC 7.44 against 9.44");
    assert.equal(at('m1', 'CFN4'), 'eligible; had no capacity left, RC -0.56 against 9.44');
    assert.equal(at('m6', 'CFN4'), "eligible; its turn came after CFN10's, RC -0.56 against -0.56");
  });

  it('tells for a volume without a node which rule excludes each node', () => {
    const why = whyVolume(snapshot, 'm5', { replay });
    assert.equal(why.lines[0], 'm5 has no node: group-locked (by staged in generation 12)');
    assert.equal(textOf(why, 'CFN1'), 'does not carry group mkt, which the volume may not leave (node: eng,sal,ops)');
    assert.equal(textOf(why, 'CFN5'), 'no common domain (node: ga; volume: CA)');
    assert.deepEqual([why.unplaced, why.replayed], ['group-locked', false]);
    assert.ok(why.nodes.every(({ verdict }) => verdict === 'excluded'));
  });

  it('replays failover, failback and draining by what history says of the request', () => {
    const failed = madeBy(snapshot, failover, { node: 'CFN8' });
    const taken = whyVolume(failed.snapshot, 's1', { replay: failed.replay });
    assert.equal(
      taken.lines[0],
      's1 is on CFN6, placed by failover in generation 13: (most remaining capacity, RC 0.79 -> -6.21)',
    );
    assert.equal(textOf(taken, 'CFN2'), 'eligible; RC -0.21 against 0.79');
    assert.equal(textOf(taken, 'CFN8'), 'is failed');

    const gone = madeBy(snapshot, failover, { node: 'CFN3' });
    const back = madeBy(gone.snapshot, failback, { node: 'CFN3' });
    const returned = whyVolume(back.snapshot, 's2', { replay: back.replay });
    assert.match(
      returned.lines[0] as string,
      /^s2 is on CFN3, placed by failback in generation 14: \(preferred, returned, RC /,
    );
    assert.equal(textOf(returned, 'CFN2'), 'eligible; CFN3 is preferred');

    const drained = madeBy(snapshot, drainTo('standby'), { node: 'CFN4' });
    const moved = whyVolume(drained.snapshot, 'g1', { replay: drained.replay });
    assert.equal(moved.by, 'drain');
    assert.equal(moved.replayed, true);
    assert.equal(textOf(moved, 'CFN4'), 'is standby');
  });

  it('tells present capacities when the decision cannot be replayed', () => {
    const now = whyVolume(snapshot, 'o1');
    assert.equal(now.replayed, false);
    assert.equal(textOf(now, 'CFN7'), "eligible; RC now 11.88, CFN5's 9.31");
    // The generation before is that of another decision, or the decision came out otherwise.
    const later = madeBy(snapshot, failover, { node: 'CFN8' });
    assert.equal(whyVolume(later.snapshot, 'o1', { replay: later.replay }).replayed, false);
    const other = new MemoryDraft(tenNodes());
    other.put('membership', 'CFN5', { state: 'offline', reason: null });
    const wrong = { ...replay, before: { ...other.applied(), generation: 11 } };
    assert.equal(whyVolume(snapshot, 'o1', { replay: wrong }).replayed, false);
  });

  it('reads only the nodes and this volume when no capacities are asked', () => {
    const why = whyVolume(sparing(snapshot), 'o1', { capacities: false });
    assert.equal(textOf(why, 'CFN7'), 'eligible');
    assert.equal(textOf(why, 'CFN1'), 'no common domain (node: ca,ny; volume: GA)');
  });

  it('says so when nothing has placed the volume, and when its node may not have it any more', () => {
    assert.equal(
      whyVolume(tenNodes(), 'o1').lines[0],
      'o1 has no node yet: nothing has placed it (cfs rebalance does)',
    );
    const draft = new MemoryDraft(snapshot);
    draft.put('volumes', 'o1', { ...snapshot.table('volumes').get('o1')!, domains: ['NY'] });
    const text = textOf(whyVolume(draft.applied(), 'o1'), 'CFN5');
    assert.equal(text, 'has it, but may not have it any more: no common domain (node: ga; volume: NY)');
  });

  it('names the nearest volume when there is none of that name', () => {
    assert.throws(
      () => whyVolume(snapshot, 'o11'),
      (error) =>
        error instanceof CfsError && error.code === 'VOLUME_NOT_FOUND' && /Did you mean/.test(error.hint ?? ''),
    );
  });
});
