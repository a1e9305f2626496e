/** What commands say of the agents of clients, by their leases. Nothing is decided by it: ages are estimates. */
import type { AgentSeen } from '../core/membership/agents.js';
import type { DirectoryCluster } from '../open.js';
import { leaseText } from '../render/agent.js';

/** `quiet`: its lease seems to be older than its timeout; whoever watches it will find it lapsed. */
export type ClientAgentState = 'alive' | 'quiet' | 'left' | 'none';

/** The agents of clients; empty where there never was an agent, which costs one look-up. @throws CfsError of the system */
export async function clientAgents(cluster: DirectoryCluster): Promise<Map<string, AgentSeen>> {
  const { platform, paths } = cluster.store.place;
  if (platform.files.isAbsent('lease.look', paths.leases)) return new Map();
  const { readClientAgents } = await import('../core/membership/agents.js');
  return readClientAgents(platform, paths.leases);
}

export function clientAgentState(seen: AgentSeen | undefined): ClientAgentState {
  if (seen === undefined) return 'none';
  if (seen.lease.applied === null) return 'left';
  return (seen.ageMs ?? 0) > seen.lease.timeoutMs ? 'quiet' : 'alive';
}

/** `alive`, `quiet ~3m`, `left`, `none`. */
export function clientAgentText(seen: AgentSeen | undefined): string {
  const state = clientAgentState(seen);
  return state === 'quiet' ? `quiet ${leaseText(seen)}` : state;
}

/** As JSON has it; null: the client has no lease. */
export function clientAgentJson(seen: AgentSeen | undefined) {
  if (seen === undefined) return null;
  const { lease, info, ageMs } = seen;
  return {
    state: clientAgentState(seen),
    seq: lease.seq,
    released: lease.released,
    applied: lease.applied,
    leaseAgeMs: ageMs,
    version: info?.version ?? null,
    host: info?.host ?? null,
    pid: info?.pid ?? null,
    problems: info?.problems ?? [],
  };
}

export interface ClientProblem {
  client: string;
  problem: string;
}

/** What agents of these clients say they could not do, and which of them are not seen to live though their client is logged on. */
export function clientProblems(
  clients: readonly { name: string; loggedOn: boolean }[],
  agents: ReadonlyMap<string, AgentSeen>,
): ClientProblem[] {
  return clients.flatMap(({ name, loggedOn }) => {
    const seen = agents.get(name);
    const state = clientAgentState(seen);
    const problems = [...(seen?.info?.problems ?? [])];
    if (loggedOn && state === 'quiet') problems.unshift(`its agent is quiet for ${leaseText(seen)}`);
    if (loggedOn && state === 'left') problems.unshift('its agent has left, and it is still logged on');
    return problems.map((problem) => ({ client: name, problem }));
  });
}
