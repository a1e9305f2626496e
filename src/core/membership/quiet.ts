/** Watching leases until they are known to be quiet, for commands: they begin without having seen anything. */
import type { Clock } from '../platform/clock.js';
import type { Lease } from './leases.js';
import { LeaseObserver } from './observer.js';

export interface QuietOptions {
  leases: () => ReadonlyMap<string, Lease>;
  clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** For how long a lease must be watched without a renewal, ms. */
  timeoutMs: (node: string) => number;
  intervalMs: number;
  /** Called after each look with the nodes that are still watched. */
  onLook?: (nodes: readonly string[], watchedMs: number) => void;
}

/**
 * Which of the nodes are gone: their agent left, or their lease was watched for its whole timeout without a renewal. Ends as
 * soon as each has been renewed once or is gone. Takes about as long as the longest timeout. @throws what listing throws
 */
export async function nodesGone(nodes: readonly string[], options: QuietOptions): Promise<Set<string>> {
  const { clock, intervalMs, timeoutMs } = options;
  const observer = new LeaseObserver(3 * intervalMs);
  const first = options.leases();
  const startMs = clock.monotonicMs();
  const gone = new Set<string>();
  let watched = [...nodes];
  for (;;) {
    const beganMs = clock.monotonicMs();
    const leases = options.leases();
    observer.look({ leases, beganMs, endedMs: clock.monotonicMs() });
    watched = watched.filter((node) => {
      const lease = leases.get(node);
      // A listing can miss a name that is being replaced.
      const isAbsent = lease === undefined && beganMs - startMs >= timeoutMs(node);
      const isGone = isAbsent || lease?.applied === null || observer.isLapsed(node, timeoutMs(node));
      if (isGone) gone.add(node);
      return !isGone && (lease === undefined || lease.seq === first.get(node)?.seq);
    });
    options.onLook?.(watched, clock.monotonicMs() - startMs);
    if (watched.length === 0) return gone;
    await clock.sleep(Math.min(intervalMs, 250));
  }
}
