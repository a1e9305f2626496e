import assert from 'node:assert/strict';
import fc from 'fast-check';
import { SETTINGS } from '../../src/core/model/settings.js';
import type { TableName } from '../../src/core/model/tables.js';
import { validateChange, validateRecord } from '../../src/core/model/validate.js';
import { weightRule } from '../../src/core/model/values.js';
import { refusal } from '../kit/memory.js';

const GOOD: { table: TableName; name: string; record: Record<string, unknown> }[] = [
  { table: 'cluster', name: 'lease.timeout', record: { value: 5000 } },
  { table: 'cluster', name: 'freeze', record: { value: { until: '2030-01-01T00:00:00.000Z', reason: 'move' } } },
  { table: 'groups', name: 'Eng.', record: { description: null } },
  { table: 'domains', name: 'g&a', record: { description: 'general' } },
  {
    table: 'nodes',
    name: 'n1',
    record: { weight: 0.5, updateIntervalMs: 100, threshold: 1, groups: ['Eng.'], domains: ['ALL', 'CA'] },
  },
  { table: 'membership', name: 'n1', record: { state: 'suspect', reason: null } },
  {
    table: 'volumes',
    name: 'v1',
    record: { weight: 2 ** 53 - 1, group: 'Any', domains: [], preferredNode: null, canGroupMigrate: true },
  },
  {
    table: 'placements',
    name: 'v1',
    record: { node: 'n1', since: 1, by: 'given', stage: null, rule: null, unplaced: null },
  },
  { table: 'clients', name: 'c1', record: { refreshNotify: true, autoRespond: false, lockedOut: false } },
  { table: 'logons', name: 'c1', record: { loggedOn: true, lastSeen: '2030-01-01T00:00:00.000Z', reason: null } },
  {
    table: 'access',
    name: 'v1/c1',
    record: { mount: true, lockout: false, autoUpdate: true, autoUpdateIntervalMs: 30_000 },
  },
  { table: 'mounts', name: 'v1/c1', record: { refreshed: 3, lastRefresh: '2030-01-01T00:00:00.000Z' } },
  { table: 'volumeAccess', name: 'v1', record: { enabled: true, softwareLock: false, readOnlyMedia: false } },
  {
    table: 'writers',
    name: 'v1',
    record: { writer: 'c1', since: 4, queue: ['c2'], modified: 0, lastModified: null },
  },
  {
    table: 'requests',
    name: 'v1/c2',
    record: {
      asked: 5,
      askedAt: '2030-01-01T00:00:00.000Z',
      to: 'c1',
      message: 'please',
      limitMs: 600_000,
      response: 'pending',
      responseMessage: null,
      answeredAt: null,
    },
  },
];

const goodOf = (table: TableName) => GOOD.find((good) => good.table === table)!;

describe('validation at commit', () => {
  it('takes a record of every table as it should be', () => {
    for (const { table, name, record } of GOOD) validateRecord(table, name, record);
  });

  it('names table, record and field of what is missing, unknown or of the wrong type', () => {
    for (const { table, name, record } of GOOD) {
      const at = new RegExp(`^Table ${table}, record "${name.replace('.', '\\.')}"`);
      for (const field of Object.keys(record)) {
        const { [field]: _, ...rest } = record;
        const missing = refusal(() => validateRecord(table, name, rest), 'BAD_VALUE', at);
        assert.match(missing.message, new RegExp(`field ${field}`));
        const wrong = refusal(() => validateRecord(table, name, { ...record, [field]: Symbol('x') }), 'BAD_VALUE', at);
        assert.equal(wrong.details?.field, field);
      }
      const unknown = refusal(() => validateRecord(table, name, { ...record, extra: 1 }), 'BAD_VALUE', at);
      assert.match(unknown.message, /field extra: there is no such field/);
      for (const value of [null, undefined, 5, 'text', [], [record]]) {
        refusal(() => validateRecord(table, name, value), 'BAD_VALUE', at);
      }
    }
  });

  it('refuses names that are not names, and settings that do not exist', () => {
    const { record } = GOOD[2]!;
    for (const name of ['', '..', 'a/b', 'none', 'a\u0000b', 'e\u0301', 'x'.repeat(81)]) {
      refusal(() => validateRecord('groups', name, record), 'BAD_VALUE', /^Table groups, record/);
    }
    refusal(() => validateRecord('cluster', 'lease.tmeout', { value: 1 }), 'BAD_VALUE', /there is no such setting/);
    refusal(() => validateRecord('frogs' as TableName, 'x', {}), 'TABLE_NOT_FOUND', /no table "frogs"/);
  });

  it('refuses a placed volume with a reason for being unplaced', () => {
    const record = { ...goodOf('placements').record, unplaced: 'group-locked' };
    refusal(() => validateRecord('placements', 'v1', record), 'BAD_VALUE', /has no reason for being unplaced/);
  });

  it('takes records of a volume and a client under the names of both', () => {
    for (const table of ['access', 'mounts', 'requests'] as const) {
      const { record } = goodOf(table);
      for (const name of ['v1', 'v1/', '/c1', 'v1/c1/x', 'v1/none', 'v1/e\u0301']) {
        refusal(() => validateRecord(table, name, record), 'BAD_VALUE', new RegExp(`^Table ${table}, record`));
      }
    }
    refusal(() => validateRecord('writers', 'v1/c1', goodOf('writers').record), 'BAD_VALUE', /^Table writers/);
  });

  it('refuses a writer that cannot be, and an answer without its time', () => {
    const wrong = (table: TableName, fields: object, says: RegExp) =>
      refusal(
        () => validateRecord(table, goodOf(table).name, { ...goodOf(table).record, ...fields }),
        'BAD_VALUE',
        says,
      );
    wrong('writers', { writer: null }, /nobody waits where there is no writer/);
    wrong('writers', { writer: null, queue: [], yields: { to: null, force: false, message: null } }, /none yields/);
    wrong('writers', { queue: ['c1'] }, /a writer waits for itself only while it yields/);
    wrong('writers', { queue: ['c2', 'c2'] }, /it is a list of different clients/);
    wrong('writers', { since: 0 }, /it is the number of a generation/);
    wrong('requests', { response: 'granted' }, /it has the time of its answer when it has an answer/);
    wrong('requests', { response: 'maybe' }, /a response is one of pending, granted/);
  });

  it('lets every removal through', () => {
    validateChange({ table: 'nodes', name: 'n1', before: null, after: null });
  });

  it('takes the default of every setting', () => {
    for (const setting of SETTINGS) validateRecord('cluster', setting.name, { value: setting.default });
  });
});

describe('a weight', () => {
  it('is a decimal from 0 to 2^53 - 1', () => {
    for (const weight of [0, 1, 0.1, 0.000001, 123456.789, 2 ** 53 - 1, 999999999999999])
      assert.equal(weightRule(weight), null);
  });

  it('is not negative, not NaN, not infinite, not text, not beyond 2^53 - 1 and has at most 15 digits', () => {
    const bad = [
      -1,
      -0.5,
      Number.NaN,
      Infinity,
      -Infinity,
      '1',
      null,
      true,
      2 ** 53,
      1e300,
      0.1 + 0.2,
      1 / 3,
      1e-16,
      5e-324,
    ];
    for (const weight of bad) assert.notEqual(weightRule(weight), null, String(weight));
  });

  it('with at most 15 digits stands for one decimal text', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 15 - 1 }), fc.integer({ min: 0, max: 15 }), (digits, places) => {
        const text = `${digits}`.padStart(places + 1, '0');
        const decimal = places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
        assert.equal(weightRule(Number(decimal)), null, decimal);
      }),
    );
  });
});
