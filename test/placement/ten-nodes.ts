/** The ten-node example (fixtures/placement/ten-nodes.json) as a snapshot. */
import { readFileSync } from 'node:fs';
import type { MembershipRecord, NodeRecord, VolumeRecord } from '../../src/core/model/tables.js';
import type { PlacementNode, PlacementVolume } from '../../src/core/placement/input.js';
import { memorySnapshot } from '../../src/core/store/draft.js';
import type { Snapshot } from '../../src/core/store/store.js';

interface Example {
  nodes: PlacementNode[];
  volumes: PlacementVolume[];
}

/** CFN1 to CFN10 online, CFN11 to CFN20 offline, 31 volumes that nothing has placed yet; generation 11. */
export function tenNodes(): Snapshot {
  const file = new URL('../../fixtures/placement/ten-nodes.json', import.meta.url);
  const example = JSON.parse(readFileSync(file, 'utf8')) as Example;
  const nodes = new Map<string, NodeRecord>();
  const membership = new Map<string, MembershipRecord>();
  for (const { name, weight, domains, groups, active } of example.nodes) {
    nodes.set(name, { weight, domains: [...domains], groups: [...groups], updateIntervalMs: 10_000, threshold: 0.8 });
    membership.set(name, { state: active ? 'online' : 'offline', reason: null });
  }
  const volumes = new Map<string, VolumeRecord>();
  for (const { name, weight, group, domains, preferredNode, canGroupMigrate } of example.volumes) {
    volumes.set(name, { weight, group, domains: [...domains], preferredNode, canGroupMigrate });
  }
  return memorySnapshot({ nodes, membership, volumes }, 11);
}
