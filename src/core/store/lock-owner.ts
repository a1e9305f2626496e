/** `lock.owner`: advice about who holds the lock. Never trusted for correctness. */
import { type FileIdentity, isSystemCallError } from '../platform/files.js';
import type { Json } from './json.js';
import { jsonMembers } from './json.js';
import type { Place } from './place.js';
import { readWhole, Unfit } from './read-file.js';
import type { LockHolder } from './store.js';

/** What the file holds; ino and birth are those of the lock directory it speaks of, in decimal. */
export interface LockOwner extends LockHolder {
  boot: string;
  /** Start time of the process, so that a reused number is not taken for it. */
  started: string;
  ino: string;
  birth: string;
  /** The newest generation that it knew then: where to begin to look for the newest one (head.ts). */
  generation: number | null;
}

const MAX_BYTES = 64 * 1024;

export function sameIdentity(
  a: { ino: bigint; birthtimeNs: bigint },
  b: { ino: bigint; birthtimeNs: bigint },
): boolean {
  return a.ino === b.ino && a.birthtimeNs === b.birthtimeNs;
}

export function ownsLock(owner: LockOwner, lock: FileIdentity): boolean {
  return owner.ino === String(lock.ino) && owner.birth === String(lock.birthtimeNs);
}

/** Puts our name beside the lock. Failing to is no reason not to go on: it is advice. */
export function writeOwner(place: Place, lock: FileIdentity, generation: number | null): void {
  const { files, processes, clock, random } = place.platform;
  const actor = processes.actor();
  const owner: LockOwner = {
    host: actor.host,
    pid: actor.pid,
    user: actor.user,
    command: actor.command.slice(0, 1000),
    since: new Date(clock.nowMs()).toISOString(),
    boot: processes.bootId(),
    started: processes.startTime(actor.pid),
    ino: String(lock.ino),
    birth: String(lock.birthtimeNs),
    generation,
  };
  const temporary = `${place.paths.lockOwner}.${random.hex(8)}`;
  try {
    const bytes = Buffer.from(`${JSON.stringify(owner)}\n`);
    const fd = files.openNew('owner.create', temporary, place.modes.file);
    try {
      files.write('owner.write', fd, bytes, 0, bytes.length);
    } finally {
      files.close('owner.close', fd);
    }
    files.rename('owner.rename', temporary, place.paths.lockOwner);
  } catch (error) {
    if (!isSystemCallError(error)) throw error;
  }
}

/** What `lock.owner` says, or null if there is none or it makes no sense. */
export function readOwner(place: Place): LockOwner | null {
  try {
    const bytes = readWhole(place.platform.files, 'owner', place.paths.lockOwner, MAX_BYTES);
    const m = jsonMembers(JSON.parse(bytes.toString('utf8')) as Json);
    const text = (name: string): string => {
      const value = m.get(name);
      if (typeof value !== 'string') throw new Unfit(`has no ${name}`);
      return value;
    };
    const pid = m.get('pid');
    if (typeof pid !== 'number') throw new Unfit('has no pid');
    return {
      host: text('host'),
      pid,
      user: text('user'),
      command: text('command'),
      since: text('since'),
      boot: text('boot'),
      started: text('started'),
      ino: text('ino'),
      birth: text('birth'),
      generation: wholeOrNull(m.get('generation')),
    };
  } catch (error) {
    if (error instanceof Unfit || error instanceof SyntaxError || isSystemCallError(error)) return null;
    throw error;
  }
}

function wholeOrNull(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null;
}

/** Whether the owner ran on this host since its last boot and is surely gone. */
export function isSurelyGone(place: Place, owner: LockOwner): boolean {
  const { processes } = place.platform;
  if (owner.host !== processes.host() || owner.boot === '' || owner.boot !== processes.bootId()) return false;
  if (!processes.exists(owner.pid)) return true;
  const started = processes.startTime(owner.pid);
  return started !== '' && owner.started !== '' && started !== owner.started;
}

export function holderOf(owner: LockOwner): LockHolder {
  return { host: owner.host, pid: owner.pid, user: owner.user, command: owner.command, since: owner.since };
}
