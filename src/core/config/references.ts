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

/** For each node, the volumes that it administers and those that prefer it. One pass over each table. */
export function volumesByNode(snapshot: Snapshot): { held: Map<string, string[]>; preferring: Map<string, string[]> } {
  const held = new Map<string, string[]>();
  const preferring = new Map<string, string[]>();
  const note = (map: Map<string, string[]>, node: string | null, volume: string): void => {
    if (node === null) return;
    const list = map.get(node);
    if (list === undefined) map.set(node, [volume]);
    else list.push(volume);
  };
  for (const [name, placement] of snapshot.table('placements').entries()) note(held, placement.node, name);
  for (const [name, volume] of snapshot.table('volumes').entries()) note(preferring, volume.preferredNode, name);
  return { held, preferring };
}

/** Groups and domains that some node or volume names. */
export function declaredInUse(snapshot: Snapshot): { groups: Set<string>; domains: Set<string> } {
  const groups = new Set<string>();
  const domains = new Set<string>();
  for (const [, node] of snapshot.table('nodes').entries()) {
    for (const name of node.groups) groups.add(name);
    for (const name of node.domains) domains.add(name);
  }
  for (const [, volume] of snapshot.table('volumes').entries()) {
    if (volume.group !== null) groups.add(volume.group);
    for (const name of volume.domains) domains.add(name);
  }
  return { groups, domains };
}
