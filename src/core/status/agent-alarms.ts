/**
 * Nodes that the tables call active and that may run nothing all the same: without an agent in a cluster of agents, with one that
 * left, or with a lease that looks old. For people and monitoring; nothing is decided by it, since the age of a lease compares
 * this host's clock with the times of files. While the cluster is frozen, or a takeover waits to be fenced, nothing else tells.
 */
import { type AgentSeen, readAgents } from '../membership/agents.js';
import { isActive } from '../membership/states.js';
import { leaseTimeout } from '../membership/timeout.js';
import { countOf, someNames } from '../model/find.js';
import { naturalCompare } from '../model/names.js';
import type { Place } from '../store/place.js';
import type { Snapshot } from '../store/store.js';
import type { Alarm } from './alarms.js';

/** A lease older than so many timeouts is told; agents act at one. */
const QUIET_TIMEOUTS = 1.5;

/** @throws CfsError of the system */
export function agentAlarms(place: Place, snapshot: Snapshot): Alarm[] {
  const agents = readAgents(place.platform, place.paths.leases);
  // Where no agent lives, nodes are put online and offline by hand.
  if (![...agents.values()].some(({ lease }) => lease.applied !== null)) return [];
  const found = { none: [] as string[], left: [] as string[], quiet: [] as string[] };
  for (const [node, { state }] of snapshot.table('membership').entries()) {
    if (!isActive(state) || !snapshot.table('nodes').has(node)) continue;
    const kind = kindOf(agents.get(node), snapshot);
    if (kind !== null) found[kind].push(node);
  }
  const held = new Map<string, number>();
  for (const [, { node }] of snapshot.table('placements').entries()) {
    if (node !== null) held.set(node, (held.get(node) ?? 0) + 1);
  }
  const alarms: Alarm[] = [];
  const tell = (nodes: string[], says: (names: string, isOne: boolean) => string, isCritical: boolean): void => {
    if (nodes.length === 0) return;
    nodes.sort(naturalCompare);
    const volumes = nodes.reduce((sum, node) => sum + (held.get(node) ?? 0), 0);
    const theirs = volumes === 0 ? '' : `; ${countOf(volumes, 'volume')} on ${nodes.length === 1 ? 'it' : 'them'}`;
    const health = isCritical && volumes > 0 ? 'CRITICAL' : 'WARNING';
    alarms.push({ health, message: `${says(someNames(nodes), nodes.length === 1)}${theirs}` });
  };
  tell(found.quiet, (names, isOne) => `${names}: the ${isOne ? 'lease looks' : 'leases look'} old`, true);
  tell(found.left, (names, isOne) => `${names}: the ${isOne ? 'agent' : 'agents'} left`, false);
  tell(found.none, (names, isOne) => `${names} ${isOne ? 'is' : 'are'} online without an agent`, false);
  return alarms;
}

function kindOf(seen: AgentSeen | undefined, snapshot: Snapshot): 'none' | 'left' | 'quiet' | null {
  if (seen === undefined) return 'none';
  if (seen.lease.applied === null) return 'left';
  return (seen.ageMs ?? 0) > QUIET_TIMEOUTS * leaseTimeout(snapshot, seen.lease) ? 'quiet' : null;
}
