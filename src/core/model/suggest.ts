/** "Did you mean …": the nearest known name, for messages. Runs on the error path only, and with a bound. */

/** How many names are looked at: enough for any list people type from, few enough to answer at once beside 100,000 volumes. */
const MAX_CANDIDATES = 20_000;

/**
 * Edits (insert, delete, replace, swap two neighbours) that make `b` of `a`; `limit + 1` as soon as it is known to be more
 * than `limit`. Costs length x length at most, so callers bound the lengths.
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let d = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, before[j - 2]! + 1);
      row.push(d);
      if (d < least) least = d;
    }
    if (least > limit) return limit + 1;
    before = previous;
    previous = row;
  }
  return Math.min(previous[b.length]!, limit + 1);
}

/**
 * The candidate nearest to what was typed, or null when none is near: at most one edit per three characters, at most three.
 * The letter case does not count. Looks at the first 20,000 candidates only. Of equally near ones the first wins.
 */
export function suggest(typed: string, candidates: Iterable<string>): string | null {
  const wanted = typed.slice(0, 100).normalize('NFC').toLowerCase();
  let limit = Math.min(3, Math.max(1, Math.floor(wanted.length / 3)));
  let best: string | null = null;
  let seen = 0;
  for (const candidate of candidates) {
    if (++seen > MAX_CANDIDATES || limit < 0) break;
    if (Math.abs(candidate.length - wanted.length) > limit) continue;
    const d = editDistance(wanted, candidate.toLowerCase(), limit);
    if (d <= limit) {
      best = candidate;
      limit = d - 1;
    }
  }
  return best;
}

/** `Did you mean "x"?`, or the alternative given. */
export function didYouMean(typed: string, candidates: Iterable<string>, otherwise: string): string {
  const near = suggest(typed, candidates);
  return near === null ? otherwise : `Did you mean "${near}"?`;
}
