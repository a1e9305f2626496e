/** What the work of a worker is given by its process (worker-main.ts), and ends with. */
import type { ThreadDecider } from './decider.js';
import type { NodeHooks } from './hooks.js';
import type { ToSupervisor, ToWorker, WorkerStart } from './ipc.js';
import type { AgentLog } from './log.js';
import type { Programs } from './programs.js';

export interface WorkerContext {
  start: WorkerStart;
  log: AgentLog;
  /** Listens to what the supervisor says, also before; null: the channel broke, the supervisor is gone. */
  onOrder(listen: (order: ToWorker | null) => void): void;
}

/** How long hooks that were begun before the end may take then, ms. */
const HOOKS_MS = 5000;

/** Sends, and resolves when it is on its way: what is sent before the process ends must arrive. */
export function tell(message: ToSupervisor): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

/** The end in order: the lease says that it left. */
export async function endWork(parts: {
  decider: ThreadDecider;
  hooks: Pick<NodeHooks, 'idle'>;
  programs: Programs;
}): Promise<void> {
  await tell({ kind: 'left' });
  await parts.decider.close();
  await Promise.race([parts.hooks.idle(), new Promise((resolve) => setTimeout(resolve, HOOKS_MS))]);
  parts.programs.killAll();
}
