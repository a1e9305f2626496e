/**
 * What a client's agent does with what it finds mounted: nobody renewed the lease meanwhile, so that others may write by now. Whatever
 * is mounted for writing is made read-only first, by force; the shared directory is not needed for that.
 */
import { messageOf } from '../../agent/guard.js';
import type { ClientWorkerOptions, RealMount } from './ports.js';

const PAUSE_MS = 1000;

/** Tries until nothing is mounted for writing. @returns what is mounted read-only then */
export async function makeFoundReadOnly(options: ClientWorkerOptions, isEnding: () => boolean): Promise<RealMount[]> {
  const { driver, supervisor, log, platform } = options;
  let says = '';
  for (let told = new Set<string>(); ; ) {
    try {
      const found = await driver.mounted();
      const writable = found.filter(({ mode }) => mode === 'rw');
      for (const { volume } of writable) if (!told.has(volume)) supervisor.holds({ volume, epoch: 0 });
      told = new Set([...told, ...writable.map(({ volume }) => volume)]);
      if (writable.length > 0) {
        log.warn(
          { volumes: writable.map(({ volume }) => volume) },
          'found mounted for writing, is made read-only first',
        );
      }
      const made = await Promise.all(writable.map(({ volume }) => makeReadOnly(options, volume)));
      if (!made.includes(null)) {
        for (const volume of told) supervisor.released(volume);
        const gone = new Set(writable.filter((_, i) => made[i] === 'none').map(({ volume }) => volume));
        return found.filter(({ volume }) => !gone.has(volume)).map(({ volume }) => ({ volume, mode: 'ro' }));
      }
    } catch (error) {
      const now = `cannot find out what is mounted here: ${messageOf(error)}`;
      const { hint } = error as { hint?: string };
      if (now !== says) log.error({}, hint === undefined ? now : `${now}. ${hint}`);
      says = now;
      // What is mounted must be made read-only also by an agent that is to end; only the asking may be given up.
      if (isEnding() && told.size === 0) return [];
    }
    await platform.clock.sleep(PAUSE_MS);
  }
}

/** @returns how it is mounted then; null: it could not be done */
async function makeReadOnly({ driver, log }: ClientWorkerOptions, volume: string): Promise<'ro' | 'none' | null> {
  try {
    await driver.mount(volume, 'ro', { epoch: 0, force: true, softwareLock: true });
    return 'ro';
  } catch (error) {
    log.error({ volume }, `volume ${volume} cannot be made read-only and is unmounted: ${messageOf(error)}`);
  }
  try {
    await driver.unmount(volume, { force: true });
    return 'none';
  } catch (error) {
    log.error({ volume }, `volume ${volume} cannot be unmounted: ${messageOf(error)}`);
    return null;
  }
}
