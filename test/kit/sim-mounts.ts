/** The mounts of a simulated client's host, and the driver that makes them: slow, failing, and kept busy by programs. */
import { MountBusyError, type MountDriver } from '../../src/core/access/agent/ports.js';
import type { SimClientHost } from './sim-client-host.js';
import type { SimProcess } from './sim-world.js';

/** What is mounted read-only, and what programs do; mounts for writing are what the host runs (SimNode.running). */
export class HostMounts {
  /** With the version of the volume that each shows. */
  readonly readOnly = new Map<string, number>();
  /** Volumes on which programs have files open. */
  readonly open = new Set<string>();

  clear(): void {
    this.readOnly.clear();
    this.open.clear();
  }
}

/**
 * The driver as one process uses it: what it began ends with that process, what it mounted stays. A volume counts as mounted for
 * writing from the moment the driver is asked for it, and until the call that makes it read-only has come to its end.
 */
export function simMounts(host: SimClientHost, process: SimProcess): MountDriver {
  const { world, device } = host.cluster;
  const { chance } = world;
  const { running, mounts } = host;
  const call = (failure: number, says: string, effect: () => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const { usualMs, slow, slowMs } = host.habits;
      const isFailing = chance.happens(failure);
      const ms = chance.happens(slow) ? chance.between(usualMs, slowMs) : chance.between(1, usualMs);
      const end = (): void => {
        try {
          if (isFailing) throw new Error(says);
          effect();
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      world.after(ms, end, process);
    });
  const give = (volume: string, force: boolean, effect: () => void): Promise<void> => {
    if (force) mounts.open.delete(volume);
    return call(host.habits.failedStops, 'it cannot be done today', () => {
      if (mounts.open.has(volume) && !force) throw new MountBusyError('vi (pid 7) has notes.txt open', []);
      effect();
    });
  };
  return {
    name: 'simulated',
    async mount(volume, mode, { epoch, force }) {
      if (mode === 'ro' && host.flaw !== 'eager') {
        const isMade = running.has(volume) || mounts.readOnly.has(volume);
        const effect = (): void => {
          host.stopped(volume);
          mounts.readOnly.set(volume, device.versionOf(volume));
        };
        if (isMade) await give(volume, force, effect);
        else await call(host.habits.failedStarts, 'it does not mount today', effect);
        return;
      }
      if (running.has(volume)) return;
      if (mounts.readOnly.has(volume) && mounts.open.has(volume)) {
        throw new MountBusyError('less (pid 8) has notes.txt open', []);
      }
      mounts.readOnly.delete(volume);
      host.began(volume, epoch);
      await call(host.habits.failedStarts, 'it does not mount today', () => {});
    },
    async unmount(volume, { force }) {
      if (!running.has(volume) && !mounts.readOnly.has(volume)) return;
      await give(volume, force, () => {
        host.stopped(volume);
        mounts.readOnly.delete(volume);
      });
    },
    mounted: async () => [
      ...(host.flaw === 'forgetful' ? [] : [...running.keys()].map((volume) => ({ volume, mode: 'rw' as const }))),
      ...[...mounts.readOnly.keys()].map((volume) => ({ volume, mode: 'ro' as const })),
    ],
    written: async (volume) =>
      running.has(volume) || mounts.readOnly.has(volume) ? `${device.versionOf(volume)}` : null,
  };
}

/** What stands on the volumes: a version that every write raises. */
export class SimDevice {
  private readonly versions = new Map<string, number>();
  /** Who wrote last, by volume. */
  readonly writers = new Map<string, string>();

  versionOf(volume: string): number {
    return this.versions.get(volume) ?? 0;
  }

  write(volume: string, client: string): void {
    this.versions.set(volume, this.versionOf(volume) + 1);
    this.writers.set(volume, client);
  }
}
