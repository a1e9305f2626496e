/** What touches the node, made from its configuration: for the supervisor, the worker and `cfs agentd stop-all`. */
import type { Log } from '../core/agent/ports.js';
import type { Processes } from '../core/platform/processes.js';
import type { AgentConfig } from './config.js';
import { driverOf } from './drivers/index.js';
import { NodeHooks } from './hooks.js';
import { OwnershipJournal } from './journal.js';
import { Programs } from './programs.js';
import { monotonicMs } from './supervisor-clock.js';
import type { Tools } from './supervisor-fence.js';

export interface ToolsPlace {
  node: string;
  dir: string;
  stateDir: string;
  log: Log;
  /** What the end of a volume is called in the journal. */
  ends: 'stop' | 'fenced';
  processes: Processes;
}

export function toolsOf(config: AgentConfig, place: ToolsPlace): Tools & { hooks: NodeHooks } {
  const { node, dir, stateDir, log, ends, processes } = place;
  const programs = new Programs({ stateDir, outside: [dir] });
  const journal = new OwnershipJournal({ stateDir, node, bootId: processes.bootId(), monotonicMs });
  const driver = driverOf(config.driver, {
    node,
    dir,
    programs,
    journal,
    ends,
    onProblem: (error) => log.error({}, `the ownership journal could not be written: ${error.message}`),
  });
  const hooks = new NodeHooks({ hooksDir: config.hooksDir, stateDir, node, dir, programs, log });
  return { driver, programs, hooks, journal, selfFence: config.selfFence };
}
