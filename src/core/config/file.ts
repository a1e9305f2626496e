/** Reads a document from a file's text: every field checked, every problem told (up to 20), nothing guessed. */
import { CfsError } from '../errors.js';
import { foldCase, parseName, quoteName } from '../model/names.js';
import { parseSetting, requireSetting, SETTINGS } from '../model/settings.js';
import { suggest } from '../model/suggest.js';
import { parseDuration } from '../model/units.js';
import {
  booleanRule,
  descriptionRule,
  MAX_LIST,
  type Rule,
  showValue,
  thresholdRule,
  updateIntervalRule,
  weightRule,
} from '../model/values.js';
import type { DeclaredInput } from './declared.js';
import { type ClusterDocument, SECTIONS, type Section } from './document.js';
import type { NodeInput } from './nodes.js';
import { parseText } from './parse-text.js';
import { MAX_PROBLEMS } from './problems.js';
import type { VolumeInput } from './volumes.js';

/** A value that a field does not take; the sentence says what it would. */
class Refused extends Error {}

type Reader = (value: unknown) => unknown;

/** Field in the file -> field of the input, and how its value is read. */
type Fields = Record<string, { to: string; read: Reader }>;

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
const interval: Reader = (value) => {
  if (typeof value !== 'string') throw new Refused(`${showValue(value)} has no unit; write it like 10s`);
  return byRule(updateIntervalRule)(parseDuration('The update interval', value));
};
const state: Reader = byRule((value) =>
  value === 'online' || value === 'offline' ? null : 'a node begins online or offline',
);

const field = (to: string, read: Reader): { to: string; read: Reader } => ({ to, read });

const DECLARED: Fields = { description: field('description', byRule(descriptionRule)) };
const FIELDS: Record<Section, Fields> = {
  groups: { name: field('name', name('group')), ...DECLARED },
  domains: { name: field('name', name('domain')), ...DECLARED },
  nodes: {
    name: field('name', name('node')),
    weight: field('weight', byRule(weightRule)),
    groups: field('groups', list),
    domains: field('domains', list),
    threshold: field('threshold', byRule(thresholdRule)),
    updateInterval: field('updateIntervalMs', interval),
    state: field('state', state),
  },
  volumes: {
    name: field('name', name('volume')),
    weight: field('weight', byRule(weightRule)),
    group: field('group', textOrNull),
    domains: field('domains', list),
    preferredNode: field('preferredNode', textOrNull),
    currentNode: field('currentNode', textOrNull),
    canGroupMigrate: field('canGroupMigrate', byRule(booleanRule)),
  },
};

/** Collects the problems of one file and throws them as one error. */
class FileProblems {
  private readonly problems: string[] = [];
  constructor(private readonly source: string) {}

  add(path: string, says: string): void {
    this.problems.push(path === '' ? says : `${path}: ${says}`);
    if (this.problems.length >= MAX_PROBLEMS) this.throwIfAny();
  }

  unknownField(path: string, found: string, known: readonly string[]): void {
    const near = suggest(found, known);
    this.add(
      path,
      `there is no field ${quoteName(found)}; ${near === null ? `fields: ${known.join(', ')}` : `did you mean "${near}"?`}`,
    );
  }

  throwIfAny(): void {
    const { problems, source } = this;
    if (problems.length === 0) return;
    const many = problems.length >= MAX_PROBLEMS ? `at least ${MAX_PROBLEMS}` : problems.length;
    const message =
      problems.length === 1
        ? `${source}: ${problems[0]}`
        : `${source} has ${many} problems:\n${problems.map((p) => `  ${p}`).join('\n')}`;
    throw new CfsError('BAD_FILE', message, { hint: 'Nothing was changed.', details: { source, problems } });
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readRecord(
  section: Section,
  item: unknown,
  path: string,
  problems: FileProblems,
): Record<string, unknown> | null {
  const fields = FIELDS[section];
  const declared = section === 'groups' || section === 'domains';
  const source = declared && typeof item === 'string' ? { name: item } : item;
  if (!isObject(source)) {
    problems.add(path, `${showValue(item)} is not ${declared ? 'a name or a record' : 'a record with a name'}`);
    return null;
  }
  const label = typeof source.name === 'string' ? `${path} ${quoteName(source.name)}` : path;
  const record: Record<string, unknown> = {};
  for (const key of Object.keys(source)) {
    const known = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (known === undefined) {
      problems.unknownField(label, key, Object.keys(fields));
      continue;
    }
    try {
      record[known.to] = known.read(source[key]);
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof CfsError)) throw error;
      problems.add(`${label}, ${key}`, error.message);
    }
  }
  if (!Object.hasOwn(source, 'name')) problems.add(path, 'it has no name');
  return record;
}

function readSection(section: Section, value: unknown, problems: FileProblems): unknown[] {
  if (!Array.isArray(value)) {
    problems.add(section, `${showValue(value)} is not a list`);
    return [];
  }
  const first = new Map<string, number>();
  const records: unknown[] = [];
  value.forEach((item, i) => {
    const record = readRecord(section, item, `${section}[${i}]`, problems);
    if (record === null) return;
    records.push(record);
    if (typeof record.name !== 'string') return;
    const key = section === 'groups' || section === 'domains' ? foldCase(record.name) : record.name;
    const other = first.get(key);
    if (other === undefined) first.set(key, i);
    else problems.add(`${section}[${i}]`, `${quoteName(record.name)} is listed already, as ${section}[${other}]`);
  });
  return records;
}

function readSettings(value: unknown, problems: FileProblems): Record<string, string | number> {
  const settings: Record<string, string | number> = {};
  if (!isObject(value)) {
    problems.add('cluster', `${showValue(value)} is not a record of settings`);
    return settings;
  }
  for (const [key, input] of Object.entries(value)) {
    const known = SETTINGS.some((setting) => setting.name === key);
    if (!known) {
      problems.unknownField(
        'cluster',
        key,
        SETTINGS.map((setting) => setting.name),
      );
      continue;
    }
    try {
      const { type } = requireSetting(key);
      if (type === 'duration' && typeof input !== 'string')
        throw new Refused(`${showValue(input)} has no unit; write it like 30s`);
      settings[key] = parseSetting(key, input);
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof CfsError)) throw error;
      problems.add(`cluster, ${key}`, error.message);
    }
  }
  return settings;
}

/**
 * A document from plain data in the form of the file: `{cluster: {name, …settings}, groups, domains, nodes, volumes}`.
 * @throws CfsError BAD_FILE with every problem, up to 20
 */
export function readDocument(data: unknown, source: string): ClusterDocument {
  const problems = new FileProblems(source);
  const document: Record<string, unknown> = {};
  if (isObject(data)) {
    for (const [key, value] of Object.entries(data)) {
      // A section with nothing under it, as in a template that was not filled in.
      if (value === null) continue;
      if (key === 'cluster') document.settings = readSettings(value, problems);
      else if (SECTIONS.includes(key as Section)) document[key] = readSection(key as Section, value, problems);
      else problems.unknownField('', key, ['cluster', ...SECTIONS]);
    }
  } else problems.add('', `a cluster is a record with ${SECTIONS.join(', ')}, not ${showValue(data)}`);
  problems.throwIfAny();
  return document as ClusterDocument;
}

/** Reads a document from the text of a file (YAML or JSON). @throws CfsError BAD_FILE */
export async function parseDocument(content: string | Uint8Array, source: string): Promise<ClusterDocument> {
  return readDocument(await parseText(content, source), source);
}

interface Inputs {
  groups: DeclaredInput[];
  domains: DeclaredInput[];
  nodes: NodeInput[];
  volumes: VolumeInput[];
}

/**
 * Reads bulk input for one table: a bare list, JSON lines, or a record with the section's list.
 * @throws CfsError BAD_FILE with every problem, up to 20
 */
export async function parseRecords<S extends Section>(
  section: S,
  content: string | Uint8Array,
  source: string,
): Promise<Inputs[S]> {
  const data = await parseText(content, source);
  const problems = new FileProblems(source);
  let items: unknown = data;
  if (isObject(data)) {
    if (Object.hasOwn(data, section)) {
      for (const key of Object.keys(data))
        if (key !== section) problems.add('', `only ${section} are read here, not ${quoteName(key)}`);
      items = data[section];
    } else if (Object.hasOwn(data, 'name')) items = [data];
  }
  const records = readSection(section, items, problems);
  problems.throwIfAny();
  return records as Inputs[S];
}
