/** Removing what a document does not list: configuration only, and nothing that is at work. */
import { removeClients, requireIdle } from '../access/clients.js';
import { CfsError } from '../errors.js';
import { removeMembership } from '../membership/records.js';
import { isActive, stateOf } from '../membership/states.js';
import { countOf, someNames } from '../model/find.js';
import { quoteName } from '../model/names.js';
import type { TableName } from '../model/tables.js';
import type { Draft } from '../store/store.js';
import type { ApplyResult, Listed } from './apply.js';
import type { ClusterDocument } from './document.js';
import { Problems } from './problems.js';
import { declaredInUse, volumesByNode } from './references.js';
import { removeVolumes } from './volumes.js';

export interface Kept {
  table: 'groups' | 'domains';
  name: string;
}

/** @throws CfsError NODE_IN_USE while the node administers volumes, is preferred, or is active */
function removeUnlistedNode(draft: Draft, name: string, held: readonly string[], preferring: readonly string[]): void {
  const refuse = (why: string, hint: string): never => {
    throw new CfsError('NODE_IN_USE', `Node ${quoteName(name)}, which the document does not list, ${why}`, {
      hint,
      details: { node: name },
    });
  };
  if (held.length > 0) {
    refuse(
      `administers ${countOf(held.length, 'volume')}: ${someNames(held)}`,
      `Move them away first: cfs node standby ${name}`,
    );
  }
  if (preferring.length > 0) {
    refuse(
      `is preferred by ${countOf(preferring.length, 'volume')}: ${someNames(preferring)}`,
      'Let them prefer another node, or none.',
    );
  }
  const state = stateOf(draft, name);
  if (isActive(state) || state === 'joining') refuse(`is ${state}`, `Take it out first: cfs node offline ${name}`);
  draft.remove('nodes', name);
  removeMembership(draft, name);
}

/**
 * Removes what the sections of the document do not list; the counts go into `result`, rights that go into `rights`.
 * @throws CfsError NODE_IN_USE, VOLUME_IN_USE, CLIENT_IN_USE
 */
export function prune(
  draft: Draft,
  document: ClusterDocument,
  listed: Listed,
  { result, rights }: { result: ApplyResult; rights: { pairs: Set<string> } },
): void {
  const unlisted = (table: TableName, section: keyof Listed): string[] =>
    [...draft.table(table).names()].filter((name) => !listed[section].has(name));
  const removed = (table: TableName, count = 1): void => {
    if (count > 0) result.removed[table] = (result.removed[table] ?? 0) + count;
  };

  if (document.access !== undefined) {
    for (const name of unlisted('access', 'access')) {
      draft.remove('access', name);
      rights.pairs.add(name);
      removed('access');
    }
  }
  if (document.volumes !== undefined) {
    const volumes = unlisted('volumes', 'volumes');
    removeVolumes(draft, volumes);
    removed('volumes', volumes.length);
  }
  if (document.clients !== undefined) {
    const clients = unlisted('clients', 'clients');
    if (clients.length > 0) {
      requireIdle(draft, clients);
      removeClients(draft, clients);
    }
    removed('clients', clients.length);
  }
  const nodes = document.nodes === undefined ? [] : unlisted('nodes', 'nodes');
  if (nodes.length > 0) {
    const { held, preferring } = volumesByNode(draft);
    const problems = new Problems();
    for (const name of nodes) {
      problems.attempt(() => removeUnlistedNode(draft, name, held.get(name) ?? [], preferring.get(name) ?? []));
      removed('nodes');
    }
    problems.throwIfAny();
  }
  if (document.groups !== undefined || document.domains !== undefined) {
    const inUse = declaredInUse(draft);
    for (const table of ['groups', 'domains'] as const) {
      for (const name of document[table] === undefined ? [] : unlisted(table, table)) {
        if (inUse[table].has(name)) {
          result.kept.push({ table, name });
          continue;
        }
        draft.remove(table, name);
        removed(table);
      }
    }
  }
  if (document.settings !== undefined) {
    for (const name of unlisted('cluster', 'settings')) {
      if (name === 'name' || name === 'freeze') continue;
      draft.remove('cluster', name);
      removed('cluster');
    }
  }
}
