/** What leases say of agents, for tables: ages are estimates and look like it. */
import type { AgentSeen } from '../core/membership/agents.js';

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
] as const;

/** `~2s`, `~3m`, `~5h`, `~4d`: from two of a unit on in that unit. */
export function aboutText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  for (const [unit, size] of UNITS) if (seconds >= 2 * size) return `~${Math.floor(seconds / size)}${unit}`;
  return `~${seconds}s`;
}

/** The age of a lease: `~2s`, `left`, or `-` for a node without one. */
export function leaseText(agent: AgentSeen | undefined): string {
  if (agent === undefined) return '-';
  if (agent.lease.applied === null) return 'left';
  return agent.ageMs === null ? '~0s' : aboutText(agent.ageMs);
}
