/**
 * Stops everything that the agent of this host started, when supervisor and worker are both gone: the unit's ExecStopPost. By
 * the ownership journal and by what the driver finds running; the shared directory is not touched. What a client's agent had mounted
 * for writing is made read-only, by force.
 */
import { CfsError } from '../core/errors.js';
import { quoteName } from '../core/model/names.js';
import { NodeProcesses } from '../node/processes.js';
import { loadTools } from './load-tools.js';
import type { LocalAgent } from './local-agent.js';
import { createLog } from './log.js';
import { killLeftPrograms } from './programs.js';
import { signalGroup } from './run-program.js';
import { makeStateDir } from './state-dir.js';
import { isAlive, lockState } from './state-lock.js';
import { monotonicMs } from './supervisor-clock.js';
import { Fence } from './supervisor-fence.js';
import type { NotStopped } from './supervisor-stops.js';

export interface StopAllRequest {
  timeoutMs: number;
  /** Run the host's self-fencing command when something cannot be stopped in time. */
  selfFence: boolean;
}

export interface StopAllReport {
  stopped: number;
  notStopped: NotStopped[];
}

/** How long a killed worker may take to be gone, ms. */
const GONE_MS = 5000;
/** How long the self-fencing command may take, ms. */
const SELF_FENCE_MS = 60_000;

/** @throws CfsError AGENT_RUNNING */
export async function stopAll(agent: LocalAgent, request: StopAllRequest): Promise<StopAllReport> {
  const { stateDir, identity, config } = agent;
  if (identity === null) return { stopped: 0, notStopped: [] };
  const { dir, worker } = identity;
  const processes = new NodeProcesses();
  makeStateDir(stateDir, dir);
  const unlock = lockState(stateDir, processes);
  const log = createLog({
    format: config.log ?? 'lines',
    level: config.logLevel,
    name: 'supervisor',
    served: identity,
  });
  try {
    if (worker !== null && isAlive(processes, worker)) {
      signalGroup(worker.pid, 'SIGKILL');
      const until = monotonicMs() + GONE_MS;
      while (isAlive(processes, worker) && monotonicMs() < until) await new Promise((next) => setTimeout(next, 20));
    }
    await killLeftPrograms(stateDir, 'everybody');
    const load = await loadTools(identity);
    const tools = load(config, { served: identity, dir, stateDir, log, ends: 'fenced', processes });
    const known = new Map(tools.journal.open().map((holding) => [holding.volume, holding]));
    try {
      for (const holding of await tools.driver.running()) known.set(holding.volume, holding);
    } catch (error) {
      log.error(
        {},
        `the driver cannot tell what runs, only what the journal says is ended: ${(error as Error).message}`,
      );
    }
    const fence = new Fence({
      served: identity,
      dir,
      stateDir,
      tools: { ...tools, selfFence: request.selfFence ? config.selfFence : null },
      log,
      why: 'the agent has ended and left it running',
      byMs: monotonicMs() + request.timeoutMs,
      holdings: [...known.values()],
      workerPid: null,
      onStopped: () => {},
    });
    const last = request.selfFence && config.selfFence !== null ? SELF_FENCE_MS : 0;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((over) => {
      timer = setTimeout(over, request.timeoutMs + last);
    });
    await Promise.race([fence.run(), late]);
    clearTimeout(timer);
    fence.giveUp();
    await tools.hooks.idle();
    return { stopped: fence.report.stopped, notStopped: fence.left };
  } finally {
    unlock();
    await log.end();
  }
}

/** @throws CfsError WAIT_TIMEOUT when something still runs */
export function requireAllStopped({ notStopped }: StopAllReport): void {
  if (notStopped.length === 0) return;
  const list = notStopped.slice(0, 5).map(({ volume, why }) => `${quoteName(volume)} (${why})`);
  throw new CfsError('WAIT_TIMEOUT', `Not stopped in time: ${list.join('; ')}`, {
    hint: 'Stop or unmount it by hand before others take it over, or turn this host off.',
    details: { notStopped },
  });
}
