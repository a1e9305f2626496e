/** What a membership decision did to volumes, in numbers. */
import type { Draft } from '../store/store.js';

export interface PlacementCounts {
  /** Volumes that got another node. */
  moved: number;
  /** Volumes that lost their node and can be on no other. */
  unplaced: number;
}

/** Counts what the draft changes. */
export function placementCounts(draft: Draft): PlacementCounts {
  const counts = { moved: 0, unplaced: 0 };
  for (const { table, before, after } of draft.changes()) {
    if (table !== 'placements' || after === null) continue;
    const from = before === null ? null : (before as { node: string | null }).node;
    const to = (after as { node: string | null }).node;
    if (to === null) counts.unplaced += from === null ? 0 : 1;
    else if (to !== from) counts.moved++;
  }
  return counts;
}
