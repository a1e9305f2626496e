/**
 * One agent in the process of `cfs agentd`: of a node or of a client, with a state directory, a lock on it, a log, a status socket and a
 * supervisor of its own. Whether it is alone or one of two makes no difference to it.
 */
import { rmSync } from 'node:fs';
import { CfsError } from '../core/errors.js';
import type { Processes } from '../core/platform/processes.js';
import { escapeText } from '../render/format.js';
import type { AgentConfig } from './config.js';
import { loadTools } from './load-tools.js';
import { type AgentLog, createLog } from './log.js';
import type { Notifier } from './notify.js';
import type { AgentPlace } from './places.js';
import { signalGroup } from './run-program.js';
import { servedText } from './served.js';
import { serveStatus, socketPath } from './socket.js';
import { makeStateDir, readIdentity } from './state-dir.js';
import { isAlive, lockState } from './state-lock.js';
import { Supervisor } from './supervisor.js';

export interface PartOptions {
  place: AgentPlace;
  config: AgentConfig;
  workerArgv: readonly string[];
  processes: Processes;
  notifier: Pick<Notifier, 'send' | 'says'>;
  /** What status says besides: another one in this process has ended. */
  problems: () => string[];
}

export class AgentPart {
  readonly log: AgentLog;
  private config: AgentConfig;
  private supervisor: Supervisor | null = null;
  /** How often it was asked to leave. */
  private asked = 0;

  constructor(private readonly options: PartOptions) {
    this.config = options.config;
    const { log, logLevel } = this.config;
    this.log = createLog({ format: log ?? 'lines', level: logLevel, name: 'supervisor', served: options.place });
  }

  /** `client c1`. */
  get text(): string {
    return servedText(this.options.place);
  }

  /**
   * Runs until it is told to end, or cannot go on. May be called again then.
   * @returns exit status: 0 when everything was stopped
   * @throws CfsError UNSAFE_DIRECTORY, BAD_VALUE, AGENT_RUNNING, AGENT_ELSEWHERE, and what the worker could not start for
   */
  async run(): Promise<number> {
    const { place, processes, workerArgv, notifier } = this.options;
    const { role, name, dir, stateDir } = place;
    makeStateDir(stateDir, dir);
    this.refuseStranger();
    const unlock = lockState(stateDir, processes);
    const { log } = this;
    try {
      log.info({ pid: process.pid, dir, stateDir }, `agent of ${this.text} begins`);
      await this.removeFormerWorker();
      const tools = await loadTools(place);
      const supervisor = new Supervisor({
        start: { role, name, dir, stateDir, config: this.config },
        workerArgv,
        processes,
        log,
        notifier,
        toolsOf: (now) => tools(now, { served: place, dir, stateDir, log, ends: 'fenced', processes }),
      });
      this.supervisor = supervisor;
      const server = await serveStatus(stateDir, () => {
        const status = supervisor.status();
        return { ...status, problems: [...status.problems, ...this.options.problems()] };
      });
      try {
        for (let i = 0; i < this.asked; i++) supervisor.leave();
        return await supervisor.run();
      } finally {
        this.supervisor = null;
        server.close();
        rmSync(socketPath(stateDir), { force: true });
      }
    } finally {
      unlock();
    }
  }

  leave(): void {
    this.asked++;
    this.supervisor?.leave();
  }

  reload(config: AgentConfig): void {
    const { role, name } = this.options.place;
    if (role === 'client' && this.config.client?.name === name && config.client?.name !== name) {
      // By the record driver, which would take its place, nothing that is mounted could be made read-only.
      this.log.error({}, `the configuration stays as it was: the new one says nothing of client ${name}`);
      return;
    }
    this.config = config;
    this.supervisor?.reload(config);
  }

  /** @throws CfsError BAD_VALUE the directory is that of another agent, whose journal says nothing of this one */
  private refuseStranger(): void {
    const { place } = this.options;
    const found = readIdentity(place.stateDir);
    if (found === null || found.role === place.role) return;
    throw new CfsError(
      'BAD_VALUE',
      `The state directory ${escapeText(place.stateDir)} is that of ${servedText(found)}, not of ${this.text}`,
      { hint: 'Give each agent a directory of its own: --state-dir DIR.' },
    );
  }

  /** A supervisor that was killed may have left its worker behind, which is about to end. */
  private async removeFormerWorker(): Promise<void> {
    const { place, processes } = this.options;
    const worker = readIdentity(place.stateDir)?.worker ?? null;
    if (worker === null || !isAlive(processes, worker)) return;
    this.log.warn({ pid: worker.pid }, 'the worker of a former agent is still there: it is killed');
    signalGroup(worker.pid, 'SIGKILL');
    const began = Date.now();
    for (let told = false; isAlive(processes, worker) && this.asked === 0; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (told || Date.now() - began < 1000) continue;
      told = true;
      this.log.error({ pid: worker.pid }, 'it is stuck in a system call: waiting until it is gone');
    }
  }
}
