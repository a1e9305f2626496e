/** Changing a list of declared names: replace it, add to its end, remove from it. */

import { type DeclaredNames, isAllDomains } from '../model/declared.js';
import { ALL_DOMAINS } from '../model/defaults.js';

export interface ListEdit {
  set?: readonly string[] | undefined;
  add?: readonly string[] | undefined;
  remove?: readonly string[] | undefined;
}

/**
 * The list after the edit. Adding what is there and removing what is not change nothing, so that a command can be run again.
 * @throws CfsError GROUP_NOT_FOUND, DOMAIN_NOT_FOUND, BAD_VALUE
 */
export function editList(names: DeclaredNames, of: string, base: readonly string[], edit: ListEdit): string[] {
  const all = (name: string): boolean => names.table === 'domains' && isAllDomains(name);
  const resolve = (name: string): string => (all(name) ? ALL_DOMAINS : names.require(name));
  const list = edit.set === undefined ? [...base] : names.requireList(of, edit.set);
  const removed = new Set((edit.remove ?? []).map(resolve));
  const kept = list.filter((name) => !removed.has(name));
  for (const name of (edit.add ?? []).map(resolve)) if (!kept.includes(name)) kept.push(name);
  return names.requireList(of, kept);
}
