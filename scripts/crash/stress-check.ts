/** Judging the records of the stress test against the history that is in the database. */

import { history } from '../../src/core/store/index.js';
import { openCluster } from '../../src/index.js';
import type { Seen } from './stress-worker.js';

export interface StressReport {
  problems: string[];
  commits: number;
  unsure: number;
  unsureCommitted: number;
  busy: number;
}

/**
 * The count of every volume is exact; every change that was reported as done is one generation of the history, with that
 * transaction; no generation is claimed twice or missing; the values chain (each after is the next before); a change that
 * began after another had ended has the higher generation.
 * @param first the generation before the test, @param base the weights before it
 */
export async function checkStress(
  dir: string,
  seen: Seen[],
  first: number,
  base: Map<string, number>,
): Promise<StressReport> {
  const problems: string[] = [];
  const { store } = await openCluster({ dir });
  const byTxid = new Map<string, number>();
  for (const info of history(store)) if (info.generation > first) byTxid.set(info.txid, info.generation);
  const committed: Seen[] = [];
  let unsureCommitted = 0;
  for (const s of seen) {
    if (s.outcome === 'busy') continue;
    const at = byTxid.get(s.txid ?? '');
    if (s.outcome === 'unsure') {
      if (at === undefined) continue;
      unsureCommitted += 1;
    } else if (at !== s.generation)
      problems.push(`worker ${s.worker} change ${s.i}: reported generation ${s.generation}, history has ${at}`);
    committed.push({ ...s, generation: at ?? s.generation });
  }
  checkGenerations(committed, first, store.info().generation, problems);
  checkValues(committed, base, problems);
  const snapshot = store.snapshot();
  for (const [volume, before] of base) {
    const expected = before + committed.filter((s) => s.volume === volume).length;
    const weight = snapshot.table('volumes').get(volume)?.weight;
    if (weight !== expected) problems.push(`${volume} has weight ${weight}, not ${expected}`);
  }
  checkOrder(committed, problems);
  const unsure = seen.filter((s) => s.outcome === 'unsure').length;
  const busy = seen.filter((s) => s.outcome === 'busy').length;
  return { problems, commits: committed.length, unsure, unsureCommitted, busy };
}

/** Unique and without gaps from the first to the newest. */
function checkGenerations(committed: Seen[], first: number, newest: number, problems: string[]): void {
  committed.sort((a, b) => a.generation - b.generation);
  for (const [i, s] of committed.entries()) {
    if (s.generation !== first + 1 + i) {
      problems.push(`generation ${first + 1 + i} is missing or claimed twice: found ${s.generation}`);
      return;
    }
  }
  if (newest !== first + committed.length)
    problems.push(`the newest generation is ${newest}, not ${first + committed.length}`);
}

/** In order of generations every change begins with what the one before it on that volume left. */
function checkValues(committed: readonly Seen[], base: ReadonlyMap<string, number>, problems: string[]): void {
  const now = new Map(base);
  for (const s of committed) {
    if (s.before !== now.get(s.volume)) {
      problems.push(
        `generation ${s.generation}: ${s.volume} was ${now.get(s.volume)}, but worker ${s.worker} saw ${s.before}`,
      );
      return;
    }
    now.set(s.volume, s.after);
  }
}

/** Going down the generations, nothing may begin after the end of something that comes later. */
function checkOrder(committed: readonly Seen[], problems: string[]): void {
  let earliestEnd: Seen | null = null;
  for (let i = committed.length - 1; i >= 0; i--) {
    const s = committed[i]!;
    if (earliestEnd !== null && BigInt(s.startNs) > BigInt(earliestEnd.endNs)) {
      problems.push(`generation ${s.generation} began after generation ${earliestEnd.generation} had ended`);
      return;
    }
    if (earliestEnd === null || BigInt(s.endNs) < BigInt(earliestEnd.endNs)) earliestEnd = s;
  }
}
