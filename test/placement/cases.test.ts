/** The golden cases in fixtures/placement/cases: state, request, what happens and why. */
import assert from 'node:assert/strict';
import type { PlacementRecord } from '../../src/core/model/tables.js';
import { MemoryDraft } from '../../src/core/store/draft.js';
import { OPERATIONS, readCases, runCase } from './cases.js';

describe('the golden cases of placement', () => {
  for (const golden of readCases()) {
    it(`decides ${golden.name.replaceAll('-', ' ')}, says why, and changes nothing the second time`, () => {
      const { draft, result, outcome } = runCase(golden);
      assert.deepEqual(outcome, golden.expected);
      const written = draft.changes().filter(({ table }) => table === 'placements');
      for (const { name, after } of written) {
        const record = after as PlacementRecord;
        assert.equal(record.node, result.assignment.get(name));
        assert.equal(record.since, draft.nextGeneration);
        assert.equal(record.by, result.strategy);
        assert.equal(record.unplaced, result.unassigned.find(({ volume }) => volume === name)?.reason ?? null);
      }
      const again = new MemoryDraft(draft.applied());
      OPERATIONS.get(golden.request.operation)?.run(again, { node: golden.request.node ?? '' }, { nowMs: 0 });
      assert.deepEqual(again.changes(), []);
    });
  }
});
