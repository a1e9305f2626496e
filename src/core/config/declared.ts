/** Operations on groups and domains: add, set, remove, rename. One set of rules for both tables. */
import { CfsError, type ErrorCode } from '../errors.js';
import { DeclaredNames, type DeclaredTable, kindOf } from '../model/declared.js';
import { someNames } from '../model/find.js';
import { foldCase, parseName, quoteName } from '../model/names.js';
import { checkValue, descriptionRule } from '../model/values.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';
import { Problems } from './problems.js';
import { shortened } from './record-request.js';
import { usersOfDomain, usersOfGroup } from './references.js';

export interface DeclaredInput {
  name: string;
  description?: string | null;
}

const CODES = {
  groups: { exists: 'GROUP_EXISTS', inUse: 'GROUP_IN_USE' },
  domains: { exists: 'DOMAIN_EXISTS', inUse: 'DOMAIN_IN_USE' },
} as const satisfies Record<DeclaredTable, Record<string, ErrorCode>>;

function refuseExisting(table: DeclaredTable, name: string, existing: string): never {
  const kind = kindOf(table);
  throw new CfsError(CODES[table].exists, `There is already a ${kind} ${quoteName(existing)}`, {
    hint:
      existing === name
        ? `Change its description with cfs ${kind} set.`
        : `Names of ${table} are compared without regard to letter case.`,
    details: { [kind]: name, existing },
  });
}

/** Declares one name. @throws CfsError GROUP_EXISTS, DOMAIN_EXISTS, BAD_NAME, RESERVED_NAME, BAD_VALUE */
export function declareName(draft: Draft, names: DeclaredNames, input: DeclaredInput): string {
  const { table } = names;
  const name = parseName(kindOf(table), input.name);
  const existing = names.find(name);
  if (existing !== null) refuseExisting(table, name, existing);
  const description = input.description ?? null;
  checkValue(`${kindOf(table)} ${quoteName(name)}`, 'description', description, descriptionRule);
  draft.put(table, name, { description });
  names.declare(name);
  return name;
}

/** Removes one declared name. @throws CfsError GROUP_IN_USE, DOMAIN_IN_USE naming up to five users */
export function removeDeclared(draft: Draft, table: DeclaredTable, name: string): void {
  const users = table === 'groups' ? usersOfGroup(draft, name) : usersOfDomain(draft, name);
  const count = users.nodes.length + users.volumes.length;
  if (count > 0) {
    const kind = kindOf(table);
    const parts = [];
    if (users.nodes.length > 0) parts.push(`nodes ${someNames(users.nodes)}`);
    if (users.volumes.length > 0) parts.push(`volumes ${someNames(users.volumes)}`);
    throw new CfsError(CODES[table].inUse, `The ${kind} ${quoteName(name)} is in use by ${parts.join(' and ')}`, {
      hint: `Take it from them first, with cfs node set and cfs volume set.`,
      details: { [kind]: name, count, users: [...users.nodes, ...users.volumes].slice(0, 5) },
    });
  }
  draft.remove(table, name);
}

/** Gives a declared name another spelling or another name; all references follow. */
export function renameDeclaredIn(draft: Draft, table: DeclaredTable, from: string, to: string): void {
  const users = table === 'groups' ? usersOfGroup(draft, from) : usersOfDomain(draft, from);
  const swap = (list: readonly string[]): string[] => list.map((name) => (name === from ? to : name));
  const record = draft.table(table).get(from)!;
  draft.remove(table, from);
  draft.put(table, to, record);
  for (const name of users.nodes) {
    const node = draft.table('nodes').get(name)!;
    draft.put('nodes', name, { ...node, [table]: swap(node[table]) });
  }
  for (const name of users.volumes) {
    const volume = draft.table('volumes').get(name)!;
    draft.put(
      'volumes',
      name,
      table === 'groups' ? { ...volume, group: to } : { ...volume, domains: swap(volume.domains) },
    );
  }
}

export interface DeclaredOperations {
  add: Operation<{ names: readonly DeclaredInput[] }, { added: string[] }>;
  set: Operation<{ name: string; description: string | null }, { name: string }>;
  remove: Operation<{ name: string | readonly string[] }, { removed: string[] }>;
  rename: Operation<{ name: string; newName: string }, { name: string; newName: string }>;
}

function operationsOn(table: DeclaredTable): DeclaredOperations {
  const kind = kindOf(table);
  return {
    add: {
      name: `${kind}.add`,
      run(draft, request) {
        const names = new DeclaredNames(draft, table);
        const problems = new Problems();
        const added: string[] = [];
        for (const input of request.names) {
          const name = problems.attempt(() => declareName(draft, names, input));
          if (name !== null) added.push(name);
        }
        problems.throwIfAny();
        return { added };
      },
      recorded: shortened,
    },
    set: {
      name: `${kind}.set`,
      run(draft, request) {
        const name = new DeclaredNames(draft, table).require(request.name);
        const description = checkValue(
          `${kind} ${quoteName(name)}`,
          'description',
          request.description,
          descriptionRule,
        );
        draft.put(table, name, { description });
        return { name };
      },
    },
    remove: {
      name: `${kind}.remove`,
      run(draft, request) {
        const removed: string[] = [];
        for (const input of typeof request.name === 'string' ? [request.name] : request.name) {
          if (removed.some((name) => foldCase(name) === foldCase(input))) continue;
          // A fresh index each time: a name removed before in this request is gone.
          const name = new DeclaredNames(draft, table).require(input);
          removeDeclared(draft, table, name);
          removed.push(name);
        }
        return { removed };
      },
      recorded: shortened,
    },
    rename: {
      name: `${kind}.rename`,
      run(draft, request) {
        const names = new DeclaredNames(draft, table);
        const name = names.require(request.name);
        const newName = parseName(kind, request.newName);
        if (newName === name) return { name, newName };
        const existing = names.find(newName);
        // Another spelling of its own name (`ca` to `CA`) is no clash.
        if (existing !== null && foldCase(existing) !== foldCase(name)) refuseExisting(table, newName, existing);
        renameDeclaredIn(draft, table, name, newName);
        return { name, newName };
      },
    },
  };
}

export const groupOperations = operationsOn('groups');
export const domainOperations = operationsOn('domains');
