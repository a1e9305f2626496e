import assert from 'node:assert/strict';
import { membershipChanges } from '../../src/core/membership/changes.js';
import type { AnyRecord, TableName } from '../../src/core/model/tables.js';
import type { Change } from '../../src/core/store/store.js';
import { membershipText } from '../../src/render/membership.js';

const change = (table: TableName, name: string, before: object | null, after: object | null): Change => ({
  table,
  name,
  before: before as AnyRecord | null,
  after: after as AnyRecord | null,
});
const text = (...changes: Change[]): string => membershipText(membershipChanges(changes));

describe('a membership change as a sentence', () => {
  const online = { state: 'online', reason: null };

  it('groups the nodes to which the same happened, and names five of them', () => {
    const joined = (i: number) =>
      change(
        'membership',
        `n${i}`,
        { state: 'joining', reason: null },
        { state: 'online', reason: 'its agent came up' },
      );
    assert.equal(
      text(...[1, 2, 3, 4, 5, 6, 7].map(joined)),
      'n1, n2, n3, n4, n5 and 2 more joining -> online (its agent came up)',
    );
  });

  it('tells of nodes added and removed, and of a reason that changed', () => {
    assert.equal(text(change('membership', 'n1', null, { state: 'offline', reason: null })), 'n1 added, offline');
    assert.equal(text(change('membership', 'n1', online, null)), 'n1 removed');
    const suspect = { state: 'suspect', reason: 'fencing failed' };
    assert.equal(
      text(change('membership', 'n1', { ...suspect, reason: 'x' }, suspect)),
      'n1 stays suspect (fencing failed)',
    );
  });

  it('tells when volumes begin to wait for a node that was failed, and when they need not any more', () => {
    const held = { state: 'online', reason: 'back', held: true };
    assert.equal(
      text(change('membership', 'n3', { state: 'failed', reason: null }, held)),
      'n3 failed -> online, its volumes wait (back)',
    );
    assert.equal(
      text(change('membership', 'n3', held, { state: 'online', reason: 'up for 5m' })),
      'n3 stays online, its volumes need not wait any more (up for 5m)',
    );
  });

  it('tells each step of fencing', () => {
    const fencing = (state: string, more: object = {}) => ({
      state,
      by: 'n2',
      lease: 4,
      attempts: 1,
      message: null,
      ...more,
    });
    const step = (before: object | null, after: object | null) => text(change('fencing', 'n3', before, after));
    assert.equal(step(null, fencing('running')), 'n3 is being fenced by n2');
    assert.equal(
      step(fencing('running'), fencing('running', { by: 'n4', attempts: 2 })),
      'n3 is being fenced anew by n4, attempt 2',
    );
    assert.equal(
      step(fencing('running'), fencing('failed', { message: 'no route to 10.0.0.3' })),
      'n3 fencing failed by n2 (no route to 10.0.0.3)',
    );
    assert.equal(step(null, fencing('done')), 'n3 fenced by n2');
    assert.equal(
      step(null, fencing('confirmed', { by: null, message: 'pulled the plug' })),
      'n3 confirmed to be off (pulled the plug)',
    );
    assert.equal(step(fencing('done'), null), 'n3 fencing over');
  });

  it('counts the volumes that moved apart from those that have no node now', () => {
    const placement = (node: string | null) => ({
      node,
      since: 1,
      by: 'failover',
      stage: null,
      rule: null,
      unplaced: null,
    });
    assert.equal(
      text(
        change('placements', 'v1', placement('n1'), placement('n2')),
        change('placements', 'v2', placement('n1'), placement(null)),
        change('placements', 'v3', null, placement('n2')),
        change('placements', 'v4', placement('n2'), placement('n2')),
      ),
      '2 volumes moved, 1 unplaced',
    );
  });
});
