/** What touches the host, made from its configuration: for the supervisor, the worker and `cfs agentd stop-all`. */
import type { Log } from '../core/agent/ports.js';
import type { Processes } from '../core/platform/processes.js';
import type { AgentConfig } from './config.js';
import { driverOf } from './drivers/index.js';
import { NodeHooks } from './hooks.js';
import { OwnershipJournal } from './journal.js';
import { Programs } from './programs.js';
import { holderOf, type Served } from './served.js';
import { monotonicMs } from './supervisor-clock.js';
import type { Tools } from './supervisor-fence.js';

export interface ToolsPlace {
  served: Served;
  dir: string;
  stateDir: string;
  log: Log;
  /** What the end of a volume is called in the journal. */
  ends: 'stop' | 'fenced';
  processes: Processes;
}

/** What is the same for a node and a client. */
export type CommonTools = Omit<Tools, 'driver' | 'hooks'> & { hooks: NodeHooks; onProblem: (error: Error) => void };

export function commonTools(config: AgentConfig, place: ToolsPlace): CommonTools {
  const { served, dir, stateDir, log, ends, processes } = place;
  const programs = new Programs({ stateDir, outside: [dir], canDoWithoutMarks: ends === 'fenced' });
  return {
    programs,
    journal: new OwnershipJournal({ stateDir, node: holderOf(served), bootId: processes.bootId(), monotonicMs }),
    hooks: new NodeHooks({ hooksDir: config.hooksDir, stateDir, served, dir, programs, log }),
    selfFence: config.selfFence,
    onProblem: (error) => log.error({}, `the ownership journal could not be written: ${error.message}`),
  };
}

export function toolsOf(config: AgentConfig, place: ToolsPlace): CommonTools & Tools {
  const { served, dir, ends } = place;
  const common = commonTools(config, place);
  return { ...common, driver: driverOf(config.driver, { ...common, node: served.name, dir, ends }) };
}
