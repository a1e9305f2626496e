/** What a file may say: the sections of a document, their fields, and how each value is read. */
import { parseName } from '../model/names.js';
import { parseDuration } from '../model/units.js';
import {
  booleanRule,
  descriptionRule,
  intervalRule,
  MAX_LIST,
  type Rule,
  showValue,
  thresholdRule,
  updateIntervalRule,
  weightRule,
} from '../model/values.js';
import type { Section } from './document.js';

/** A value that a field does not take; the sentence says what it would. */
export class Refused extends Error {}

export type Reader = (value: unknown) => unknown;

/** Field in the file -> field of the input, and how its value is read. */
export type Fields = Record<string, { to: string; read: Reader }>;

const byRule =
  (rule: Rule): Reader =>
  (value) => {
    const allowed = rule(value);
    if (allowed !== null) throw new Refused(`${showValue(value)} is not allowed: ${allowed}`);
    return value;
  };

const text: Reader = (value) => {
  if (typeof value === 'string') return value;
  // YAML reads 007 and 1e3 as numbers: the name that was meant is lost by then.
  throw new Refused(`${showValue(value)} is not text; a name that looks like a number or a word of YAML needs quotes`);
};
const textOrNull: Reader = (value) => (value === null ? null : text(value));
const list: Reader = (value) => {
  if (!Array.isArray(value)) throw new Refused(`${showValue(value)} is not a list`);
  if (value.length > MAX_LIST) throw new Refused(`the list is longer than ${MAX_LIST}`);
  return value.map(text);
};
const name =
  (kind: string): Reader =>
  (value) =>
    parseName(kind, text(value) as string);
const duration =
  (what: string, rule: Rule): Reader =>
  (value) => {
    if (typeof value !== 'string') throw new Refused(`${showValue(value)} has no unit; write it like 10s`);
    return byRule(rule)(parseDuration(what, value));
  };
const state: Reader = byRule((value) =>
  value === 'online' || value === 'offline' ? null : 'a node begins online or offline',
);

const field = (to: string, read: Reader): { to: string; read: Reader } => ({ to, read });

const flag = (to: string): { to: string; read: Reader } => field(to, byRule(booleanRule));

const DECLARED: Fields = { description: field('description', byRule(descriptionRule)) };
export const FIELDS: Record<Section, Fields> = {
  groups: { name: field('name', name('group')), ...DECLARED },
  domains: { name: field('name', name('domain')), ...DECLARED },
  nodes: {
    name: field('name', name('node')),
    weight: field('weight', byRule(weightRule)),
    groups: field('groups', list),
    domains: field('domains', list),
    threshold: field('threshold', byRule(thresholdRule)),
    updateInterval: field('updateIntervalMs', duration('The update interval', updateIntervalRule)),
    state: field('state', state),
  },
  volumes: {
    name: field('name', name('volume')),
    weight: field('weight', byRule(weightRule)),
    group: field('group', textOrNull),
    domains: field('domains', list),
    preferredNode: field('preferredNode', textOrNull),
    currentNode: field('currentNode', textOrNull),
    canGroupMigrate: flag('canGroupMigrate'),
    enabled: flag('enabled'),
    softwareLock: flag('softwareLock'),
    readOnlyMedia: flag('readOnlyMedia'),
  },
  clients: {
    name: field('name', name('client')),
    refreshNotify: flag('refreshNotify'),
    autoRespond: flag('autoRespond'),
    lockedOut: flag('lockedOut'),
  },
  access: {
    volume: field('volume', name('volume')),
    client: field('client', name('client')),
    mount: flag('mount'),
    lockout: flag('lockout'),
    autoUpdate: flag('autoUpdate'),
    autoUpdateInterval: field('autoUpdateIntervalMs', duration('The interval of updates', intervalRule)),
  },
};

/** Fields that say which record it is; all are needed. */
export const KEYS: Record<Section, readonly string[]> = {
  groups: ['name'],
  domains: ['name'],
  nodes: ['name'],
  volumes: ['name'],
  clients: ['name'],
  access: ['volume', 'client'],
};
