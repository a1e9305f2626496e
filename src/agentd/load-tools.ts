/** Loads what touches the host for a node or for a client, and not the other's. */
import type { AgentConfig } from './config.js';
import type { Served } from './served.js';
import type { Tools } from './supervisor-fence.js';
import { type ToolsPlace, toolsOf } from './tools.js';

/** @returns what makes the tools of a configuration */
export async function loadTools({ role }: Served): Promise<(config: AgentConfig, place: ToolsPlace) => Tools> {
  return role === 'node' ? toolsOf : (await import('./client-tools.js')).clientToolsOf;
}
