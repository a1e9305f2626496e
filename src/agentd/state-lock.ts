/**
 * One agent per state directory: STATE/agentd.lock names the process that has it. One that is gone, or whose number now belongs to
 * another process, or that ran before the last boot, has left it behind.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CfsError } from '../core/errors.js';
import type { Processes } from '../core/platform/processes.js';
import { escapeText } from '../render/format.js';
import type { ProcessId } from './state-dir.js';

const LOCK = 'agentd.lock';

export function processId(processes: Processes, pid: number): ProcessId {
  return { pid, startTime: processes.startTime(pid), bootId: processes.bootId() };
}

/** Whether that very process is still there (a zombie is not). */
export function isAlive(processes: Processes, id: ProcessId): boolean {
  const isThere =
    id.bootId === processes.bootId() && processes.startTime(id.pid) === id.startTime && id.startTime !== '';
  return isThere && !/\) [ZX] /.test(read(`/proc/${id.pid}/stat`) ?? '');
}

/** The living process that has the state directory. */
export function lockHolder(stateDir: string, processes: Processes): ProcessId | null {
  const id = parse(read(join(stateDir, LOCK)));
  return id !== null && isAlive(processes, id) ? id : null;
}

/**
 * Takes the state directory for this process.
 * @returns what gives it back
 * @throws CfsError AGENT_RUNNING
 */
export function lockState(stateDir: string, processes: Processes): () => void {
  const lock = join(stateDir, LOCK);
  const mine = `${JSON.stringify(processId(processes, processes.pid))}\n`;
  const fresh = join(stateDir, `${LOCK}.${processes.pid}`);
  writeFileSync(fresh, mine, { mode: 0o600 });
  try {
    for (;;) {
      try {
        linkSync(fresh, lock);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const found = read(lock);
      const id = parse(found);
      if (id !== null && isAlive(processes, id)) refuse(stateDir, id);
      // By rename, so that of two who find it left behind one alone takes it away.
      const aside = `${fresh}.old`;
      try {
        renameSync(lock, aside);
      } catch {
        continue;
      }
      // Somebody was faster and has taken it since we looked: it goes back.
      if (read(aside) !== found) linkSync(aside, lock);
      rmSync(aside, { force: true });
    }
  } finally {
    rmSync(fresh, { force: true });
  }
  return () => {
    if (read(lock) === mine) rmSync(lock, { force: true });
  };
}

function refuse(stateDir: string, id: ProcessId): never {
  throw new CfsError('AGENT_RUNNING', `An agent runs already with this state directory: process ${id.pid}`, {
    hint: `Look at it: cfs agentd status --state-dir ${escapeText(stateDir)}`,
    details: { stateDir, pid: id.pid },
  });
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function parse(text: string | null): ProcessId | null {
  try {
    const id = JSON.parse(text ?? 'null') as ProcessId | null;
    return typeof id?.pid === 'number' && typeof id.startTime === 'string' ? id : null;
  } catch {
    return null;
  }
}
