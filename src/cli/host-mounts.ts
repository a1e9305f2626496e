/**
 * The mounts of a client without an agent, as its own host's driver sees them: a command does what the agent would do. Commands
 * of one host exclude one another (`exclusively`): between a commit and the mount that follows it nobody else gives the right away.
 */
import { killLeftPrograms } from '../agentd/programs.js';
import { makeStateDir } from '../agentd/state-dir.js';
import { lockState } from '../agentd/state-lock.js';
import { MountBusyError } from '../core/access/agent/ports.js';
import { desiredMode, type MountMode } from '../core/access/desired.js';
import { volumeAccessOf, writerOf } from '../core/access/look.js';
import { CfsError } from '../core/errors.js';
import { quoteName } from '../core/model/names.js';
import type { Snapshot } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';
import type { ClientHost } from './client-host.js';

/** What was mounted, and what is mounted instead. */
export interface MountStep {
  volume: string;
  from: MountMode;
  to: MountMode;
}

const RANK: Record<MountMode, number> = { none: 0, ro: 1, rw: 2 };

/** Whether `a` allows more than `b`. */
export function isMore(a: MountMode, b: MountMode): boolean {
  return RANK[a] > RANK[b];
}

export class HostMounts {
  /** What was done, in order. */
  readonly steps: MountStep[] = [];
  private modes = new Map<string, MountMode>();

  constructor(
    private readonly host: ClientHost,
    private readonly force: boolean,
  ) {}

  /** Asks the driver what is mounted. */
  async look(): Promise<void> {
    const found = await this.attempt(null, () => this.host.driver.mounted());
    this.modes = new Map(found.map(({ volume, mode }) => [volume, mode]));
  }

  modeOf(volume: string): MountMode {
    return this.modes.get(volume) ?? 'none';
  }

  /** Every volume that is mounted, with its mode. */
  mounted(): [volume: string, mode: MountMode][] {
    return [...this.modes].filter(([, mode]) => mode !== 'none');
  }

  /**
   * Brings a mount to what is desired by the snapshot; one that is right already is left alone, unless `anew`.
   * @throws CfsError MOUNT_BUSY, MOUNT_FAILED, SOFTWARE_LOCKED
   */
  async follow(volume: string, snapshot: Snapshot, anew = false): Promise<void> {
    await this.bring(volume, desiredMode(snapshot, volume, this.host.client), snapshot, anew);
  }

  /** @throws CfsError MOUNT_BUSY, MOUNT_FAILED, SOFTWARE_LOCKED */
  async bring(volume: string, to: MountMode, snapshot: Snapshot, anew = false): Promise<void> {
    const from = this.modeOf(volume);
    if (from === to && !(anew && to === 'ro')) return;
    const { driver } = this.host;
    const { force } = this;
    await this.attempt(volume, () =>
      to === 'none'
        ? driver.unmount(volume, { force })
        : driver.mount(volume, to, {
            force,
            epoch: to === 'rw' ? writerOf(snapshot, volume).since : snapshot.generation,
            softwareLock: volumeAccessOf(snapshot, volume).softwareLock,
          }),
    );
    this.modes.set(volume, to);
    this.steps.push({ volume, from, to });
  }

  private async attempt<T>(volume: string | null, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof CfsError) throw error;
      if (!(error instanceof Error)) throw error;
      const { client } = this.host;
      if (error instanceof MountBusyError) {
        throw new CfsError('MOUNT_BUSY', error.message, {
          hint: 'End these programs, or let --force end them.',
          details: { volume, client, holders: error.holders.slice(0, 20) },
          cause: error,
        });
      }
      const what = volume === null ? 'The mounts here cannot be told' : `Volume ${quoteName(volume)} cannot be mounted`;
      throw new CfsError('MOUNT_FAILED', `${what}: ${error.message}`, {
        hint: `When it is repaired: cfs volume mount --reconcile --client ${client}`,
        details: { volume, client },
        cause: error,
      });
    }
  }
}

/** How long a command waits for another one that mounts for the same client here, ms. */
const LOCK_TIMEOUT_MS = 60_000;
const LOCK_POLL_MS = 20;

/**
 * Runs `work` while no other command mounts for this client on this host. A command that was killed leaves nothing that holds others up.
 * @throws CfsError MOUNT_BUSY (another one is at it for a minute), what makeStateDir throws
 */
export async function exclusively<T>(
  cluster: DirectoryCluster,
  { client, locksDir }: ClientHost,
  work: () => Promise<T>,
): Promise<T> {
  const { clock, processes } = cluster.store.place.platform;
  makeStateDir(locksDir, cluster.dir);
  const endMs = clock.monotonicMs() + LOCK_TIMEOUT_MS;
  let unlock: () => void;
  for (;;) {
    try {
      unlock = lockState(locksDir, processes);
      break;
    } catch (error) {
      if (!(error instanceof CfsError) || error.code !== 'AGENT_RUNNING') throw error;
      if (clock.monotonicMs() >= endMs) {
        const { pid } = error.details as { pid: number };
        throw new CfsError('MOUNT_BUSY', `Process ${pid} changes the mounts of client ${quoteName(client)}`, {
          hint: 'Wait for it, or end it; then try again.',
          details: { client, pid },
        });
      }
    }
    await clock.sleep(LOCK_POLL_MS);
  }
  try {
    await endLeft(client, locksDir);
    return await work();
  } finally {
    unlock();
  }
}

/** A command that was killed may have left its driver's program at work: it must not mount behind our back. */
async function endLeft(client: string, locksDir: string): Promise<void> {
  const stuck = await killLeftPrograms(locksDir, 'everybody');
  if (stuck.length === 0) return;
  throw new CfsError('MOUNT_BUSY', `A program that mounts for client ${quoteName(client)} here cannot be ended`, {
    hint: `It hangs in the kernel, and bears CFS_RUN=${stuck[0]} in its environment.`,
    details: { client, runs: stuck },
  });
}
