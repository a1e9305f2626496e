/** Who refers to a group, a domain or a node. Each reads whole tables: for removing and renaming, never for looking up. */
import type { NodeRecord, VolumeRecord } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';

export interface Users {
  nodes: string[];
  volumes: string[];
}

function usersWhere(
  snapshot: Snapshot,
  node: (record: NodeRecord) => boolean,
  volume: (record: VolumeRecord) => boolean,
): Users {
  const users: Users = { nodes: [], volumes: [] };
  for (const [name, record] of snapshot.table('nodes').entries()) if (node(record)) users.nodes.push(name);
  for (const [name, record] of snapshot.table('volumes').entries()) if (volume(record)) users.volumes.push(name);
  return users;
}

/** Nodes and volumes that name the group (given in the declared spelling). */
export function usersOfGroup(snapshot: Snapshot, group: string): Users {
  return usersWhere(
    snapshot,
    (node) => node.groups.includes(group),
    (volume) => volume.group === group,
  );
}

/** Nodes and volumes that name the domain (given in the declared spelling). */
export function usersOfDomain(snapshot: Snapshot, domain: string): Users {
  return usersWhere(
    snapshot,
    (node) => node.domains.includes(domain),
    (volume) => volume.domains.includes(domain),
  );
}

/** Volumes that the node administers now. */
export function volumesOn(snapshot: Snapshot, node: string): string[] {
  const names: string[] = [];
  for (const [name, placement] of snapshot.table('placements').entries()) if (placement.node === node) names.push(name);
  return names;
}

/** Volumes that prefer the node. */
export function volumesPreferring(snapshot: Snapshot, node: string): string[] {
  const names: string[] = [];
  for (const [name, volume] of snapshot.table('volumes').entries()) if (volume.preferredNode === node) names.push(name);
  return names;
}
