/** The process of `cfs agentd`: finds out which node, directory and state directory are meant, and becomes the supervisor. */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { chooseDir, chooseNode } from '../cli/where.js';
import { CfsError, type ErrorCode } from '../core/errors.js';
import { parseName } from '../core/model/names.js';
import type { Processes } from '../core/platform/processes.js';
import { NodeProcesses } from '../node/processes.js';
import { type AgentConfig, type LogFormat, type LogLevel, readAgentConfig } from './config.js';
import { type AgentLog, createLog } from './log.js';
import { Notifier } from './notify.js';
import { programArgv } from './program-files.js';
import { signalGroup } from './run-program.js';
import { serveStatus, socketPath } from './socket.js';
import { chooseStateDir, makeStateDir, readIdentity } from './state-dir.js';
import { isAlive, lockState } from './state-lock.js';
import { Supervisor } from './supervisor.js';
import { toolsOf } from './tools.js';

/** What was typed. */
export interface AgentdRequest {
  dir: string | undefined;
  node: string | undefined;
  stateDir: string | undefined;
  config: string | undefined;
  log: LogFormat | undefined;
  logLevel: LogLevel | undefined;
  drain: boolean;
}

/** Which agent is meant, found without touching the shared directory (but for the name of the cluster, the first time). */
export interface AgentPlace {
  node: string;
  dir: string;
  stateDir: string;
  config: AgentConfig;
}

/** @throws CfsError BAD_FILE, PROGRAM_NOT_TRUSTED, NO_CLUSTER_CHOSEN, BAD_NAME, and what the cluster cannot be opened for */
export function placeOf(request: Pick<AgentdRequest, 'dir' | 'node' | 'stateDir' | 'config'>): AgentPlace {
  const config = readAgentConfig(request.config);
  const node = parseName('node', chooseNode(request.node ?? (process.env.CFS_NODE || config.node) ?? undefined));
  const { dir } = chooseDir(request.dir ?? (process.env.CFS_DIR || config.dir) ?? undefined);
  const wish = { flag: request.stateDir, configured: config.stateDir, node, dir };
  return { node, dir, config, stateDir: chooseStateDir({ ...wish, clusterName: () => clusterName(dir) }) };
}

/** Of `cfs cluster show --json`. */
interface ClusterShown {
  settings?: { name: string; value: string }[];
  error?: { code: ErrorCode; message: string; hint?: string };
}

/** Asked in another process, which may hang where this one must not. */
function clusterName(dir: string): string {
  const argv = [process.argv[1]!, 'cluster', 'show', '--json', '--dir', dir];
  const { status, stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 30_000 });
  try {
    const told = JSON.parse(stdout) as ClusterShown;
    if (told.error !== undefined) throw new CfsError(told.error.code, told.error.message, told.error);
    const name = told.settings?.find((setting) => setting.name === 'name')?.value;
    if (status === 0 && name !== undefined) return name;
  } catch (error) {
    if (error instanceof CfsError) throw error;
  }
  throw new CfsError('IO_ERROR', `The name of the cluster in ${dir} could not be read within 30 s`, {
    hint: 'See whether the shared volume answers; or name the state directory: --state-dir DIR.',
  });
}

/** Half a gigabyte holds 100,000 volumes; small young generations keep an idle worker small. */
const WORKER_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=1024'];

/** How a worker is started; the last arguments are for whoever looks at the list of processes. */
function workerArgv(node: string): string[] {
  return [...WORKER_FLAGS, ...programArgv('agentd-worker.cjs', './worker-main.ts'), '--node', node];
}

/**
 * Runs the agent until it is told to end.
 * @returns the exit status
 * @throws CfsError as placeOf; AGENT_RUNNING, AGENT_ELSEWHERE, ACCESS_DENIED, and what the worker could not start for
 */
export async function runAgentd(request: AgentdRequest, argvOf = workerArgv): Promise<number> {
  // This process computes nothing: without the optimizing compiler it is 3 MB smaller.
  setFlagsFromString('--no-opt');
  const { node, dir, stateDir, config } = placeOf(request);
  const processes = new NodeProcesses();
  makeStateDir(stateDir, dir);
  const unlock = lockState(stateDir, processes);
  const settled = (read: AgentConfig): AgentConfig => ({
    ...read,
    log: request.log ?? read.log ?? 'lines',
    logLevel: request.logLevel ?? read.logLevel,
    drainOnStop: request.drain || read.drainOnStop,
  });
  const first = settled(config);
  const log = createLog({ format: first.log!, level: first.logLevel, name: 'supervisor', node });
  const notifier = new Notifier((problem) => log.warn({}, problem));
  log.info({ pid: process.pid, dir, stateDir }, `agent of node ${node} begins`);
  await removeFormerWorker(stateDir, processes, log);
  const supervisor = new Supervisor({
    start: { node, dir, stateDir, config: first },
    workerArgv: argvOf(node),
    processes,
    log,
    notifier,
    toolsOf: (now) => toolsOf(now, { node, dir, stateDir, log, ends: 'fenced', processes }),
  });
  const reload = () => {
    notifier.reloading();
    try {
      supervisor.reload(settled(readAgentConfig(request.config)));
    } catch (error) {
      log.error({}, `the configuration stays as it was: ${(error as Error).message}`);
    }
    notifier.send('READY=1');
  };
  const leave = () => supervisor.leave();
  process.on('SIGHUP', reload).on('SIGTERM', leave).on('SIGINT', leave);
  const server = await serveStatus(stateDir, () => supervisor.status());
  try {
    return await supervisor.run();
  } finally {
    server.close();
    rmSync(socketPath(stateDir), { force: true });
    unlock();
    await notifier.idle();
    await log.end();
  }
}

/** A supervisor that was killed may have left its worker behind, which is about to end. */
async function removeFormerWorker(stateDir: string, processes: Processes, log: AgentLog): Promise<void> {
  const worker = readIdentity(stateDir)?.worker ?? null;
  if (worker === null || !isAlive(processes, worker)) return;
  log.warn({ pid: worker.pid }, 'the worker of a former agent is still there: it is killed');
  signalGroup(worker.pid, 'SIGKILL');
  const began = Date.now();
  for (let told = false; isAlive(processes, worker); ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (told || Date.now() - began < 1000) continue;
    told = true;
    log.error({ pid: worker.pid }, 'it is stuck in a system call: waiting until it is gone');
  }
}
