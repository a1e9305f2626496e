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
];

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
    const record = { ...GOOD.at(-1)!.record, unplaced: 'group-locked' };
    refusal(() => validateRecord('placements', 'v1', record), 'BAD_VALUE', /has no reason for being unplaced/);
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
