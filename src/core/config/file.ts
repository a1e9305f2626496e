/** Reads a document from a file's text: every field checked, every problem told (up to 20), nothing guessed. */

import type { ClientInput } from '../access/clients.js';
import { CfsError } from '../errors.js';
import { foldCase, quoteName } from '../model/names.js';
import { parseSetting, requireSetting, SETTINGS } from '../model/settings.js';
import { suggest } from '../model/suggest.js';
import { showValue } from '../model/values.js';
import type { AccessInput } from './access.js';
import type { DeclaredInput } from './declared.js';
import { type ClusterDocument, SECTIONS, type Section } from './document.js';
import { FIELDS, KEYS, Refused } from './file-fields.js';
import type { NodeInput } from './nodes.js';
import { parseText } from './parse-text.js';
import { MAX_PROBLEMS } from './problems.js';
import type { VolumeInput } from './volumes.js';

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

/** The name of a record, or what stands for it (`v1/c1`); null where it is not whole. */
function keyOf(section: Section, record: Record<string, unknown>): string | null {
  const parts = KEYS[section].map((key) => record[key]);
  return parts.every((part) => typeof part === 'string') ? parts.join('/') : null;
}

function readRecord(
  section: Section,
  item: unknown,
  path: string,
  problems: FileProblems,
): Record<string, unknown> | null {
  const fields = FIELDS[section];
  const keys = KEYS[section];
  const declared = section === 'groups' || section === 'domains';
  const source = declared && typeof item === 'string' ? { name: item } : item;
  if (!isObject(source)) {
    const wanted = declared ? 'a name or a record' : `a record with a ${keys.join(' and a ')}`;
    problems.add(path, `${showValue(item)} is not ${wanted}`);
    return null;
  }
  const known = keyOf(section, source);
  const label = known === null ? path : `${path} ${quoteName(known)}`;
  const record: Record<string, unknown> = {};
  for (const key of Object.keys(source)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field === undefined) {
      problems.unknownField(label, key, Object.keys(fields));
      continue;
    }
    try {
      record[field.to] = field.read(source[key]);
    } catch (error) {
      if (!(error instanceof Refused) && !(error instanceof CfsError)) throw error;
      problems.add(`${label}, ${key}`, error.message);
    }
  }
  for (const key of keys) if (!Object.hasOwn(source, key)) problems.add(path, `it has no ${key}`);
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
    const name = keyOf(section, record);
    if (name === null) return;
    const key = section === 'groups' || section === 'domains' ? foldCase(name) : name;
    const other = first.get(key);
    if (other === undefined) first.set(key, i);
    else problems.add(`${section}[${i}]`, `${quoteName(name)} is listed already, as ${section}[${other}]`);
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
 * A document from plain data in the form of the file: `{cluster: {name, …settings}, groups, domains, nodes, volumes, clients,
 * access}`.
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
  clients: ClientInput[];
  access: AccessInput[];
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
    } else if (KEYS[section].every((key) => Object.hasOwn(data, key))) items = [data];
  }
  const records = readSection(section, items, problems);
  problems.throwIfAny();
  return records as Inputs[S];
}
