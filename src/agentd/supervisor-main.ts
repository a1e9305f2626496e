/**
 * The process of `cfs agentd`: finds out whom it is to serve, and becomes the supervisor of a node's worker, of a client's, or of both.
 * What two of them share: signals, messages to systemd, and the end. Where one cannot go on, that is said, the other goes on, and
 * SIGHUP tries it again; its failure is the exit status when both have ended.
 */
import { setFlagsFromString } from 'node:v8';
import { CfsError } from '../core/errors.js';
import { NodeProcesses } from '../node/processes.js';
import { AgentPart } from './agent-part.js';
import { type AgentConfig, type LogFormat, type LogLevel, readAgentConfig } from './config.js';
import { Notifier } from './notify.js';
import { type AgentPlace, type PlaceRequest, placesOf } from './places.js';
import { programArgv } from './program-files.js';
import { type Served, servedText } from './served.js';
import { SharedNotifier } from './shared-notifier.js';

/** What was typed. */
export interface AgentdRequest extends PlaceRequest {
  config: string | undefined;
  log: LogFormat | undefined;
  logLevel: LogLevel | undefined;
  drain: boolean;
}

/** Half a gigabyte holds 100,000 volumes; small young generations keep an idle worker small. */
const WORKER_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=1024'];

/** How a worker is started; the last arguments are for whoever looks at the list of processes. */
function workerArgv({ role, name }: Served): string[] {
  return [...WORKER_FLAGS, ...programArgv('agentd-worker.cjs', './worker-main.ts'), `--${role}`, name];
}

/**
 * Runs the agent until it is told to end.
 * @returns the exit status
 * @throws CfsError as readAgentConfig and placesOf; USAGE; AGENT_RUNNING, AGENT_ELSEWHERE, ACCESS_DENIED, and what a worker could not
 *   start for
 */
export async function runAgentd(request: AgentdRequest, argvOf = workerArgv): Promise<number> {
  // This process computes nothing: without the optimizing compiler it is 3 MB smaller.
  setFlagsFromString('--no-opt');
  const read = readAgentConfig(request.config);
  const places = placesOf(request, read);
  refuseDrain(request, places);
  const settled = (config: AgentConfig, { role }: Served): AgentConfig => ({
    ...config,
    log: request.log ?? config.log ?? 'lines',
    logLevel: request.logLevel ?? config.logLevel,
    // A client has nothing that others were to be given before: its rights pass on in any case.
    drainOnStop: role === 'node' && (request.drain || config.drainOnStop),
  });
  const processes = new NodeProcesses();
  const notifier = new Notifier((problem) => parts[0]!.log.warn({}, problem));
  const shared = new SharedNotifier(notifier, places.map(servedText));
  /** What those that cannot go on have said, for the status of the other. */
  const failures = new Map<AgentPart, string>();
  const parts = places.map((place) => {
    const config = settled(read, place);
    return new AgentPart({
      place,
      config,
      workerArgv: argvOf(place),
      processes,
      notifier: shared.of(servedText(place)),
      problems: () => [...failures.values()],
    });
  });
  let revive: () => void = () => {};
  process.on('SIGHUP', () => {
    notifier.reloading();
    try {
      const config = readAgentConfig(request.config);
      for (const [i, part] of parts.entries()) part.reload(settled(config, places[i]!));
    } catch (error) {
      for (const part of parts) part.log.error({}, `the configuration stays as it was: ${(error as Error).message}`);
    }
    revive();
    notifier.send('READY=1');
  });
  let isLeaving = false;
  const leave = () => {
    isLeaving = true;
    for (const part of parts) part.leave();
    revive();
  };
  process.on('SIGTERM', leave).on('SIGINT', leave);

  const running = new Set(parts);
  const over = (part: AgentPart) => {
    running.delete(part);
    shared.gone(part.text);
    if (running.size === 0) revive();
  };
  /** One part's life. When it cannot go on and the other does, it waits to be tried again. */
  const live = async (part: AgentPart): Promise<number> => {
    for (;;) {
      try {
        return await part.run().finally(() => over(part));
      } catch (error) {
        const says = endSentence(part, error, [...running]);
        if (parts.length > 1) part.log.error({}, says);
        failures.set(part, `${says}.`);
        if (running.size > 0 && !isLeaving) {
          await new Promise<void>((resolve) => {
            revive = resolve;
          });
        }
        if (running.size === 0 || isLeaving) throw error;
        failures.delete(part);
        running.add(part);
      }
    }
  };
  try {
    return statusOf(await Promise.allSettled(parts.map(live)));
  } finally {
    await notifier.idle();
    await Promise.all(parts.map((part) => part.log.end()));
  }
}

function endSentence(part: AgentPart, error: unknown, running: readonly AgentPart[]): string {
  const hint = error instanceof CfsError && error.hint !== undefined ? `. ${error.hint.replace(/\.$/, '')}` : '';
  const why = `${error instanceof Error ? error.message : error}${hint}`;
  const others = running.map(({ text }) => text).join(' and ');
  const rest = others === '' ? '' : `; that of ${others} goes on, and reload (SIGHUP) tries this one again`;
  return `The agent of ${part.text} has ended${rest}. Why: ${why.replace(/\.$/, '')}`;
}

/** Of the first that failed, a node's before a client's; else the worst. @throws that failure */
function statusOf(ends: readonly PromiseSettledResult<number>[]): number {
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return Math.max(...ends.map((end) => (end.status === 'fulfilled' ? end.value : 0)));
}

/** @throws CfsError USAGE */
function refuseDrain({ drain }: AgentdRequest, places: readonly AgentPlace[]): void {
  if (!drain || places.some(({ role }) => role === 'node')) return;
  throw new CfsError('USAGE', '--drain is for the agent of a node', {
    hint: "A client's agent always gives its rights to write to whoever waits for them. Leave --drain out.",
  });
}
