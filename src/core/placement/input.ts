/** What every placement decision reads: nodes, volumes and where the volumes are now, in one flat form. */
import { isActive } from '../membership/states.js';
import type { NodeState } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';

/** A node as placement sees it (spec/rebalance.md section 1). */
export interface PlacementNode {
  readonly name: string;
  /** Relative capability, a decimal from 0 to 2^53 - 1. */
  readonly weight: number;
  readonly domains: readonly string[];
  /** Most preferred first. */
  readonly groups: readonly string[];
  /** Comes from membership, never from where the volumes are. */
  readonly active: boolean;
  /** Back after a failure and not yet up for long: gets a homeless volume only where no other node may have it. */
  readonly held?: boolean;
  /** Why it is active or not; only for explanations. */
  readonly state?: NodeState;
}

/** A volume as placement sees it, with the node it is on. */
export interface PlacementVolume {
  readonly name: string;
  /** Expected demand, a decimal from 0 to 2^53 - 1. */
  readonly weight: number;
  /** A group name, `Any`, or null. */
  readonly group: string | null;
  readonly domains: readonly string[];
  readonly preferredNode: string | null;
  readonly currentNode: string | null;
  readonly canGroupMigrate: boolean;
}

export interface PlacementInput {
  /** Generation the tables were read at. */
  readonly generation: number;
  readonly nodes: readonly PlacementNode[];
  readonly volumes: readonly PlacementVolume[];
}

/** The node as placement sees it, or null when there is no such node. A node without a membership record is offline. */
export function placementNode(snapshot: Snapshot, name: string): PlacementNode | null {
  const record = snapshot.table('nodes').get(name);
  if (record === undefined) return null;
  const membership = snapshot.table('membership').get(name);
  const state = membership?.state ?? 'offline';
  return {
    name,
    weight: record.weight,
    domains: record.domains,
    groups: record.groups,
    active: isActive(state),
    ...(membership?.held ? { held: true } : {}),
    state,
  };
}

/** The volume as placement sees it, or null when there is no such volume. */
export function placementVolume(snapshot: Snapshot, name: string): PlacementVolume | null {
  const record = snapshot.table('volumes').get(name);
  if (record === undefined) return null;
  return {
    name,
    weight: record.weight,
    group: record.group,
    domains: record.domains,
    preferredNode: record.preferredNode,
    currentNode: snapshot.table('placements').get(name)?.node ?? null,
    canGroupMigrate: record.canGroupMigrate,
  };
}

/** Every node of the snapshot as placement sees it. */
export function placementNodes(snapshot: Snapshot): PlacementNode[] {
  const nodes: PlacementNode[] = [];
  for (const name of snapshot.table('nodes').names()) {
    const node = placementNode(snapshot, name);
    if (node !== null) nodes.push(node);
  }
  return nodes;
}

/** Reads the tables nodes, membership, volumes and placements. Costs what they hold. */
export function placementInput(snapshot: Snapshot): PlacementInput {
  const placements = snapshot.table('placements');
  const volumes: PlacementVolume[] = [];
  for (const [name, record] of snapshot.table('volumes').entries()) {
    volumes.push({
      name,
      weight: record.weight,
      group: record.group,
      domains: record.domains,
      preferredNode: record.preferredNode,
      currentNode: placements.get(name)?.node ?? null,
      canGroupMigrate: record.canGroupMigrate,
    });
  }
  return { generation: snapshot.generation, nodes: placementNodes(snapshot), volumes };
}
