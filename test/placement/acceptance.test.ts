/** The examples of the design document, cell by cell (spec/rebalance.md section 9). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { explain } from '../../src/core/placement/explain.js';
import type { PlacementInput, PlacementNode, PlacementVolume } from '../../src/core/placement/input.js';
import type { PlacementResult } from '../../src/core/placement/result.js';
import { staged } from '../../src/core/placement/staged.js';
import { assignmentAt, type StageTable } from '../../src/core/placement/trace.js';

interface Row {
  node: string;
  rc: number;
  rc2?: number;
  ic?: number;
  weight?: number;
  total: number;
  volumes: string[];
}

interface Example {
  nodes: PlacementNode[];
  volumes: PlacementVolume[];
  printedOverrides: { nodes: Record<string, Partial<PlacementNode>> };
  totals: { activeVolumeWeight: number; activeNodeWeight: number };
  printed: { table: number; stage: string; rows: Row[] }[];
  expected: {
    stages: { stage: string; sumAbsRC: number; remaining: string[]; rows: Row[] }[];
    final: Outcome;
  };
  expectedWithPrintedGroups: Outcome;
}

interface Outcome {
  assignment: Record<string, string | null>;
  unassigned: { volume: string; reason: string }[];
  sumAbsRC: number;
  cycles: number;
}

interface Joining {
  nodes: Omit<PlacementNode, 'active'>[];
  volumes: Omit<PlacementVolume, 'currentNode'>[];
  steps: {
    t: number;
    active: string[];
    expected: {
      assignment: Record<string, string>;
      changed: string[];
      idealCapacity: Record<string, number>;
      rc: Record<string, number>;
      sumAbsRC: number;
    };
  }[];
  twoServerExample: {
    nodes: { name: string; weight: number }[];
    volumes: string[];
    expectedCounts: Record<string, number>;
  };
}

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../fixtures/placement/${name}`, import.meta.url), 'utf8')) as T;
}

const example = fixture<Example>('ten-nodes.json');
const joining = fixture<Joining>('joining.json');
const input: PlacementInput = { generation: 7, nodes: example.nodes, volumes: example.volumes };

/** The node table of a stage as rows like those of the example. */
function rowsOf(result: PlacementResult, table: StageTable): Row[] {
  const { run } = result;
  const nodes = assignmentAt(run, table);
  return Array.from(table.order, (n) => {
    const volumes = run.problem.volumes.filter((_, v) => nodes[v] === n);
    return {
      node: run.problem.nodes[n]?.name as string,
      rc: run.capacity.value(table.remaining[n] as number),
      rc2: Number(run.capacity.text(table.remaining[n] as number)),
      total: volumes.reduce((sum, volume) => sum + volume.weight, 0),
      volumes: volumes.map(({ name }) => name).sort(),
    };
  });
}

function tableOf(result: PlacementResult, stage: string): StageTable {
  const table = result.run.tables.find((candidate) => candidate.stage === stage);
  assert.ok(table, `no table for stage ${stage}`);
  return table;
}

describe('the ten-node example', () => {
  const result = staged(input);

  for (const { table, stage, rows } of example.printed.filter((printed) => printed.table <= 11)) {
    it(`reproduces every cell of printed Table ${table}, after stage ${stage}${table <= 10 ? ', rows in order' : ''}`, () => {
      const found = rowsOf(result, tableOf(result, stage));
      const expected = table <= 10 ? rows : found.map(({ node }) => rows.find((row) => row.node === node) as Row);
      assert.deepEqual(
        found.map(({ node, rc2, total, volumes }) => ({ node, rc: rc2, total, volumes })),
        expected.map(({ node, rc, total, volumes }) => ({ node, rc, total, volumes: [...volumes].sort() })),
      );
      for (const row of rows) {
        const n = result.run.problem.nodeIndex.get(row.node) as number;
        assert.equal(result.run.problem.nodes[n]?.weight, row.weight);
        const ideal = result.nodes.find(({ name }) => name === row.node)?.idealCapacity as number;
        assert.equal(result.run.capacity.text(result.run.capacity.empty[n] as number), (row.ic as number).toFixed(2));
        assert.ok(Math.abs(ideal - (row.ic as number)) <= 0.005);
      }
    });
  }

  it('reproduces the rows and the row order of printed Table 12 that follow from the rules', () => {
    const printed = example.printed.find(({ table }) => table === 12)?.rows as Row[];
    const found = rowsOf(result, tableOf(result, '1166.1'));
    for (const node of ['CFN1', 'CFN3', 'CFN5', 'CFN7', 'CFN9']) {
      const expected = printed.find((row) => row.node === node) as Row;
      const row = found.find((candidate) => candidate.node === node) as Row;
      assert.deepEqual([row.rc2, row.total, row.volumes], [expected.rc, expected.total, [...expected.volumes].sort()]);
    }
    assert.deepEqual(
      found.map(({ node }) => node),
      printed.map(({ node }) => node),
    );
  });

  for (const { stage, sumAbsRC, remaining, rows } of example.expected.stages.filter(({ stage }) => stage !== '1166')) {
    it(`has the expected capacities, volumes, row order and imbalance after ${stage}`, () => {
      const table = tableOf(result, stage);
      assert.deepEqual(
        rowsOf(result, table),
        rows.map(({ node, rc, rc2, total, volumes }) => ({ node, rc, rc2, total, volumes: [...volumes].sort() })),
      );
      const { num, den } = result.run.capacity.imbalance(table.remaining);
      assert.equal(Number(num) / Number(den), sumAbsRC);
      const nodes = assignmentAt(result.run, table);
      const left = result.run.problem.volumes.filter((volume, v) => nodes[v] === -1 && volume.name !== 'm5');
      assert.deepEqual(left.map(({ name }) => name).sort(), remaining.filter((name) => name !== 'm5').sort());
    });
  }

  it('ends with the expected assignment, node order, imbalance, cycles and unassigned volumes', () => {
    const { final } = example.expected;
    assert.deepEqual(Object.fromEntries(result.assignment), final.assignment);
    assert.deepEqual(result.unassigned, [...final.unassigned]);
    assert.equal(result.sumAbsRC, final.sumAbsRC);
    assert.equal(result.cycles, final.cycles);
    const last = example.expected.stages.find(({ stage }) => stage === '1166')?.rows as Row[];
    assert.deepEqual(
      result.nodes.map(({ name, remainingCapacity, load, volumes }) => [
        name,
        remainingCapacity,
        load,
        [...volumes].sort(),
      ]),
      last.map(({ node, rc, total, volumes }) => [node, rc, total, [...volumes].sort()]),
    );
    assert.equal(result.totals.activeVolumeWeight, example.totals.activeVolumeWeight);
    assert.equal(result.totals.activeNodeWeight, example.totals.activeNodeWeight);
    assert.deepEqual(result.warnings, []);
  });

  it('gives the expected assignment with the groups of CFN8 as printed', () => {
    const nodes = example.nodes.map((node) => ({ ...node, ...example.printedOverrides.nodes[node.name] }));
    const printed = staged({ ...input, nodes });
    const expected = example.expectedWithPrintedGroups;
    assert.deepEqual(Object.fromEntries(printed.assignment), expected.assignment);
    assert.deepEqual(printed.unassigned, expected.unassigned);
    assert.equal(printed.sumAbsRC, expected.sumAbsRC);
    assert.equal(printed.cycles, expected.cycles);
  });

  it('explains o1 by its group stage and its balancing move', () => {
    assert.deepEqual(explain(result, new Set(['o1'])), [
      'o1: 1158 CFN8 (ops, level 3, RC 2.88 -> -16.13); 1166.1 CFN8 -> CFN5 (19 < 33.44)',
    ]);
  });
});

describe('the joining example', () => {
  let current = new Map<string, string | null>();
  for (const { t, active, expected } of joining.steps) {
    it(`places the volumes as expected with ${active.join(', ')}`, () => {
      const result = staged({
        generation: t,
        nodes: joining.nodes.map((node) => ({ ...node, active: active.includes(node.name) })),
        volumes: joining.volumes.map((volume) => ({ ...volume, currentNode: current.get(volume.name) ?? null })),
      });
      assert.deepEqual(Object.fromEntries(result.assignment), expected.assignment);
      assert.deepEqual([...result.changed].sort(), [...expected.changed].sort());
      assert.equal(result.sumAbsRC, expected.sumAbsRC);
      for (const { name, idealCapacity, remainingCapacity } of result.nodes) {
        assert.equal(idealCapacity, expected.idealCapacity[name]);
        // The expected figures were computed in doubles, the engine's are the nearest doubles.
        assert.ok(Math.abs(remainingCapacity - (expected.rc[name] as number)) < 1e-12);
      }
      current = new Map(result.assignment);
    });
  }

  it('gives a server of twice the capability twice the volumes', () => {
    const { nodes, volumes, expectedCounts } = joining.twoServerExample;
    const result = staged({
      generation: 1,
      nodes: nodes.map((node) => ({ ...node, domains: ['ALL'], groups: [], active: true })),
      volumes: volumes.map((name) => ({
        name,
        weight: 1,
        group: null,
        domains: ['ALL'],
        preferredNode: null,
        currentNode: '104C',
        canGroupMigrate: true,
      })),
    });
    assert.deepEqual(Object.fromEntries(result.nodes.map((node) => [node.name, node.volumes.length])), expectedCounts);
  });
});
