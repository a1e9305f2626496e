/** What the checker of writers needs of a cluster's history: the oldest generation that is kept, and what each later one changed. */
import type { DirectoryCluster } from '../../src/open.js';
import { type HistoryStep, Walk, type WritersReport } from '../../test/kit/writers-check.js';
import { WATCHED } from '../../test/kit/writers-state.js';

/** One generation. @throws CfsError GENERATION_NOT_FOUND when it is collected */
export function stepOf({ store }: DirectoryCluster, generation: number): HistoryStep {
  const { time, operation, request, repair } = store.info(generation);
  return {
    generation,
    time,
    operation,
    request,
    changes: store.changesOf(generation, WATCHED),
    isRepair: repair !== null,
  };
}

/** Follows history while it grows, so that a generation is judged as soon as it is there. */
export class HistoryWalk {
  readonly walk: Walk;
  private next: number;

  constructor(private readonly cluster: DirectoryCluster) {
    const oldest = cluster.store.oldestGeneration();
    this.walk = new Walk(cluster.snapshot(oldest));
    this.next = oldest + 1;
  }

  /** Takes what has come since. @returns the report up to the newest generation */
  follow(most = Number.POSITIVE_INFINITY): WritersReport {
    const newest = Math.min(this.cluster.snapshot().generation, this.next - 1 + most);
    for (; this.next <= newest; this.next++) this.walk.take(stepOf(this.cluster, this.next));
    return this.walk.report;
  }
}
