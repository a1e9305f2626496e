/** How long clients waited for the right to write, and how long a volume had no mount for writing while somebody waited for one. */
import type { RequestRecord } from '../../src/core/model/tables.js';
import type { Interval } from '../../test/kit/ownership-check.js';
import type { Right } from '../../test/kit/writers-check.js';

/** A request that got its answer; times are wall clock, ms. */
export interface Answered {
  volume: string;
  client: string;
  asked: number;
  askedMs: number;
  answeredMs: number;
  response: RequestRecord['response'];
}

/** A stretch of time in which a client wanted to write a volume and could not, wall clock, ms. */
interface Wait {
  volume: string;
  from: number;
  to: number;
}

export interface Waits {
  /** From asking to the mount for writing, each that got it, ms. */
  toMount: number[];
  /** Longest time a volume was mounted for writing nowhere though somebody waited for it; null: never. */
  longestIdle: { volume: string; ms: number; at: string } | null;
}

const wallOf = (time: string): number => Date.parse(time);

export function waitsOf(
  rights: readonly Right[],
  answered: readonly Answered[],
  intervals: readonly Interval[],
): Waits {
  const began = new Map<string, number>();
  for (const { volume, epoch, began: place } of intervals) {
    const key = `${volume}/${epoch}`;
    const at = wallOf(place.event.wall);
    began.set(key, Math.min(began.get(key) ?? Number.POSITIVE_INFINITY, at));
  }
  const askedMs = new Map(answered.map((one) => [`${one.volume}/${one.client}/${one.asked}`, one.askedMs]));
  const waits: Wait[] = answered
    .filter(({ response }) => response !== 'granted')
    .map(({ volume, askedMs: from, answeredMs: to }) => ({ volume, from, to }));
  const toMount: number[] = [];
  for (const { volume, client, since, asked, givenAt, endedAt } of rights) {
    if (givenAt === null) continue;
    const from = (asked === null ? undefined : askedMs.get(`${volume}/${client}/${asked}`)) ?? wallOf(givenAt);
    const mounted = began.get(`${volume}/${since}`);
    if (mounted !== undefined) toMount.push(mounted - from);
    const to = mounted ?? (endedAt === null ? null : wallOf(endedAt));
    if (to !== null) waits.push({ volume, from, to });
  }
  return { toMount, longestIdle: longestIdle(waits, intervals) };
}

function longestIdle(waits: readonly Wait[], intervals: readonly Interval[]): Waits['longestIdle'] {
  let longest: Waits['longestIdle'] = null;
  for (const volume of new Set(waits.map((wait) => wait.volume))) {
    const own = waits.filter((wait) => wait.volume === volume).sort((a, b) => a.from - b.from);
    for (const gap of gapsOf(intervals.filter((interval) => interval.volume === volume))) {
      for (const { from, to } of merged(own, gap)) {
        if (to - from > (longest?.ms ?? 0)) longest = { volume, ms: to - from, at: new Date(from).toISOString() };
      }
    }
  }
  return longest;
}

/** Times in which none of the intervals was there, between the first and the last. */
function gapsOf(intervals: readonly Interval[]): { from: number; to: number }[] {
  const gaps: { from: number; to: number }[] = [];
  let end: number | null = null;
  for (const { began, ended } of [...intervals].sort((a, b) => a.from - b.from)) {
    const from = wallOf(began.event.wall);
    if (end !== null && from > end) gaps.push({ from: end, to: from });
    const to = ended === null ? Number.POSITIVE_INFINITY : wallOf(ended.event.wall);
    end = Math.max(end ?? to, to);
  }
  return gaps;
}

/** What of a gap is covered by waits, joined where they touch. */
function merged(waits: readonly Wait[], gap: { from: number; to: number }): { from: number; to: number }[] {
  const parts: { from: number; to: number }[] = [];
  for (const wait of waits) {
    const from = Math.max(wait.from, gap.from);
    const to = Math.min(wait.to, gap.to);
    if (to <= from) continue;
    const last = parts.at(-1);
    if (last !== undefined && from <= last.to) last.to = Math.max(last.to, to);
    else parts.push({ from, to });
  }
  return parts;
}
