/**
 * The agent's private state directory: --state-dir > CFS_STATE_DIR > the agent's configuration > /var/lib/cfs/CLUSTER/NODE, a
 * client's /var/lib/cfs/CLUSTER/client~CLIENT. Where one process serves both and a directory D is given, D is the node's and
 * D/client~CLIENT the client's. No other host ever reads it. Nothing here touches the shared directory: `cfs agentd status` must answer while that hangs.
 *
 *   agentd.json   whose it is, and the process numbers of the agent that runs, or ran last
 *   agentd.lock   the process that has it now
 *   agentd.sock   answers `cfs agentd status`
 *   ownership.log, runs/, hooks/   see journal.ts, programs.ts, hooks.ts
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CfsError } from '../core/errors.js';
import { encodeName } from '../core/membership/leases.js';
import { escapeText } from '../render/format.js';
import { isSameServed, type Served, stateName } from './served.js';

export const STATE_HOME = '/var/lib/cfs';
const IDENTITY = 'agentd.json';

/** A process that cannot be mistaken for another of the same number. */
export interface ProcessId {
  pid: number;
  /** See Processes.startTime. */
  startTime: string;
  bootId: string;
}

/** Whose state directory it is. In the file it is `node` or `client`. */
export interface StateIdentity extends Served {
  /** The cluster directory, absolute. */
  dir: string;
  supervisor: ProcessId | null;
  worker: ProcessId | null;
}

type IdentityFile = Omit<StateIdentity, keyof Served> & { node?: string; client?: string };

export function readIdentity(stateDir: string): StateIdentity | null {
  try {
    const data = JSON.parse(readFileSync(join(stateDir, IDENTITY), 'utf8')) as Partial<IdentityFile> | null;
    const { node, client, dir, supervisor = null, worker = null } = data ?? {};
    const name = client ?? node;
    if (typeof name !== 'string' || typeof dir !== 'string') return null;
    return { role: client === undefined ? 'node' : 'client', name, dir, supervisor, worker };
  } catch {
    // Not there, not ours to read, or cut off by a full disk: nothing is known.
    return null;
  }
}

export function writeIdentity(stateDir: string, { role, name, ...rest }: StateIdentity): void {
  const identity: IdentityFile = { [role]: name, ...rest };
  const fresh = join(stateDir, `${IDENTITY}.${process.pid}`);
  writeFileSync(fresh, `${JSON.stringify(identity)}\n`, { mode: 0o600 });
  renameSync(fresh, join(stateDir, IDENTITY));
}

/** State directories of this host under `home` that some agent has used. */
export function knownStateDirs(home = STATE_HOME): { stateDir: string; identity: StateIdentity }[] {
  const list = (path: string): string[] => {
    try {
      return readdirSync(path);
    } catch {
      return [];
    }
  };
  const found: { stateDir: string; identity: StateIdentity }[] = [];
  for (const cluster of list(home)) {
    for (const served of list(join(home, cluster))) {
      const stateDir = join(home, cluster, served);
      const identity = readIdentity(stateDir);
      if (identity !== null) found.push({ stateDir, identity });
    }
  }
  return found;
}

export interface StateDirWish {
  /** --state-dir. */
  flag: string | undefined;
  /** `stateDir` of the configuration. */
  configured: string | null;
  served: Served;
  /** A client that is served beside a node: what is given is the node's, and the client's lies in it. */
  isBesideNode?: boolean;
  dir: string;
  /** Name of the cluster; asked only when nothing else tells, since it stands in the shared directory. */
  clusterName: () => string;
}

/** Which state directory an agent is to use; it need not exist yet. */
export function chooseStateDir(wish: StateDirWish): string {
  const { served, isBesideNode = false, dir, clusterName } = wish;
  const given = wish.flag ?? (process.env.CFS_STATE_DIR || wish.configured);
  if (given) return isBesideNode ? join(resolve(given), stateName(served)) : resolve(given);
  // A cluster that was given another name keeps its state.
  const used = knownStateDirs().find(({ identity }) => isSameServed(identity, served) && identity.dir === dir);
  return used?.stateDir ?? join(STATE_HOME, encodeName(clusterName()), stateName(served));
}

/**
 * Makes it, for its owner alone, or checks that it is.
 * @throws CfsError ACCESS_DENIED, UNSAFE_DIRECTORY, BAD_VALUE (it lies in the cluster directory), SYSTEM_ERROR
 */
export function makeStateDir(stateDir: string, clusterDir: string): void {
  const hint = 'Give another one that this user can write: --state-dir DIR, or "stateDir" in the configuration.';
  const name = escapeText(stateDir);
  if (`${stateDir}/`.startsWith(clusterDir.endsWith('/') ? clusterDir : `${clusterDir}/`)) {
    throw new CfsError('BAD_VALUE', `The state directory ${name} lies in the cluster directory`, {
      hint: 'It must be on the node itself: the agent stops what the node runs while the shared directory hangs.',
    });
  }
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(stateDir);
    const self = process.geteuid?.() ?? uid;
    if (uid !== self || (mode & 0o022) !== 0) {
      const why =
        uid === self ? `others can write it (mode ${(mode & 0o7777).toString(8)})` : `it belongs to user ${uid}`;
      throw new CfsError('UNSAFE_DIRECTORY', `The state directory ${name} is not safe: ${why}`, { hint });
    }
  } catch (error) {
    if (error instanceof CfsError) throw error;
    const { code = 'error' } = error as NodeJS.ErrnoException;
    const kind = code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 'ACCESS_DENIED' : 'SYSTEM_ERROR';
    throw new CfsError(kind, `The state directory ${name} cannot be made: ${code}`, {
      hint,
      errno: code,
      cause: error,
    });
  }
}
