/** Agents and supervisors that are broken on purpose, to see that a checker finds it. */
import { Watchdog } from '../../src/agentd/watchdog.js';

/** Runs with one method of the agents replaced by another. */
export async function mutated<T extends object, K extends keyof T>(
  prototype: T,
  method: K,
  replacement: T[K],
  run: () => Promise<void>,
): Promise<void> {
  const original = prototype[method];
  prototype[method] = replacement;
  try {
    await run();
  } finally {
    prototype[method] = original;
  }
}

/** A supervisor that fences after 1.2 x lease.timeout. */
export class LateWatchdog extends Watchdog {
  override get deadlineMs(): number | null {
    const { renewal } = this;
    return renewal === null ? super.deadlineMs : renewal.beganMs + 1.2 * renewal.timeoutMs;
  }
}
