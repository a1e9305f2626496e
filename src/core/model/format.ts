/** What the format of a cluster allows (docs/FORMAT.md). Operations ask here, so that a cluster of an older format stays one. */
import type { Snapshot } from '../store/store.js';

/** Whether the cluster may hold `membership.lease`, `.mayJoin`, `.held` and the table `fencing`. */
export function allowsFormat2(snapshot: Snapshot): boolean {
  return ((snapshot as { format?: number }).format ?? 2) >= 2;
}
