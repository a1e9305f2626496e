/** The strategy `staged` against the literal reference, on small random clusters. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PlacementInput } from '../../src/core/placement/input.js';
import { staged } from '../../src/core/placement/staged.js';
import { assignmentAt } from '../../src/core/placement/trace.js';
import { cluster } from './arbitraries.js';
import { reference } from './reference.js';

/** `num / den` equals `value / scale`. */
function same(ratio: { num: bigint; den: bigint }, value: bigint, scale: bigint): boolean {
  return ratio.num * scale === value * ratio.den;
}

function compare(input: PlacementInput): void {
  const expected = reference(input);
  const result = staged(input);
  assert.deepEqual(new Map([...result.assignment].sort()), new Map([...expected.assignment].sort()));
  assert.deepEqual(new Map(result.unassigned.map(({ volume, reason }) => [volume, reason])), expected.unassigned);
  assert.deepEqual(
    result.nodes.map(({ name }) => name),
    expected.order,
  );
  assert.equal(result.cycles, expected.cycles);
  assert.deepEqual(
    result.warnings.map(({ volume }) => volume),
    expected.warnings,
  );
  const { run } = result;
  assert.ok(same(run.capacity.imbalance(run.remaining), expected.sumAbs, expected.scale));
  assert.deepEqual(
    run.tables.map(({ stage }) => stage),
    expected.tables.map(({ stage }) => stage),
  );
  run.tables.forEach((table, t) => {
    const { stage, rows, assignment } = expected.tables[t] as (typeof expected.tables)[number];
    const names = Array.from(table.order, (n) => run.problem.nodes[n]?.name);
    assert.deepEqual(
      names,
      rows.map(([name]) => name),
      stage,
    );
    for (const [name, rc] of rows) {
      const n = run.problem.nodeIndex.get(name) as number;
      assert.ok(
        same(run.capacity.exact(table.remaining[n] as number), rc, expected.scale),
        `RC of ${name} after ${stage}`,
      );
    }
    const at = assignmentAt(run, table);
    run.problem.volumes.forEach(({ name }, v) => {
      const node = at[v] as number;
      assert.equal(
        node < 0 ? undefined : run.problem.nodes[node]?.name,
        assignment.get(name),
        `${name} after ${stage}`,
      );
    });
  });
}

describe('staged', () => {
  it('equals the literal reference in every stage on random clusters', function () {
    this.timeout(120_000);
    fc.assert(fc.property(cluster, compare), { numRuns: Number(process.env.CFS_RUNS ?? 1500) });
  });
});
