/** Operations on volumes: create, set, remove, rename. Where a volume is decides the placement. */
import { removeVolumeAccess, renameVolumeAccess, requireUnused } from '../access/cascade.js';
import { CfsError } from '../errors.js';
import { isAnyGroup } from '../model/declared.js';
import { ANY_GROUP, VOLUME_DEFAULTS } from '../model/defaults.js';
import { requireNode, requireVolume } from '../model/find.js';
import { parseName, quoteName } from '../model/names.js';
import type { VolumeRecord } from '../model/tables.js';
import { booleanRule, checkValue, given, weightRule } from '../model/values.js';
import type { Operation } from '../operation.js';
import type { Draft } from '../store/store.js';
import { putVolumeAccess, type VolumeAccessInput } from './access.js';
import { distinctNames } from './distinct-names.js';
import { editList } from './edit-list.js';
import { declaredNamesOf, type NodeNames } from './nodes.js';
import { Problems } from './problems.js';
import { shortened } from './record-request.js';

export interface VolumeInput extends VolumeAccessInput {
  name: string;
  weight?: number;
  /** A declared group, `Any`, or null. */
  group?: string | null;
  /** Declared domains, or `ALL`. */
  domains?: readonly string[];
  preferredNode?: string | null;
  canGroupMigrate?: boolean;
  /** Where it is already (an imported cluster); absent or null: not yet placed. */
  currentNode?: string | null;
}

/** The record that the input makes of `base`: fields given replace, fields absent stay. @throws CfsError */
export function volumeRecord(
  draft: Draft,
  names: NodeNames,
  of: string,
  input: Omit<VolumeInput, 'name' | 'currentNode'>,
  base: VolumeRecord,
): VolumeRecord {
  const { group, domains, preferredNode } = input;
  let resolvedGroup = base.group;
  if (group !== undefined) {
    if (group === null) resolvedGroup = null;
    else resolvedGroup = isAnyGroup(group) ? ANY_GROUP : names.groups.require(group);
  }
  let resolvedNode = base.preferredNode;
  if (preferredNode !== undefined) resolvedNode = preferredNode === null ? null : requireNode(draft, preferredNode);
  return {
    weight: checkValue(of, 'weight', given(input.weight, base.weight), weightRule),
    group: resolvedGroup,
    domains: domains === undefined ? base.domains : names.domains.requireList(of, domains),
    preferredNode: resolvedNode,
    canGroupMigrate: checkValue(of, 'canGroupMigrate', given(input.canGroupMigrate, base.canGroupMigrate), booleanRule),
  };
}

/** Adds one volume, placed where `currentNode` says. @throws CfsError VOLUME_EXISTS, BAD_NAME, BAD_VALUE, GROUP_NOT_FOUND … */
export function createVolume(draft: Draft, names: NodeNames, input: VolumeInput): string {
  const name = parseName('volume', input.name);
  if (draft.table('volumes').has(name)) {
    throw new CfsError('VOLUME_EXISTS', `There is already a volume ${quoteName(name)}`, {
      hint: 'Change it with cfs volume set.',
      details: { volume: name },
    });
  }
  const record = volumeRecord(draft, names, `volume ${quoteName(name)}`, input, VOLUME_DEFAULTS);
  const { currentNode = null } = input;
  const node = currentNode === null ? null : requireNode(draft, currentNode);
  draft.put('volumes', name, record);
  putVolumeAccess(draft, name, input);
  if (node !== null) {
    const since = draft.nextGeneration;
    draft.put('placements', name, { node, since, by: 'given', stage: null, rule: null, unplaced: null });
  }
  return name;
}

/** Adds volumes, all or none. */
export const volumeCreate: Operation<{ volumes: readonly VolumeInput[] }, { created: string[] }> = {
  name: 'volume.create',
  run(draft, request) {
    const names = declaredNamesOf(draft);
    const problems = new Problems();
    const created: string[] = [];
    for (const input of request.volumes) {
      const name = problems.attempt(() => createVolume(draft, names, input), `volume ${quoteName(String(input.name))}`);
      if (name !== null) created.push(name);
    }
    problems.throwIfAny();
    return { created };
  },
  recorded: shortened,
};

export interface SetVolumesRequest {
  /** One volume or several, which all get the same values. */
  name: string | readonly string[];
  weight?: number;
  group?: string | null;
  domains?: readonly string[];
  addDomains?: readonly string[];
  removeDomains?: readonly string[];
  preferredNode?: string | null;
  canGroupMigrate?: boolean;
}

/** Changes fields of volumes. Where they are stays as it is until the next rebalance. */
export const volumeSet: Operation<SetVolumesRequest, { volumes: string[] }> = {
  name: 'volume.set',
  run(draft, request) {
    const declared = declaredNamesOf(draft);
    const { name: names, domains, addDomains, removeDomains, ...fields } = request;
    const edit = { set: domains, add: addDomains, remove: removeDomains };
    const volumes = distinctNames(names, (input) => requireVolume(draft, input));
    for (const name of volumes) {
      const of = `volume ${quoteName(name)}`;
      const base = draft.table('volumes').get(name)!;
      draft.put('volumes', name, {
        ...volumeRecord(draft, declared, of, fields, base),
        domains: editList(declared.domains, of, base.domains, edit),
      });
    }
    return { volumes };
  },
  recorded: shortened,
};

/** Removes volumes with their placements, and what clients may do with them. @throws CfsError VOLUME_NOT_FOUND, VOLUME_IN_USE */
export const volumeRemove: Operation<{ name: string | readonly string[] }, { removed: string[] }> = {
  name: 'volume.remove',
  run(draft, request) {
    const removed = distinctNames(request.name, (input) => requireVolume(draft, input));
    removeVolumes(draft, removed);
    return { removed };
  },
  recorded: shortened,
};

/** Removes volumes with their placements, and what clients may do with them; one pass for all. @throws CfsError VOLUME_IN_USE */
export function removeVolumes(draft: Draft, names: readonly string[]): void {
  if (names.length === 0) return;
  requireUnused(draft, names);
  dropVolumes(draft, names);
}

/** The same where the caller has made sure that no client uses them. */
export function dropVolumes(draft: Draft, names: readonly string[]): void {
  for (const name of names) removePlaced(draft, name);
  removeVolumeAccess(draft, names);
}

function removePlaced(draft: Draft, name: string): void {
  draft.remove('volumes', name);
  if (draft.table('placements').has(name)) draft.remove('placements', name);
}

/**
 * Moves a volume, its placement, and what clients may do with it, to another name. The epoch stays: nothing moves but the name.
 * @throws CfsError VOLUME_IN_USE while a client has it mounted: its host knows it by the old name
 */
export function renameVolumeIn(draft: Draft, from: string, to: string): void {
  const record = draft.table('volumes').get(from)!;
  const placement = draft.table('placements').get(from);
  requireUnused(draft, [from]);
  removePlaced(draft, from);
  renameVolumeAccess(draft, from, to);
  draft.put('volumes', to, record);
  if (placement !== undefined) draft.put('placements', to, placement);
}

/** Gives a volume another name; its placement follows. */
export const volumeRename: Operation<{ name: string; newName: string }, { name: string; newName: string }> = {
  name: 'volume.rename',
  run(draft, request) {
    const name = requireVolume(draft, request.name);
    const newName = parseName('volume', request.newName);
    if (newName === name) return { name, newName };
    if (draft.table('volumes').has(newName)) {
      throw new CfsError('VOLUME_EXISTS', `There is already a volume ${quoteName(newName)}`, {
        hint: 'Choose a name that no volume has: see cfs volume list.',
        details: { volume: newName },
      });
    }
    renameVolumeIn(draft, name, newName);
    return { name, newName };
  },
};
