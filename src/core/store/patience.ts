/** Trying a read again while caches lag (R5): at most 8 times within about 1.3 s. */

import type { Clock } from '../platform/clock.js';
import { isSystemCallError } from '../platform/files.js';
import { Unfit } from './read-file.js';

const DELAYS_MS = [5, 10, 20, 40, 80, 160, 320, 640];

/** "No such file" and ESTALE: collected meanwhile, or caches lag. Unfit: perhaps not all of it has arrived yet. */
export function isWorthAnother(error: unknown): boolean {
  return error instanceof Unfit || isSystemCallError(error, 'ENOENT', 'ESTALE');
}

/**
 * @param giveUp makes the final error of the last one
 * @throws what `giveUp` returns; any other error at once
 */
export function patiently<T>(clock: Clock, attempt: () => T, giveUp: (error: Error) => unknown): T {
  for (let i = 0; ; i++) {
    try {
      return attempt();
    } catch (error) {
      if (!isWorthAnother(error)) throw error;
      if (i === DELAYS_MS.length) throw giveUp(error as Error);
      clock.sleepSync(DELAYS_MS[i]!);
    }
  }
}
