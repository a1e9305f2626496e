/** What an administrator looks at first: is everything as it should be, and if not, what is wrong. */
import { freezeOf } from '../config/settings.js';
import { countOf } from '../model/find.js';
import { settingOf } from '../model/settings.js';
import { type FreezeValue, NODE_STATES, type NodeState } from '../model/tables.js';
import type { Snapshot } from '../store/store.js';
import { type AccessStatus, accessStatus } from './access.js';
import type { Alarm } from './alarms.js';
import { type ClusterLoads, clusterLoads } from './loads.js';

export interface ClusterStatus extends AccessStatus {
  generation: number;
  /** Of this generation (docs/FORMAT.md, "Versions of the format"). */
  format: number;
  name: string;
  freeze: FreezeValue | null;
  nodes: { total: number; active: number } & Record<NodeState, number>;
  volumes: {
    total: number;
    placed: number;
    unplaced: number;
    notYetPlaced: number;
    homeless: number;
    misplaced: number;
  };
  /** Weight of the active volumes and of the active nodes. */
  volumeWeight: number;
  nodeWeight: number;
  /** Sum of |remaining capacity| over the active nodes, and that as a part of all weight (0 where there is none). */
  imbalance: number;
  relativeImbalance: number;
  /** Nodes that should work and do not, with the reason. */
  failedNodes: { node: string; state: NodeState; reason: string | null }[];
  unplaced: ClusterLoads['unplaced'];
  notYetPlaced: string[];
  homeless: ClusterLoads['homeless'];
  misplaced: ClusterLoads['misplaced'];
}

/** @param nowMs wall-clock time, ms since the epoch; only says whether a freeze still holds */
export function clusterStatus(snapshot: Snapshot, nowMs: number): ClusterStatus {
  const loads = clusterLoads(snapshot);
  const byState = Object.fromEntries(NODE_STATES.map((state) => [state, 0])) as Record<NodeState, number>;
  const failedNodes: ClusterStatus['failedNodes'] = [];
  for (const { name, state } of loads.nodes) {
    byState[state]++;
    if (state === 'failed' || state === 'suspect') {
      failedNodes.push({ node: name, state, reason: snapshot.table('membership').get(name)?.reason ?? null });
    }
  }
  const { unplaced, notYetPlaced, homeless, misplaced, knownVolumes, volumeWeight, imbalance } = loads;
  return {
    generation: snapshot.generation,
    format: snapshot.format,
    name: settingOf(snapshot, 'name'),
    freeze: freezeOf(snapshot, nowMs),
    nodes: { total: loads.nodes.length, active: loads.activeNodes, ...byState },
    volumes: {
      total: knownVolumes,
      placed: knownVolumes - unplaced.length - notYetPlaced.length - homeless.length,
      unplaced: unplaced.length,
      notYetPlaced: notYetPlaced.length,
      homeless: homeless.length,
      misplaced: misplaced.length,
    },
    ...accessStatus(snapshot),
    volumeWeight,
    nodeWeight: loads.nodeWeight,
    imbalance,
    relativeImbalance: volumeWeight === 0 ? 0 : imbalance / volumeWeight,
    failedNodes,
    unplaced,
    notYetPlaced,
    homeless,
    misplaced,
  };
}

export const HEALTH = ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] as const;
export type Health = (typeof HEALTH)[number];

export interface HealthReport {
  health: Health;
  /** One line, as monitoring systems show it. */
  summary: string;
}

/**
 * The verdict of `cfs check`, with the codes of monitoring plugins: 0 OK, 1 WARNING (something waits for a decision),
 * 2 CRITICAL (a volume has no working node, or the shared volume is full). 3 UNKNOWN is for what could not be read.
 */
export function healthOf(status: ClusterStatus, alarms: readonly Alarm[] = []): HealthReport {
  const { volumes, nodes } = status;
  const critical: string[] = [];
  const warning: string[] = [];
  for (const { health, message } of alarms) (health === 'CRITICAL' ? critical : warning).push(message);
  const onDown =
    volumes.homeless === 1 ? '1 volume on a node that is' : `${volumes.homeless} volumes on nodes that are`;
  if (volumes.homeless > 0) critical.push(`${onDown} not active`);
  if (volumes.misplaced > 0) warning.push(`${volumes.misplaced} volumes on nodes that may not have them`);
  if (nodes.active === 0 && volumes.total > 0) critical.push('no active node');
  if (volumes.unplaced > 0) critical.push(`${countOf(volumes.unplaced, 'volume')} that no node can have`);
  if (volumes.notYetPlaced > 0) warning.push(`${countOf(volumes.notYetPlaced, 'volume')} not yet placed`);
  if (nodes.failed > 0) warning.push(countOf(nodes.failed, 'failed node'));
  // Only fencing makes a node suspect: its volumes wait for it.
  if (nodes.suspect > 0) critical.push(`${countOf(nodes.suspect, 'suspect node')} whose takeover waits`);
  if (status.freeze !== null) warning.push('frozen');
  const health: Health = critical.length > 0 ? 'CRITICAL' : warning.length > 0 ? 'WARNING' : 'OK';
  const facts = `${nodes.active}/${nodes.total} nodes active, ${volumes.placed}/${volumes.total} volumes placed`;
  const problems = [...critical, ...warning];
  return { health, summary: problems.length === 0 ? facts : `${problems.join(', ')}; ${facts}` };
}
