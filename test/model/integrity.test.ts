/** Snapshots that somebody's hands have broken, for access control: each is found, and named. */
import assert from 'node:assert/strict';
import { integrityProblems } from '../../src/core/model/integrity.js';
import { type AnyRecord, TABLE_NAMES, type TableName } from '../../src/core/model/tables.js';
import { memorySnapshot } from '../../src/core/store/draft.js';
import { clientCluster } from '../kit/clusters.js';

/** Fields that replace those of a record; null: the record is gone. */
type Break = [table: TableName, name: string, fields: object | null];

const whole = clientCluster().snapshot();

/** What is found in the cluster with clients after the records were broken: `table name: sentence`. */
function found(...breaks: Break[]): string[] {
  const tables = Object.fromEntries(
    TABLE_NAMES.map((table) => [table, new Map<string, AnyRecord>(whole.table(table).entries())]),
  );
  for (const [table, name, fields] of breaks) {
    const records = tables[table]!;
    if (fields === null) assert.ok(records.delete(name), `${table} ${name} was there`);
    else records.set(name, { ...records.get(name), ...fields } as AnyRecord);
  }
  const broken = memorySnapshot(tables as never, whole.generation);
  return integrityProblems(broken, 50).map(({ table, name, says }) => `${table} ${name}: ${says}`);
}

const MOUNT = { refreshed: 1, lastRefresh: '2030-01-01T00:00:00.000Z' };
const LOGON = { loggedOn: true, lastSeen: '2030-01-01T00:00:00.000Z', reason: null };
const later = whole.generation + 1;

describe('integrity of access control', () => {
  it('finds nothing wrong with what operations leave', () => {
    assert.deepEqual(found(), []);
    assert.deepEqual(found(['writers', 'v1', { yields: { to: 'c2', force: false, message: null } }]), []);
    assert.deepEqual(found(['mounts', 'v1/c1', null]), [], 'a writer may have unmounted and not yet given up');
  });

  it('finds records of volumes and clients that are not there', () => {
    assert.deepEqual(found(['volumes', 'v5', null]), [
      'access v5/c3: there is no volume "v5"',
      'volumeAccess v5: there is no such volume',
    ]);
    assert.deepEqual(found(['clients', 'c3', null]), [
      'access v2/c3: there is no client "c3"',
      'access v5/c3: there is no client "c3"',
    ]);
    assert.deepEqual(found(['logons', 'c9', LOGON]), ['logons c9: there is no such client']);
    const record = whole.table('writers').get('v1')!;
    assert.deepEqual(found(['writers', 'v9', { ...record, queue: [] }]), ['writers v9: there is no such volume']);
    assert.deepEqual(found(['writers', 'v1', { writer: 'c9' }]), [
      'writers v1: there is no client "c9", which writes it',
    ]);
    assert.deepEqual(found(['requests', 'v9/c9', { ...whole.table('requests').get('v1/c2'), response: 'denied' }]), [
      'requests v9/c9: there is no volume "v9"',
      'requests v9/c9: there is no client "c9"',
    ]);
  });

  it('finds mounts of clients that are not logged on, or may not mount', () => {
    assert.deepEqual(found(['mounts', 'v2/c3', MOUNT]), ['mounts v2/c3: the client is not logged on']);
    assert.deepEqual(found(['mounts', 'v3/c1', MOUNT]), ['mounts v3/c1: the client may not mount the volume']);
    assert.deepEqual(found(['access', 'v2/c1', { mount: false }]), [
      'mounts v2/c1: the client may not mount the volume',
    ]);
  });

  it('finds a queue that is not the pending requests in the order of asking', () => {
    assert.deepEqual(found(['writers', 'v1', { queue: [] }]), [
      'requests v1/c2: it is pending, and not in the queue of its volume',
    ]);
    assert.deepEqual(found(['writers', 'v1', null]), [
      'requests v1/c2: it is pending, and not in the queue of its volume',
    ]);
    assert.deepEqual(found(['requests', 'v1/c2', { response: 'granted' }]), [
      'writers v1: client "c2" waits without a pending request',
    ]);
    assert.deepEqual(found(['writers', 'v1', { queue: ['c2', 'c9'] }]), [
      'writers v1: there is no client "c9", which waits',
      'writers v1: client "c9" waits without a pending request',
    ]);
    const request = whole.table('requests').get('v1/c2')!;
    const early: Break = ['requests', 'v1/c3', { ...request, asked: request.asked - 1 }];
    assert.deepEqual(found(early, ['writers', 'v1', { queue: ['c3', 'c2'] }]), []);
    assert.deepEqual(found(early, ['writers', 'v1', { queue: ['c2', 'c3'] }]), [
      'writers v1: client "c3" asked before one that it waits behind',
    ]);
    assert.deepEqual(found(['writers', 'v1', { yields: { to: 'c3', force: false, message: null } }]), [
      'writers v1: it is to pass on to "c3", which is not the first that waits',
    ]);
  });

  it('finds generations that are in the future', () => {
    assert.deepEqual(found(['mounts', 'v2/c1', { refreshed: later }]), [
      `mounts v2/c1: its refreshed ${later} is in the future`,
    ]);
    assert.deepEqual(found(['requests', 'v1/c2', { asked: later }]), [
      `requests v1/c2: its asked ${later} is in the future`,
    ]);
    assert.deepEqual(found(['writers', 'v1', { since: later, modified: later }]), [
      `writers v1: its since ${later} is in the future`,
      `writers v1: its modified ${later} is in the future`,
    ]);
  });
});
