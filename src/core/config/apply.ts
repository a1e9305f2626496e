/**
 * Applying a document: what it lists is made so; what it does not list stays, unless pruned. One generation; applying it again
 * changes nothing. Only what is wished is changed: states, placements and epochs of existing records stay as they are.
 */
import { addClient, type ClientInput, clientRecord, requireAccessFormat } from '../access/clients.js';
import { followRights, requireNoWriter } from '../access/follow.js';
import { ACCESS_DEFAULTS } from '../access/look.js';
import { pairName } from '../access/pair.js';
import { CfsError } from '../errors.js';
import { type DeclaredNames, isAllDomains, isAnyGroup } from '../model/declared.js';
import { requireClient, requireVolume } from '../model/find.js';
import { parseName, quoteName } from '../model/names.js';
import { checkCrossRules, parseSetting } from '../model/settings.js';
import type { TableName, Tables } from '../model/tables.js';
import { checkValue, descriptionRule } from '../model/values.js';
import type { Operation } from '../operation.js';
import { sameValue } from '../store/draft.js';
import type { Draft } from '../store/store.js';
import { type AccessInput, accessRecord, putVolumeAccess } from './access.js';
import { type DeclaredInput, declareName } from './declared.js';
import { type ClusterDocument, documentCounts } from './document.js';
import { addNode, declaredNamesOf, type NodeInput, type NodeNames, nodeRecord } from './nodes.js';
import { Problems } from './problems.js';
import { type Kept, prune } from './prune.js';
import { createVolume, type VolumeInput, volumeRecord } from './volumes.js';

export interface ApplyRequest {
  document: ClusterDocument;
  /** Remove records that the document's sections do not list. A section that is absent is left alone. */
  prune?: boolean;
  /** Where the document came from, for history. */
  source?: string;
}

export type Counts = Partial<Record<TableName, number>>;

export interface ApplyResult {
  added: Counts;
  changed: Counts;
  removed: Counts;
  /** Groups and domains that the document does not list and that stay because they are in use. */
  kept: Kept[];
}

/** Names that the document lists, per section, as they stand in the tables. */
export interface Listed {
  settings: Set<string>;
  groups: Set<string>;
  domains: Set<string>;
  nodes: Set<string>;
  volumes: Set<string>;
  clients: Set<string>;
  /** VOLUME/CLIENT. */
  access: Set<string>;
}

class Applying {
  readonly result: ApplyResult = { added: {}, changed: {}, removed: {}, kept: [] };
  readonly listed: Listed = {
    settings: new Set(),
    groups: new Set(),
    domains: new Set(),
    nodes: new Set(),
    volumes: new Set(),
    clients: new Set(),
    access: new Set(),
  };
  /** Rights that are others now: what hangs on them follows at the end. */
  readonly rights = { pairs: new Set<string>(), volumes: new Set<string>() };
  readonly names: NodeNames;

  constructor(readonly draft: Draft) {
    this.names = declaredNamesOf(draft);
  }

  /** Puts a record of an existing name, if it differs. */
  private update<N extends TableName>(table: N, name: string, before: Tables[N] | undefined, record: Tables[N]): void {
    if (before !== undefined && sameValue(before, record)) return;
    this.draft.put(table, name, record);
    this.count(before === undefined ? 'added' : 'changed', table);
  }

  private count(how: 'added' | 'changed', table: TableName): void {
    this.result[how][table] = (this.result[how][table] ?? 0) + 1;
  }

  private list(section: keyof Listed, kind: string, name: string): void {
    if (this.listed[section].has(name)) {
      throw new CfsError('BAD_VALUE', `The document lists the ${kind} ${quoteName(name)} twice`, {
        details: { [kind]: name },
      });
    }
    this.listed[section].add(name);
  }

  setting(name: string, input: string | number): void {
    const value = parseSetting(name, input);
    this.list('settings', 'setting', name);
    this.update('cluster', name, this.draft.table('cluster').get(name), { value });
  }

  declared(names: DeclaredNames, kind: 'group' | 'domain', input: DeclaredInput): void {
    const existing = names.find(parseName(kind, input.name));
    if (existing === null) {
      this.list(names.table, kind, declareName(this.draft, names, input));
      this.count('added', names.table);
      return;
    }
    this.list(names.table, kind, existing);
    if (input.description === undefined) return;
    const description = checkValue(`${kind} ${quoteName(existing)}`, 'description', input.description, descriptionRule);
    this.update(names.table, existing, this.draft.table(names.table).get(existing), { description });
  }

  /** A document declares the groups and domains that it uses. */
  private declareUsed(names: DeclaredNames, used: readonly string[] | undefined): void {
    if (!Array.isArray(used)) return;
    for (const reference of used) {
      if (names.table === 'domains' && isAllDomains(reference)) continue;
      if (typeof reference === 'string' && names.find(reference) !== null) continue;
      declareName(this.draft, names, { name: reference });
      this.count('added', names.table);
    }
  }

  node(input: NodeInput): void {
    const name = parseName('node', input.name);
    this.list('nodes', 'node', name);
    this.declareUsed(this.names.groups, input.groups);
    this.declareUsed(this.names.domains, input.domains);
    const before = this.draft.table('nodes').get(name);
    if (before === undefined) {
      addNode(this.draft, this.names, input);
      this.count('added', 'nodes');
    } else this.update('nodes', name, before, nodeRecord(this.names, `node ${quoteName(name)}`, input, before));
  }

  volume(input: VolumeInput): void {
    const name = parseName('volume', input.name);
    this.list('volumes', 'volume', name);
    if (input.group !== undefined && input.group !== null && !isAnyGroup(input.group)) {
      this.declareUsed(this.names.groups, [input.group]);
    }
    this.declareUsed(this.names.domains, input.domains);
    const before = this.draft.table('volumes').get(name);
    if (before === undefined) {
      createVolume(this.draft, this.names, input);
      this.count('added', 'volumes');
    } else {
      const of = `volume ${quoteName(name)}`;
      this.update('volumes', name, before, volumeRecord(this.draft, this.names, of, input, before));
      this.volumeAccess(name, input);
    }
  }

  private volumeAccess(name: string, input: VolumeInput): void {
    const changed = putVolumeAccess(this.draft, name, input);
    if (changed === null) return;
    const { before, after } = changed;
    if (after.readOnlyMedia && before?.readOnlyMedia !== true) requireNoWriter(this.draft, name);
    this.count(before === undefined ? 'added' : 'changed', 'volumeAccess');
    this.rights.volumes.add(name);
  }

  client(input: ClientInput): void {
    const name = parseName('client', input.name);
    this.list('clients', 'client', name);
    const before = this.draft.table('clients').get(name);
    if (before === undefined) {
      addClient(this.draft, input);
      this.count('added', 'clients');
    } else this.update('clients', name, before, clientRecord(`client ${quoteName(name)}`, input, before));
  }

  access(input: AccessInput): void {
    const name = pairName(requireVolume(this.draft, input.volume), requireClient(this.draft, input.client));
    this.list('access', 'access', name);
    const before = this.draft.table('access').get(name);
    const record = accessRecord(input, before, ACCESS_DEFAULTS);
    this.update('access', name, before, record);
    if (before === undefined || !sameValue(before, record)) this.rights.pairs.add(name);
  }
}

/** Makes the draft as the document says. @throws CfsError with every problem found, up to 20 */
export function applyDocument(
  draft: Draft,
  document: ClusterDocument,
  { prune: pruning, nowMs }: { prune: boolean; nowMs: number },
): ApplyResult {
  const applying = new Applying(draft);
  const problems = new Problems();
  for (const [name, value] of Object.entries(document.settings ?? {})) {
    problems.attempt(() => applying.setting(name, value));
  }
  for (const input of document.groups ?? []) {
    problems.attempt(() => applying.declared(applying.names.groups, 'group', input));
  }
  for (const input of document.domains ?? []) {
    problems.attempt(() => applying.declared(applying.names.domains, 'domain', input));
  }
  for (const input of document.nodes ?? []) {
    problems.attempt(() => applying.node(input), `node ${quoteName(String(input.name))}`);
  }
  for (const input of document.volumes ?? []) {
    problems.attempt(() => applying.volume(input), `volume ${quoteName(String(input.name))}`);
  }
  const { clients = [], access = [] } = document;
  if (clients.length > 0 || access.length > 0) requireAccessFormat(draft);
  for (const input of clients) {
    problems.attempt(() => applying.client(input), `client ${quoteName(String(input.name))}`);
  }
  for (const input of access) {
    const of = `access of client ${quoteName(String(input.client))} to volume ${quoteName(String(input.volume))}`;
    problems.attempt(() => applying.access(input), of);
  }
  problems.throwIfAny();
  if (pruning) prune(draft, document, applying.listed, applying);
  followRights(draft, applying.rights, nowMs);
  checkCrossRules(draft);
  return applying.result;
}

/** Applies a document as one generation. */
export const apply: Operation<ApplyRequest, ApplyResult> = {
  name: 'apply',
  run: (draft, { document, prune = false }, { nowMs }) => applyDocument(draft, document, { prune, nowMs }),
  recorded: ({ document, ...flags }) => ({ ...flags, document: documentCounts(document) }),
};
