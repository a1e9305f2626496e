/** The half of undo that sends volumes back to the node they had, by a new decision, where that is allowed now. */
import { quoteName } from '../model/names.js';
import type { PlacementRecord } from '../model/tables.js';
import { exclusion } from '../placement/eligibility.js';
import { placementNode, placementVolume } from '../placement/input.js';
import type { Change, Draft } from '../store/store.js';

export interface PlacementReturn {
  volume: string;
  from: string | null;
  to: string;
}

export interface StayedVolume {
  volume: string;
  /** Where it stays; null: nowhere. */
  node: string | null;
  reason: string;
}

/** Why the volume may not go to the node now, or null. */
function refusal(draft: Draft, volume: string, wanted: string | null): string | null {
  if (wanted === null) return 'it had no node before';
  const node = placementNode(draft, wanted);
  if (node === null) return `node ${quoteName(wanted)} is gone`;
  const excluded = exclusion(node, placementVolume(draft, volume)!);
  return excluded === null ? null : `node ${quoteName(wanted)}: ${excluded.text}`;
}

/**
 * Sends volumes back. `changes` are those of table placements that still are as the generation left them; `back` are volumes
 * that have just come back, `leftOut` those of another record under the same name. Each return is a decision of its own, with the epoch of the generation it makes.
 */
export function returnPlacements(
  draft: Draft,
  changes: readonly Change[],
  context: { back: ReadonlySet<string>; leftOut: ReadonlySet<string>; generation: number },
): { returned: PlacementReturn[]; stayed: StayedVolume[] } {
  const { back, leftOut, generation } = context;
  const returned: PlacementReturn[] = [];
  const stayed: StayedVolume[] = [];
  for (const { name: volume, before } of changes) {
    // A volume that undo removed took its placement along.
    if (!draft.table('volumes').has(volume) || leftOut.has(volume)) continue;
    const wanted = (before as PlacementRecord | null)?.node ?? null;
    const from = draft.table('placements').get(volume)?.node ?? null;
    if (wanted === from) continue;
    const reason = refusal(draft, volume, wanted);
    if (reason !== null || wanted === null) {
      // One that came back and may not go where it was is told as not yet placed.
      if (!back.has(volume)) stayed.push({ volume, node: from, reason: reason ?? '' });
      continue;
    }
    draft.put('placements', volume, {
      node: wanted,
      since: draft.nextGeneration,
      by: 'undo',
      stage: null,
      rule: `back from generation ${generation}`,
      unplaced: null,
    });
    returned.push({ volume, from, to: wanted });
  }
  return { returned, stayed };
}
