/** The worker as the supervisor has it: a process in a group of its own, whom it tells and hears, and can kill. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Processes } from '../core/platform/processes.js';
import type { ToSupervisor, ToWorker } from './ipc.js';
import { signalGroup } from './run-program.js';
import type { ProcessId } from './state-dir.js';
import { processId } from './state-lock.js';

/** What people call the kernel's letters for the state of a process. */
const STATES: Record<string, string> = {
  R: 'running',
  S: 'running',
  I: 'running',
  D: 'stuck in a system call',
  T: 'stopped',
  t: 'stopped',
  Z: 'ended',
  X: 'ended',
};

export class WorkerProcess {
  readonly sinceMs = Date.now();
  readonly id: ProcessId;
  /** Resolves with a sentence when the process is gone and everything that it had said was heard. Never rejects. */
  readonly ended: Promise<string>;
  private readonly child: ChildProcess;
  private isOver = false;

  /** @param argv of node: its flags, the program, and arguments */
  constructor(argv: readonly string[], processes: Processes, onMessage: (message: ToSupervisor) => void) {
    this.child = spawn(process.execPath, argv, {
      cwd: '/',
      // A session and process group of its own: Ctrl-C is for the supervisor alone, and one signal kills all of it.
      detached: true,
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    const { child } = this;
    this.id = processId(processes, child.pid ?? 0);
    child.on('message', onMessage);
    const exited = new Promise<string>((resolve) => {
      child.on('exit', (status, signal) => {
        this.isOver = true;
        resolve(status === null ? `was killed by ${signal}` : `ended with status ${status}`);
      });
      child.on('error', (error) => {
        if (child.pid !== undefined) return;
        this.isOver = true;
        resolve(`could not be started: ${error.message}`);
      });
    });
    const heard = new Promise<void>((resolve) => {
      child.on('disconnect', resolve);
      child.on('error', () => {
        if (child.pid === undefined) resolve();
      });
    });
    this.ended = Promise.all([exited, heard]).then(([how]) => how);
  }

  send(message: ToWorker): void {
    // A worker that is going needs to hear nothing more.
    if (this.child.connected) this.child.send(message, () => {});
  }

  /** Kills its whole group, at once; one that is stuck in a system call ends when that does. */
  kill(): void {
    if (this.child.pid !== undefined && !this.isOver) signalGroup(this.child.pid, 'SIGKILL');
  }

  /** What it does by the kernel's word. */
  state(): string {
    if (this.isOver) return 'ended';
    try {
      const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
      return STATES[stat.charAt(stat.lastIndexOf(')') + 2)] ?? 'running';
    } catch {
      return 'ended';
    }
  }
}
