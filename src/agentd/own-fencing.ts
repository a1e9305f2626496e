/** The fencing command of the node that a command runs on, by the configuration of its agent. */
import { realpathSync } from 'node:fs';
import { readAgentConfig } from './config.js';
import { fencingOf, type NodeFencing, requireFencing } from './fencing.js';
import { Programs } from './programs.js';

export interface OwnFencingOptions {
  /** --config; undefined: the usual file, where there is one. */
  config: string | undefined;
  /** The cluster directory. */
  dir: string;
  /** Which node this is, given what the configuration says. */
  node: (configured: string | null) => string;
}

function parts({ dir, node }: OwnFencingOptions, configured: string | null) {
  // A command may wait for the shared directory: it has read the tables there.
  const outside = [dir, realpathSync(dir)];
  return { node: node(configured), dir, programs: new Programs({ stateDir: null, outside }) };
}

/** @throws CfsError FENCING_NOT_CONFIGURED, and what readAgentConfig throws */
export function ownFencing(options: OwnFencingOptions): NodeFencing {
  const config = readAgentConfig(options.config);
  return requireFencing(config.fencing, parts(options, config.node));
}

/** The same; null where this node has no fencing command. @throws what readAgentConfig throws */
export function ownFencingIfAny(options: OwnFencingOptions): NodeFencing | null {
  const config = readAgentConfig(options.config);
  return fencingOf(config.fencing, parts(options, config.node));
}
