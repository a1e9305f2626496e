/** Operations on nodes: add, set, remove, rename. A node's state is membership's (membership/states.ts). */
import { CfsError } from '../errors.js';
import { putMembership, removeMembership, renameMembership } from '../membership/records.js';
import { DeclaredNames } from '../model/declared.js';
import { NODE_DEFAULTS } from '../model/defaults.js';
import { countOf, requireNode, someNames } from '../model/find.js';
import { parseName, quoteName } from '../model/names.js';
import type { NodeRecord } from '../model/tables.js';
import { checkValue, given, thresholdRule, updateIntervalRule, weightRule } from '../model/values.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';
import { distinctNames } from './distinct-names.js';
import { editList, type ListEdit } from './edit-list.js';
import { Problems } from './problems.js';
import { shortened } from './record-request.js';
import { volumesOn, volumesPreferring } from './references.js';

export interface NodeInput {
  name: string;
  weight?: number;
  updateIntervalMs?: number;
  threshold?: number;
  groups?: readonly string[];
  domains?: readonly string[];
  /** The state it begins in; default `offline`. */
  state?: 'online' | 'offline';
}

/** Names of groups and domains for one operation over many records. */
export interface NodeNames {
  groups: DeclaredNames;
  domains: DeclaredNames;
}

export function declaredNamesOf(draft: Draft): NodeNames {
  return { groups: new DeclaredNames(draft, 'groups'), domains: new DeclaredNames(draft, 'domains') };
}

/** The record that the input makes of `base`: fields given replace, fields absent stay. @throws CfsError */
export function nodeRecord(names: NodeNames, of: string, input: Omit<NodeInput, 'name'>, base: NodeRecord): NodeRecord {
  return {
    weight: checkValue(of, 'weight', given(input.weight, base.weight), weightRule),
    updateIntervalMs: checkValue(
      of,
      'update interval',
      given(input.updateIntervalMs, base.updateIntervalMs),
      updateIntervalRule,
    ),
    threshold: checkValue(of, 'threshold', given(input.threshold, base.threshold), thresholdRule),
    groups: input.groups === undefined ? base.groups : names.groups.requireList(of, input.groups),
    domains: input.domains === undefined ? base.domains : names.domains.requireList(of, input.domains),
  };
}

/** Adds one node with its state. Gives the name as stored. @throws CfsError NODE_EXISTS, BAD_NAME, BAD_VALUE, GROUP_NOT_FOUND … */
export function addNode(draft: Draft, names: NodeNames, input: NodeInput): string {
  const name = parseName('node', input.name);
  const of = `node ${quoteName(name)}`;
  if (draft.table('nodes').has(name)) {
    throw new CfsError('NODE_EXISTS', `There is already a node ${quoteName(name)}`, {
      hint: 'Change it with cfs node set.',
      details: { node: name },
    });
  }
  const state = checkValue(of, 'state', given(input.state, 'offline'), (value) =>
    value === 'online' || value === 'offline' ? null : 'a node begins online or offline',
  );
  draft.put('nodes', name, nodeRecord(names, of, input, NODE_DEFAULTS));
  // Its agent may take it in when it comes up: nobody has said that it shall stay out.
  putMembership(draft, name, { state, reason: null, mayJoin: state === 'offline' });
  return name;
}

/** Adds nodes, all or none. */
export const nodeAdd: Operation<{ nodes: readonly NodeInput[] }, { added: string[] }> = {
  name: 'node.add',
  run(draft, request) {
    const names = declaredNamesOf(draft);
    const problems = new Problems();
    const added: string[] = [];
    for (const input of request.nodes) {
      const name = problems.attempt(() => addNode(draft, names, input), `node ${quoteName(String(input.name))}`);
      if (name !== null) added.push(name);
    }
    problems.throwIfAny();
    return { added };
  },
  recorded: shortened,
};

export interface SetNodesRequest {
  /** One node or several, which all get the same values. */
  name: string | readonly string[];
  weight?: number;
  updateIntervalMs?: number;
  threshold?: number;
  /** Replaces the list; first choice first. */
  groups?: readonly string[];
  /** Appended to the list, in the order given; those there already keep their place. */
  addGroups?: readonly string[];
  removeGroups?: readonly string[];
  domains?: readonly string[];
  addDomains?: readonly string[];
  removeDomains?: readonly string[];
}

/** Changes fields of nodes. */
export const nodeSet: Operation<SetNodesRequest, { nodes: string[] }> = {
  name: 'node.set',
  run(draft, request) {
    const declared = declaredNamesOf(draft);
    const { name: names, ...fields } = request;
    const nodes = distinctNames(names, (input) => requireNode(draft, input));
    for (const name of nodes) {
      const of = `node ${quoteName(name)}`;
      const base = draft.table('nodes').get(name)!;
      const groups: ListEdit = { set: fields.groups, add: fields.addGroups, remove: fields.removeGroups };
      const domains: ListEdit = { set: fields.domains, add: fields.addDomains, remove: fields.removeDomains };
      draft.put('nodes', name, {
        ...nodeRecord(declared, of, { ...fields, groups: base.groups, domains: base.domains }, base),
        groups: editList(declared.groups, of, base.groups, groups),
        domains: editList(declared.domains, of, base.domains, domains),
      });
    }
    return { nodes };
  },
  recorded: shortened,
};

/**
 * Removes one node with its state.
 * @throws CfsError NODE_IN_USE while it administers volumes, or while volumes prefer it and `force` is not set
 */
export function removeNode(draft: Draft, name: string, force: boolean): { preferencesCleared: string[] } {
  const held = volumesOn(draft, name);
  if (held.length > 0) {
    throw new CfsError(
      'NODE_IN_USE',
      `Node ${quoteName(name)} administers ${countOf(held.length, 'volume')}: ${someNames(held)}`,
      {
        hint: `Move them away first: cfs node standby ${name}`,
        details: { node: name, count: held.length, volumes: held.slice(0, 5) },
      },
    );
  }
  const wishing = volumesPreferring(draft, name);
  if (wishing.length > 0 && !force) {
    throw new CfsError(
      'NODE_IN_USE',
      `Node ${quoteName(name)} is preferred by ${countOf(wishing.length, 'volume')}: ${someNames(wishing)}`,
      {
        hint: 'With --force their preference is cleared.',
        details: { node: name, count: wishing.length, volumes: wishing.slice(0, 5) },
      },
    );
  }
  const volumes = draft.table('volumes');
  for (const volume of wishing) draft.put('volumes', volume, { ...volumes.get(volume)!, preferredNode: null });
  draft.remove('nodes', name);
  removeMembership(draft, name);
  return { preferencesCleared: wishing };
}

/** Removes nodes that administer nothing. `force` clears the preference of volumes that prefer them. */
export const nodeRemove: Operation<
  { name: string | readonly string[]; force?: boolean },
  { removed: string[]; preferencesCleared: string[] }
> = {
  name: 'node.remove',
  run(draft, request) {
    const removed = distinctNames(request.name, (input) => requireNode(draft, input));
    const preferencesCleared = removed.flatMap((name) => {
      return removeNode(draft, name, request.force ?? false).preferencesCleared;
    });
    return { removed, preferencesCleared };
  },
  recorded: shortened,
};

/** Moves everything that refers to node `from` over to the name `to`. Epochs stay: nothing moves but the name. */
export function renameNodeIn(draft: Draft, from: string, to: string): void {
  const held = volumesOn(draft, from);
  const wishing = volumesPreferring(draft, from);
  const record = draft.table('nodes').get(from)!;
  draft.remove('nodes', from);
  draft.put('nodes', to, record);
  renameMembership(draft, from, to);
  const volumes = draft.table('volumes');
  for (const volume of wishing) draft.put('volumes', volume, { ...volumes.get(volume)!, preferredNode: to });
  const placements = draft.table('placements');
  for (const volume of held) draft.put('placements', volume, { ...placements.get(volume)!, node: to });
}

/** Gives a node another name; placements, preferences and state follow. */
export const nodeRename: Operation<{ name: string; newName: string }, { name: string; newName: string }> = {
  name: 'node.rename',
  run(draft, request) {
    const name = requireNode(draft, request.name);
    const newName = parseName('node', request.newName);
    if (newName === name) return { name, newName };
    if (draft.table('nodes').has(newName)) {
      throw new CfsError('NODE_EXISTS', `There is already a node ${quoteName(newName)}`, {
        hint: 'Choose a name that no node has: see cfs node list.',
        details: { node: newName },
      });
    }
    renameNodeIn(draft, name, newName);
    return { name, newName };
  },
};
