import assert from 'node:assert/strict';
import { nodeAdd } from '../../src/core/config/nodes.js';
import { oneLine } from '../../src/core/membership/reasons.js';
import { integrityProblems } from '../../src/core/model/integrity.js';
import type { MembershipRecord } from '../../src/core/model/tables.js';
import { MemoryDraft } from '../../src/core/store/draft.js';
import { clusterOfNodes, membershipOf } from './clusters.js';

describe('membership records', () => {
  it('of a node that is added offline let its agent bring it in; of one added online there is no need', () => {
    const cluster = clusterOfNodes({ nodes: 1, volumes: 1 });
    cluster.change(nodeAdd, { nodes: [{ name: 'n2' }, { name: 'n3', state: 'online' }] });
    assert.deepEqual(membershipOf(cluster, 'n2'), { state: 'offline', reason: null, mayJoin: true });
    assert.deepEqual(membershipOf(cluster, 'n3'), { state: 'online', reason: null });
  });

  it('are found wrong where a field does not fit the state, or the node is gone', () => {
    const says = (node: string, record: MembershipRecord) => {
      const draft = new MemoryDraft(clusterOfNodes({ nodes: 2, volumes: 1 }).snapshot());
      draft.put('membership', node, record);
      return integrityProblems(draft.applied()).map((problem) => `${problem.table} ${problem.name}: ${problem.says}`);
    };
    assert.deepEqual(says('n1', { state: 'failed', reason: null, lease: 3 }), []);
    assert.deepEqual(says('n1', { state: 'online', reason: null, lease: 3 }), [
      'membership n1: a node that is online has no lease',
    ]);
    assert.deepEqual(says('n1', { state: 'standby', reason: null, mayJoin: true, held: true }), [
      'membership n1: a node that is standby has no mayJoin',
      'membership n1: a node that is standby has no held',
    ]);
    assert.deepEqual(says('n9', { state: 'offline', reason: null }), ['membership n9: there is no such node']);
  });

  it('of fencing name a node that is there', () => {
    const draft = new MemoryDraft(clusterOfNodes({ nodes: 2, volumes: 1 }).snapshot());
    draft.put('fencing', 'n9', { state: 'done', by: 'n1', lease: 1, attempts: 1, message: null });
    assert.deepEqual(integrityProblems(draft.applied()), [
      { table: 'fencing', name: 'n9', says: 'there is no such node' },
    ]);
  });

  it('take what programs say as one line of bounded length, never half a character', () => {
    assert.equal(oneLine(' a\r\n\u0007b\u2028c '), 'a b c');
    assert.equal(oneLine('\n'), null);
    assert.equal(oneLine(null), null);
    const long = oneLine('\u{1f600}'.repeat(200), 300)!;
    assert.ok(long.length <= 300 && long.isWellFormed() && long.endsWith('…'));
  });
});
