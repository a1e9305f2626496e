/** The fencing command of the node that a command of cfs runs on, by the configuration of its agent. */
import { realpathSync } from 'node:fs';
import type { AgentConfig } from './config.js';
import { fencingOf, type NodeFencing } from './fencing.js';
import { Programs } from './programs.js';
import type { Role } from './served.js';

/**
 * Null: this node has none.
 * @param dir the cluster directory; looked at, which a command may wait for
 * @param self which node this is @param fences nodes or clients
 */
export function ownFencing(config: AgentConfig, dir: string, self: string, fences: Role = 'node'): NodeFencing | null {
  const programs = new Programs({ stateDir: null, outside: [dir, realpathSync(dir)] });
  return fencingOf(config.fencing, { served: { role: 'node', name: self }, fences, dir, programs });
}
