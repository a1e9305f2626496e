import assert from 'node:assert/strict';
import { convergedText, progressText, reportOf, waitTimeout } from '../../src/cli/wait.js';
import type { Lease } from '../../src/core/membership/leases.js';
import { type WaitLook, waitForAgents } from '../../src/core/membership/wait.js';
import type { NodeState } from '../../src/core/model/tables.js';
import { memorySnapshot } from '../../src/core/store/draft.js';

const NODE = { weight: 1, updateIntervalMs: 10_000, threshold: 0.8, groups: [], domains: [] };

interface Moment {
  generation: number;
  states: Record<string, NodeState>;
  /** Per node: seq, released, applied. */
  leases: Record<string, [number, number, number | null]>;
}

/** What the directory shows from each time on, ms. */
type Story = [fromMs: number, moment: Moment][];

/** Runs a wait of 30 s against a story, in simulated time. */
async function waits(story: Story, generation = 17): Promise<{ last: WaitLook; looks: WaitLook[] }> {
  let nowMs = 0;
  const moment = (): Moment => story.filter(([from]) => from <= nowMs).at(-1)![1];
  const looks: WaitLook[] = [];
  const last = await waitForAgents({
    snapshot: () => {
      const { states, generation: newest } = moment();
      const names = Object.keys(states);
      return memorySnapshot(
        {
          nodes: new Map(names.map((name) => [name, NODE])),
          membership: new Map(names.map((name) => [name, { state: states[name]!, reason: null }])),
        },
        newest,
      );
    },
    leases: () =>
      new Map(
        Object.entries(moment().leases).map(([node, [seq, released, applied]]): [string, Lease] => [
          node,
          { node, seq, released, applied, timeoutMs: 10_000 },
        ]),
      ),
    clock: { monotonicMs: () => nowMs },
    pause: async (ms) => {
      nowMs += ms;
    },
    generation,
    timeoutMs: 30_000,
    onLook: (look) => looks.push(look),
  });
  return { last, looks };
}

const ONLINE: Record<string, NodeState> = { n1: 'online', n2: 'online', n3: 'online' };

describe('waiting for the agents', () => {
  it('is over at the first look where no agent runs', async () => {
    const { last, looks } = await waits([[0, { generation: 17, states: ONLINE, leases: {} }]]);
    assert.deepEqual([looks.length, last.isConverged, last.waitedMs], [1, true, 0]);
    assert.equal(convergedText(last), 'No agent runs: nothing to wait for.');
  });

  it('lasts until every online agent has applied the generation or a later one', async () => {
    const at = (leases: Moment['leases']): Moment => ({ generation: 18, states: ONLINE, leases });
    const { last, looks } = await waits([
      [0, at({ n1: [1, 17, 17], n2: [1, 16, 16], n3: [1, 16, 12] })],
      [1000, at({ n1: [2, 18, 18], n2: [2, 17, 16], n3: [2, 16, 12] })],
      [3000, at({ n1: [3, 18, 18], n2: [3, 17, 17], n3: [3, 18, 18] })],
    ]);
    assert.ok(last.isConverged);
    assert.ok(last.waitedMs >= 3000 && last.waitedMs < 3200, String(last.waitedMs));
    assert.equal(
      progressText(looks[0]!),
      '1 of 3 nodes has applied generation 17; waiting for n2 (released 16, applied 16), n3 (released 16, applied 12)',
    );
    assert.match(progressText(looks[10]!), /^1 of 3 .* n2 \(starting\), n3/);
    assert.equal(convergedText(last), 'All 3 agents have applied generation 17, after 3.0 s.');
  });

  it('goes on for the generation that failed a node it waited for, until the others have applied that', async () => {
    const { last } = await waits([
      [0, { generation: 17, states: ONLINE, leases: { n1: [1, 17, 17], n2: [1, 16, 16], n3: [1, 17, 17] } }],
      [
        5000,
        {
          generation: 18,
          states: { ...ONLINE, n2: 'failed' },
          leases: { n1: [2, 17, 17], n2: [1, 16, 16], n3: [2, 17, 17] },
        },
      ],
      [
        6000,
        {
          generation: 18,
          states: { ...ONLINE, n2: 'failed' },
          leases: { n1: [3, 18, 18], n2: [1, 16, 16], n3: [3, 18, 18] },
        },
      ],
    ]);
    assert.deepEqual([last.isConverged, last.generation], [true, 18]);
    assert.ok(last.waitedMs >= 6000, String(last.waitedMs));
    assert.deepEqual(
      last.nodes.map(({ node }) => node),
      ['n1', 'n3'],
    );
  });

  it('does not take a quiet lease for an answer: its node may still run what it had', async () => {
    const { last } = await waits([
      [0, { generation: 17, states: ONLINE, leases: { n1: [1, 17, 17], n2: [1, 16, 16] } }],
    ]);
    assert.deepEqual([last.isConverged, last.waitedMs], [false, 30_000]);
    const report = reportOf(last);
    assert.equal(report.nodes[1]!.state, 'lapsed');
    const error = waitTimeout(last, 17, 30_000);
    assert.match(
      error.message,
      /^Generation 17 is committed, but after 30s 1 of 2 nodes has not applied generation 17: n2 \(quiet for (29|30) s\)$/,
    );
    assert.deepEqual([error.code, error.exitStatus], ['WAIT_TIMEOUT', 6]);
    assert.deepEqual(
      (error.details!.nodes as { node: string }[]).map(({ node }) => node),
      ['n2'],
    );
  });

  it('is not for nodes that left, failed before, or were taken out and have released', async () => {
    const states: Record<string, NodeState> = { n1: 'online', n2: 'failed', n3: 'standby', n4: 'online' };
    const leases: Moment['leases'] = { n1: [1, 17, 17], n2: [9, 3, 3], n3: [1, 17, 3], n4: [1, 5, null] };
    const { last } = await waits([[0, { generation: 17, states, leases }]]);
    assert.deepEqual([last.isConverged, last.waitedMs], [true, 0]);
    assert.deepEqual(
      last.nodes.map(({ node }) => node),
      ['n1', 'n3'],
    );
  });
});
