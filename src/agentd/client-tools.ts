/** What touches a client's host, made from its configuration: for the supervisor, the worker and `cfs agentd stop-all`. */
import type { AutoAnswer, MountDriver } from '../core/access/agent/ports.js';
import { ProgramAnswer } from './auto-answer.js';
import type { ClientConfig } from './client-config.js';
import type { AgentConfig } from './config.js';
import { JournaledDriver } from './drivers/journaled.js';
import { HeldMounts } from './held-mounts.js';
import { JournaledMounts } from './journaled-mounts.js';
import { mountDriverOf } from './mounts/index.js';
import type { Tools } from './supervisor-fence.js';
import { type CommonTools, commonTools, type ToolsPlace } from './tools.js';

export interface ClientTools extends CommonTools, Pick<Tools, 'driver'> {
  /** For the worker: every mount for writing through it stands in the journal. */
  mounts: MountDriver;
  answer: AutoAnswer;
}

/** What the configuration says of this client; null: nothing, as on a host that was configured for another one. */
export function configOfClient({ client }: AgentConfig, name: string): ClientConfig | null {
  return client?.name === name ? client : null;
}

export function clientToolsOf(config: AgentConfig, place: ToolsPlace): ClientTools {
  const { served, dir, stateDir, log, ends } = place;
  const common = commonTools(config, place);
  const { programs, journal, onProblem } = common;
  const own = configOfClient(config, served.name);
  // Others take over at a fixed time: who fences cannot ask programs to end first.
  const grace = ends === 'fenced' ? { graceMs: 0 } : {};
  const driver = mountDriverOf(own, { client: served.name, dir, stateDir, programs, log, ...grace });
  const options = { ends, onProblem };
  return {
    ...common,
    mounts: new JournaledMounts(driver, journal, options),
    // Without the other's journal: one line for each end.
    driver: new JournaledDriver(new HeldMounts(driver, journal), journal, options),
    answer: new ProgramAnswer({
      client: served.name,
      dir,
      program: own?.autoRespond ?? null,
      timeoutMs: own?.autoRespondTimeoutMs ?? DEFAULT_ANSWER_MS,
      programs,
    }),
  };
}

/** Only where nothing is configured: no program, nothing that could take long. */
const DEFAULT_ANSWER_MS = 30_000;
