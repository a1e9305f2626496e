/** Who carries what: ideal capacity, load and remaining capacity of every node, and the volumes that are nowhere. */
import { isActive } from '../membership/states.js';
import { foldCase, naturalCompare } from '../model/names.js';
import type { NodeState, UnplacedReason, VolumeRecord } from '../model/tables.js';
import { toDouble } from '../placement/arithmetic.js';
import { Capacity } from '../placement/capacity.js';
import { exclusion } from '../placement/eligibility.js';
import type { Snapshot } from '../store/store.js';

export interface NodeLoad {
  name: string;
  state: NodeState;
  weight: number;
  groups: string[];
  domains: string[];
  /** Fair share of all active weight (420H); null while the node is not active. */
  idealCapacity: number | null;
  /** Ideal capacity less what it has (420I); null while the node is not active. */
  remainingCapacity: number | null;
  /** Weight of its volumes. */
  load: number;
  volumes: string[];
}

export interface ClusterLoads {
  generation: number;
  /** In natural order. */
  nodes: NodeLoad[];
  activeNodes: number;
  knownVolumes: number;
  /** Volumes that share a domain with an active node. */
  activeVolumes: number;
  /** V: weight of the active volumes. W: weight of the active nodes. */
  volumeWeight: number;
  nodeWeight: number;
  /** Sum of |RC| over the active nodes. */
  imbalance: number;
  /** Volumes that no node can have, with the reason and the generation since when. */
  unplaced: { volume: string; reason: UnplacedReason; since: number }[];
  /** Volumes that no rebalance has seen yet. */
  notYetPlaced: string[];
  /** Volumes on an active node that may not have them any more. */
  misplaced: { volume: string; node: string; reason: UnplacedReason }[];
  /** Volumes whose node is not active. */
  homeless: { volume: string; node: string; state: NodeState }[];
}

/** Reads nodes, membership, volumes and placements whole; numbers as spec/rebalance.md section 2 defines them. */
export function clusterLoads(snapshot: Snapshot): ClusterLoads {
  const membership = snapshot.table('membership');
  const nodes: NodeLoad[] = [];
  for (const [name, record] of snapshot.table('nodes').entries()) {
    const state = membership.get(name)?.state ?? 'offline';
    const { weight, groups, domains } = record;
    nodes.push({
      name,
      state,
      weight,
      groups,
      domains,
      idealCapacity: null,
      remainingCapacity: null,
      load: 0,
      volumes: [],
    });
  }
  nodes.sort((a, b) => naturalCompare(a.name, b.name));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const active = nodes.filter((node) => isActive(node.state));
  const isReached = reachTest(active);

  const weights: number[] = [];
  const holders: (NodeLoad | null)[] = [];
  const unplaced: ClusterLoads['unplaced'] = [];
  const notYetPlaced: string[] = [];
  const homeless: ClusterLoads['homeless'] = [];
  const misplaced: ClusterLoads['misplaced'] = [];
  const mayHave = eligibilityTest();
  const placements = snapshot.table('placements');
  let knownVolumes = 0;
  for (const [name, volume] of snapshot.table('volumes').entries()) {
    knownVolumes++;
    const placement = placements.get(name);
    const holder = placement?.node == null ? null : (byName.get(placement.node) ?? null);
    if (placement === undefined) notYetPlaced.push(name);
    else if (placement.node === null) {
      unplaced.push({ volume: name, reason: placement.unplaced ?? 'no-common-domain', since: placement.since });
    } else if (holder === null || !isActive(holder.state)) {
      homeless.push({ volume: name, node: placement.node, state: holder?.state ?? 'offline' });
    }
    if (holder !== null) {
      holder.volumes.push(name);
      const reason = isActive(holder.state) ? mayHave(holder, volume) : null;
      if (reason !== null) misplaced.push({ volume: name, node: holder.name, reason });
    }
    if (isReached(volume.domains) || (holder !== null && isActive(holder.state))) {
      weights.push(volume.weight);
      holders.push(holder !== null && isActive(holder.state) ? holder : null);
    } else if (holder !== null) holder.load += volume.weight;
  }

  const capacity = new Capacity(
    active.map((node) => node.weight),
    weights,
  );
  const index = new Map(active.map((node, n) => [node, n]));
  const remaining = capacity.empty.slice();
  for (let v = 0; v < holders.length; v++) {
    const holder = holders[v];
    if (holder != null) remaining[index.get(holder)!]! -= capacity.weight[v]!;
  }
  active.forEach((node, n) => {
    node.idealCapacity = toDouble(capacity.ideal(n));
    node.remainingCapacity = capacity.value(remaining[n]!);
    node.load = toDouble(capacity.load(n, remaining[n]!));
  });
  const byVolume = (a: { volume: string }, b: { volume: string }) => naturalCompare(a.volume, b.volume);
  for (const node of nodes) node.volumes.sort(naturalCompare);
  return {
    generation: snapshot.generation,
    nodes,
    activeNodes: active.length,
    knownVolumes,
    activeVolumes: weights.length,
    volumeWeight: toDouble(capacity.volumeWeight),
    nodeWeight: toDouble(capacity.nodeWeight),
    imbalance: toDouble(capacity.imbalance(remaining)),
    unplaced: unplaced.sort(byVolume),
    notYetPlaced: notYetPlaced.sort(naturalCompare),
    homeless: homeless.sort(byVolume),
    misplaced: misplaced.sort(byVolume),
  };
}

/** Why a node may not have a volume, or null. Equal cases are worked out once. */
function eligibilityTest(): (node: NodeLoad, volume: VolumeRecord) => UnplacedReason | null {
  const known = new Map<string, UnplacedReason | null>();
  return (node, volume) => {
    const key = `${node.name}\0${volume.group}\0${volume.canGroupMigrate}\0${volume.domains.join('\0')}`;
    let answer = known.get(key);
    if (answer === undefined) {
      const placed = { ...volume, name: '', currentNode: node.name };
      const rule = exclusion({ ...node, active: true }, placed)?.rule ?? null;
      answer = rule === 'inactive' ? null : rule;
      known.set(key, answer);
    }
    return answer;
  };
}

/** Whether some active node shares a domain with a list of domains. Equal lists are worked out once. */
function reachTest(active: readonly NodeLoad[]): (domains: readonly string[]) => boolean {
  const reached = new Set(active.flatMap((node) => node.domains.map(foldCase)));
  const known = new Map<string, boolean>();
  return (domains) => {
    const key = domains.join('\0');
    let answer = known.get(key);
    if (answer === undefined) {
      const folded = domains.map(foldCase);
      answer = active.length > 0 && (reached.has('all') || folded.some((d) => d === 'all' || reached.has(d)));
      known.set(key, answer);
    }
    return answer;
  };
}
