/** Which node may have which volume, and the rule that forbids it (spec/rebalance.md section 2). */
import { foldCase } from '../model/names.js';
import type { UnplacedReason } from '../model/tables.js';
import type { PlacementNode, PlacementVolume } from './input.js';

/** The domain, folded, that matches every domain. */
export const ALL = 'all';
/** The volume group, folded, that every node takes. */
export const ANY = 'any';

/** Whether the lists have a domain in common; `ALL` on either side matches everything, also an empty list. */
export function sharesDomain(a: readonly string[], b: readonly string[]): boolean {
  const folded = new Set(a.map(foldCase));
  if (folded.has(ALL)) return true;
  for (const name of b) {
    const domain = foldCase(name);
    if (domain === ALL || folded.has(domain)) return true;
  }
  return false;
}

/** Whether the volume may only be on nodes that carry its group. */
export function isGroupLocked(volume: PlacementVolume): boolean {
  return !volume.canGroupMigrate && (volume.group === null || foldCase(volume.group) !== ANY);
}

/** Whether the node lists the group. An empty or null group is listed nowhere. */
export function carriesGroup(node: PlacementNode, group: string | null): boolean {
  if (group === null || group === '') return false;
  const folded = foldCase(group);
  return node.groups.some((own) => foldCase(own) === folded);
}

/** The rule that keeps a volume off a node. */
export type ExclusionRule = 'inactive' | 'no-common-domain' | 'group-locked';

export interface Exclusion {
  readonly rule: ExclusionRule;
  /** The rule applied to this pair, in words. */
  readonly text: string;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(',');
}

/** Why the node may not have the volume, or null when it is eligible. */
export function exclusion(node: PlacementNode, volume: PlacementVolume): Exclusion | null {
  if (!node.active) return { rule: 'inactive', text: `is ${node.state ?? 'not active'}` };
  if (!sharesDomain(node.domains, volume.domains)) {
    const text = `no common domain (node: ${listed(node.domains)}; volume: ${listed(volume.domains)})`;
    return { rule: 'no-common-domain', text };
  }
  if (isGroupLocked(volume) && !carriesGroup(node, volume.group)) {
    const text =
      volume.group === null || volume.group === ''
        ? 'the volume has no group and may not migrate out of it: no node can have it'
        : `does not carry group ${volume.group}, which the volume may not leave (node: ${listed(node.groups)})`;
    return { rule: 'group-locked', text };
  }
  return null;
}

/** Whether the node is active, shares a domain and may have the volume's group. */
export function isEligible(node: PlacementNode, volume: PlacementVolume): boolean {
  return exclusion(node, volume) === null;
}

/** Why no node is eligible (section 4). Only for a volume that really has none. */
export function unplacedReason(nodes: readonly PlacementNode[], volume: PlacementVolume): UnplacedReason {
  const shared = nodes.some((node) => node.active && sharesDomain(node.domains, volume.domains));
  return shared ? 'group-locked' : 'no-common-domain';
}
