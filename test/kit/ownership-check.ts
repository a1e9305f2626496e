/**
 * Proves from the ownership journals of several agents on one machine (one CLOCK_MONOTONIC) that no volume had two owners at
 * one time, and measures how long each was without one. Pure; scripts/lab/check-ownership.ts reads the files.
 */
import type { JournalEvent } from '../../src/agentd/journal.js';

/** The journal of one agent; `source` names it in messages. Two agents of one node name are two owners. */
export interface JournalOf {
  source: string;
  events: readonly JournalEvent[];
}

/** What somebody did to a node: `power-off` ends all that it ran at that time; anything else (`kill`, `stop` …) is only a mark. */
export interface NodeEvent {
  t: number;
  node: string;
  event: string;
}

/** One line, as a place to point at. */
export interface Place {
  source: string;
  event: JournalEvent;
}

export interface Interval {
  source: string;
  node: string;
  volume: string;
  epoch: number;
  from: number;
  /** Infinity: it still runs. */
  to: number;
  began: Place;
  /** Null: it still runs, or a power-off ended it. */
  ended: Place | null;
}

export interface Takeover {
  volume: string;
  from: string;
  to: string;
  /** What happened to the node that had it, or `end` (no mark: the end of its interval). */
  cause: string;
  /** From the mark (else from the end) to the start by another owner, ms. */
  ms: number;
}

export interface OwnershipReport {
  intervals: Interval[];
  overlaps: { first: Interval; second: Interval }[];
  /** Times without owner between two intervals of a volume. */
  gaps: { volume: string; from: number; ms: number }[];
  takeovers: Takeover[];
  /** Journals that cannot be joined, one sentence each; nothing is proved where there are any. */
  problems: string[];
}

export function checkOwnership(journals: readonly JournalOf[], marks: readonly NodeEvent[] = []): OwnershipReport {
  const boots = new Set(journals.flatMap(({ events }) => events.map(({ boot }) => boot)));
  const problems = boots.size > 1 ? [`the journals are of ${boots.size} boots, whose clocks cannot be compared`] : [];
  const intervals = journals.flatMap((journal) => intervalsOf(journal, marks));
  const overlaps: OwnershipReport['overlaps'] = [];
  const gaps: OwnershipReport['gaps'] = [];
  const takeovers: Takeover[] = [];
  for (const [volume, own] of byVolume(intervals)) {
    // The interval that reaches furthest so far: whatever begins before its end overlaps it.
    let furthest: Interval | null = null;
    for (const next of own) {
      if (furthest !== null) {
        if (next.from < furthest.to) overlaps.push({ first: furthest, second: next });
        else if (next.source !== furthest.source) takeovers.push(takeoverOf(furthest, next, marks));
        if (next.from > furthest.to) gaps.push({ volume, from: furthest.to, ms: next.from - furthest.to });
      }
      if (furthest === null || next.to > furthest.to) furthest = next;
    }
  }
  return { intervals, overlaps, gaps, takeovers, problems };
}

function byVolume(intervals: readonly Interval[]): Map<string, Interval[]> {
  const volumes = new Map<string, Interval[]>();
  for (const interval of [...intervals].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const known = volumes.get(interval.volume);
    if (known === undefined) volumes.set(interval.volume, [interval]);
    else known.push(interval);
  }
  return volumes;
}

/** The intervals of one journal. One that begins again without an end (another epoch) goes on without a gap. */
function intervalsOf({ source, events }: JournalOf, marks: readonly NodeEvent[]): Interval[] {
  const closed: Interval[] = [];
  const open = new Map<string, Interval>();
  const close = (volume: string, to: number, ended: Place | null): void => {
    const interval = open.get(volume);
    if (interval === undefined) return;
    open.delete(volume);
    closed.push({ ...interval, to, ended });
  };
  const offs = marks.filter(({ event }) => event === 'power-off').sort((a, b) => a.t - b.t);
  let off = 0;
  const powerOff = (until: number): void => {
    for (; off < offs.length && offs[off]!.t <= until; off++) {
      const { node, t } = offs[off]!;
      for (const { volume, node: owner } of [...open.values()]) if (owner === node) close(volume, t, null);
    }
  };
  for (const event of [...events].sort((a, b) => a.t - b.t)) {
    powerOff(event.t);
    const { node, volume, epoch, t } = event;
    const place = { source, event };
    const known = open.get(volume);
    if (event.event === 'stop' || event.event === 'fenced') close(volume, t, place);
    else if (known === undefined || known.epoch !== epoch) {
      close(volume, t, place);
      const to = Number.POSITIVE_INFINITY;
      open.set(volume, { source, node, volume, epoch, from: t, to, began: place, ended: null });
    }
  }
  powerOff(Number.POSITIVE_INFINITY);
  return [...closed, ...open.values()];
}

/** Counted from the last mark on the former owner's node while it had the volume. */
function takeoverOf(first: Interval, second: Interval, marks: readonly NodeEvent[]): Takeover {
  const { node, volume, from, to } = first;
  const mark = marks.filter((at) => at.node === node && at.t >= from && at.t <= to).sort((a, b) => b.t - a.t)[0];
  return {
    volume,
    from: node,
    to: second.node,
    cause: mark?.event ?? 'end',
    ms: second.from - (mark?.t ?? to),
  };
}

/** Median and largest; null of nothing. */
export function spread(values: readonly number[]): { median: number; max: number } | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, max: sorted.at(-1)! };
}
