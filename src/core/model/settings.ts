/**
 * The settings of a cluster: every policy and time limit, with its range and its default. A setting that was not set has
 * its default and no record. `freeze` stands in the same table and has commands of its own.
 */
import { CfsError } from '../errors.js';
import type { Snapshot, TableView } from '../store/store.js';
import { parseName, quoteName } from './names.js';
import { didYouMean } from './suggest.js';
import type { FreezeValue, SettingRecord } from './tables.js';
import { formatDuration, parseDuration } from './units.js';
import { numberFromText, showValue } from './values.js';

interface SettingBase {
  readonly name: string;
  /** One line for `cfs cluster show` and the manual. */
  readonly description: string;
}

export type Setting = SettingBase &
  (
    | { readonly type: 'duration'; readonly default: number; readonly min: number; readonly max: number }
    | { readonly type: 'integer' | 'number'; readonly default: number; readonly min: number; readonly max: number }
    | { readonly type: 'enum'; readonly default: string; readonly values: readonly string[] }
    | { readonly type: 'name'; readonly default: string }
  );

const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** Every setting, in the order they are shown. Durations are in ms. */
export const SETTINGS = [
  { name: 'name', type: 'name', default: 'cluster', description: 'Name of the cluster' },
  {
    name: 'history.keep',
    type: 'integer',
    default: 10_000,
    // spec/commit-protocol.md section 7, G2: fewer would let collection overtake a slow reader.
    min: 100,
    max: 10_000_000,
    description: 'Generations that history keeps at least',
  },
  {
    name: 'history.keepFor',
    type: 'duration',
    default: 30 * DAY,
    min: 0,
    max: 3650 * DAY,
    description: 'How long history keeps every generation at least',
  },
  {
    name: 'lock.timeout',
    type: 'duration',
    default: 30 * SECOND,
    min: 0,
    max: 3600 * SECOND,
    description: 'How long a change waits for the lock',
  },
  {
    name: 'lock.stale',
    type: 'duration',
    default: 10 * SECOND,
    // The floor of proper-lockfile.
    min: 2 * SECOND,
    max: 600 * SECOND,
    description: 'A lock not renewed for so long is broken',
  },
  {
    name: 'lease.interval',
    type: 'duration',
    default: 2 * SECOND,
    min: 100,
    max: 60 * SECOND,
    description: 'How often an agent renews its lease',
  },
  {
    name: 'lease.timeout',
    type: 'duration',
    default: 10 * SECOND,
    min: 300,
    max: 600 * SECOND,
    description: 'A lease not renewed for so long makes its node suspect',
  },
  {
    name: 'apply.timeout',
    type: 'duration',
    default: 60 * SECOND,
    min: 1 * SECOND,
    max: 3600 * SECOND,
    description: 'A node whose agent has not released what moved away after so long is failed',
  },
  {
    name: 'join.settle',
    type: 'duration',
    default: 2 * SECOND,
    min: 0,
    max: 60 * SECOND,
    description: 'Nodes that come up are taken in when no other has come for so long (at most ten times as long)',
  },
  {
    name: 'join.placement',
    type: 'enum',
    default: 'rebalance',
    values: ['rebalance', 'failback', 'none'],
    description: 'What is placed when nodes join: everything anew, what prefers them, or only what has no node',
  },
  {
    name: 'failback.mode',
    type: 'enum',
    default: 'automatic',
    values: ['automatic', 'manual'],
    description: 'Whether volumes return by themselves to a node that was failed',
  },
  {
    name: 'failback.hold',
    type: 'duration',
    default: 300 * SECOND,
    min: 0,
    max: 7 * DAY,
    description: 'How long a node that was failed must stay up before volumes return to it',
  },
  {
    name: 'fencing.policy',
    type: 'enum',
    default: 'optional',
    values: ['optional', 'required'],
    description: 'Whether a takeover waits until the failed node was fenced, or its end was confirmed by a person',
  },
  {
    name: 'access.requestTimeout',
    type: 'duration',
    default: 600 * SECOND,
    min: 1 * SECOND,
    max: 30 * DAY,
    description: 'A write request that nobody has answered for so long expires',
  },
  {
    name: 'placement.strategy',
    type: 'enum',
    default: 'staged',
    values: ['staged'],
    description: 'Strategy of cfs rebalance',
  },
] as const satisfies readonly Setting[];

export type SettingName = (typeof SETTINGS)[number]['name'];
/** Settings whose value is text. */
export type TextSettingName = Extract<(typeof SETTINGS)[number], { type: 'name' | 'enum' }>['name'];

const BY_NAME: ReadonlyMap<string, Setting> = new Map(SETTINGS.map((setting) => [setting.name, setting]));

/** Rules between settings, each with its sentence. Checked on the values that would hold after the change. */
const CROSS_RULES: readonly { holds: (of: (name: SettingName) => number) => boolean; says: string }[] = [
  {
    // Two lost renewals must not make a node suspect.
    holds: (of) => of('lease.timeout') > 2 * of('lease.interval'),
    says: 'lease.timeout must be more than twice lease.interval',
  },
];

/** @throws CfsError SETTING_NOT_FOUND with the nearest name */
export function requireSetting(input: string): Setting {
  const setting = BY_NAME.get(input);
  if (setting !== undefined) return setting;
  throw new CfsError('SETTING_NOT_FOUND', `There is no setting ${quoteName(String(input))}`, {
    hint:
      input === 'freeze'
        ? 'See cfs cluster freeze and cfs cluster unfreeze.'
        : didYouMean(String(input), BY_NAME.keys(), 'See cfs cluster show for all settings.'),
  });
}

function allowedOf(setting: Setting): string {
  if (setting.type === 'enum') return `it is one of ${setting.values.join(', ')}`;
  if (setting.type === 'name') return 'it is a name';
  const show = setting.type === 'duration' ? formatDuration : String;
  const kind = { duration: 'a duration', integer: 'a whole number', number: 'a number' }[setting.type];
  return `it is ${kind} from ${show(setting.min)} to ${show(setting.max)}`;
}

function isFreezeValue(value: unknown): value is FreezeValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const { until, reason, ...rest } = value as Record<string, unknown>;
  const time =
    until === null || (typeof until === 'string' && /^\d{4}-.*Z$/.test(until) && !Number.isNaN(Date.parse(until)));
  return time && (reason === null || typeof reason === 'string') && Object.keys(rest).length === 0;
}

/** What the registry allows as the stored value of a setting: null, or the sentence that says what would be. */
export function settingRule(name: string, value: unknown): string | null {
  if (name === 'freeze') return isFreezeValue(value) ? null : 'it says until when (RFC 3339, UTC) and why';
  const setting = BY_NAME.get(name);
  if (setting === undefined) return 'there is no such setting';
  if (setting.type === 'enum') return setting.values.includes(value as string) ? null : allowedOf(setting);
  if (setting.type === 'name') {
    try {
      return parseName('cluster', value as string) === value ? null : allowedOf(setting);
    } catch (error) {
      return (error as Error).message;
    }
  }
  const number = typeof value === 'number' && Number.isFinite(value) && value >= setting.min && value <= setting.max;
  return number && (setting.type === 'number' || Number.isInteger(value)) ? null : allowedOf(setting);
}

/**
 * The stored value of a setting from what somebody wrote: text (`30s`, `100`) or a value of a file (durations as text, or ms).
 * @throws CfsError SETTING_NOT_FOUND, BAD_VALUE
 */
export function parseSetting(name: string, input: unknown): string | number {
  const setting = requireSetting(name);
  let value = input;
  if (typeof input === 'string') {
    if (setting.type === 'duration') value = parseDuration(name, input);
    else if (setting.type === 'integer' || setting.type === 'number') value = numberFromText(input);
    else if (setting.type === 'name') value = parseName('cluster', input);
  }
  const allowed = settingRule(name, value);
  if (allowed === null) return value as string | number;
  throw new CfsError('BAD_VALUE', `The setting ${name} cannot be ${showValue(input)}: ${allowed}`, {
    details: { setting: name },
  });
}

/** A setting's value as one would type it. */
export function formatSetting(name: string, value: string | number): string {
  return BY_NAME.get(name)?.type === 'duration' ? formatDuration(value as number) : String(value);
}

/** The value that holds: the one set, else the default. Durations in ms. */
export function settingOf(snapshot: Snapshot, name: TextSettingName): string;
export function settingOf(snapshot: Snapshot, name: Exclude<SettingName, TextSettingName>): number;
export function settingOf(snapshot: Snapshot, name: SettingName): string | number {
  const record = (snapshot.table('cluster') as TableView<SettingRecord>).get(name);
  return (record?.value ?? BY_NAME.get(name)!.default) as string | number;
}

/** @throws CfsError BAD_VALUE when settings do not fit together */
export function checkCrossRules(snapshot: Snapshot): void {
  for (const rule of CROSS_RULES) {
    if (!rule.holds((name) => settingOf(snapshot, name as 'lock.stale'))) {
      throw new CfsError('BAD_VALUE', `These settings do not fit together: ${rule.says}`, {
        hint: 'Set both at once: cfs cluster set lease.interval=1s lease.timeout=5s',
      });
    }
  }
}
