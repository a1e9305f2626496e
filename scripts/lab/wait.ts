/** Waiting in the lab: conditions are polled until a deadline; nothing sleeps and hopes. */
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from './proc.js';

export { pause };

/** Slower machines give everything more time: CFS_LAB_SLOW=3 multiplies every deadline. */
const SLOW = Number(process.env.CFS_LAB_SLOW ?? '1') || 1;

/**
 * Polls until `condition` gives something other than null, undefined and false; gives that.
 * @param limitMs deadline from now
 * @throws Error that names what was waited for, and what `explain` says of how things stand
 */
export async function waitFor<T>(
  what: string,
  limitMs: number,
  condition: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  { everyMs = 20, explain }: { everyMs?: number; explain?: () => string | Promise<string> } = {},
): Promise<T> {
  const end = monotonicMs() + limitMs * SLOW;
  for (;;) {
    const found = await condition();
    if (found !== null && found !== undefined && found !== false) return found;
    if (monotonicMs() > end) {
      const how = explain === undefined ? '' : `: ${await explain()}`;
      throw new Error(`waited ${(limitMs * SLOW) / 1000} s in vain for ${what}${how}`);
    }
    await pause(everyMs);
  }
}
