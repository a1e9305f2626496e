/**
 * How long until the other node sees what this one did. The first does something, the second answers in kind as soon as it sees
 * that, and the first measures until it sees the answer: half of that is the delay, and no clocks are compared.
 */
import { promises as fs } from 'node:fs';
import type { Delay } from '../core/doctor/measurements.js';
import { round } from './doctor-alone.js';
import { isNotYet, type Meeting, type Side } from './doctor-meeting.js';

/** Later than this is not seen, ms each way. */
const LIMIT_MS = 3_000;
const ROUNDS = 20;
/** No further round is begun after so long, ms. */
const BUDGET_MS = 6_000;

export type Sight = 'listed' | 'found' | 'foundAfterMiss' | 'replaced' | 'mtime';
export const SIGHTS: Sight[] = ['listed', 'found', 'foundAfterMiss', 'replaced', 'mtime'];

/** What a side does in round k, and whether the other has done it: undefined not yet, false wrongly. */
interface Signal {
  prepare?: () => Promise<void>;
  show: (k: number) => Promise<void>;
  look: (k: number) => Promise<boolean | undefined>;
}

/** undefined where the file is not there (or a cache has lost it), which is no failure here. */
async function readSoon(path: string): Promise<string | undefined> {
  try {
    return await fs.readFile(path, 'utf8');
  } catch (error) {
    if (isNotYet(error)) return undefined;
    throw error;
  }
}

/** A content that is long enough to be torn. */
const contentOf = (side: Side, k: number) => `${side} ${k} `.padEnd(5_000, '.');

function signalOf(meeting: Meeting, sight: 'listed' | 'foundAfterMiss' | 'replaced' | 'mtime'): Signal {
  const { side, other } = meeting;
  const at = (name: string) => meeting.path(`sight-${sight}`, name);
  switch (sight) {
    case 'listed':
      return {
        show: (k) => fs.writeFile(at(`${side}.${k}`), '', { flag: 'wx' }),
        look: async (k) => ((await fs.readdir(at('.'))).includes(`${other}.${k}`) ? true : undefined),
      };
    case 'foundAfterMiss':
      return {
        show: (k) => meeting.publish(at(`${side}.${k}`), contentOf(side, k)),
        look: async (k) => {
          const text = await readSoon(at(`${other}.${k}`));
          return text === undefined ? undefined : text === contentOf(other, k);
        },
      };
    case 'replaced':
      return {
        prepare: () => fs.writeFile(at(side), contentOf(side, -1)),
        show: async (k) => {
          await fs.writeFile(at(`${side}.tmp`), contentOf(side, k));
          await fs.rename(at(`${side}.tmp`), at(side));
        },
        look: async (k) => {
          const text = await readSoon(at(other));
          if (text === contentOf(other, k)) return true;
          return text === undefined || text === contentOf(other, k - 1) ? undefined : false;
        },
      };
    case 'mtime': {
      const base = Math.floor(Date.now() / 1000) - 100_000;
      const when = (k: number) => 1_000_000_000 + k * 10;
      return {
        prepare: async () => {
          await fs.writeFile(at(side), '');
          await fs.utimes(at(side), base, 999_999_990);
        },
        show: (k) => fs.utimes(at(side), base, when(k)),
        look: async (k) => {
          const seen = await fs.stat(at(other)).catch(() => undefined);
          return seen !== undefined && Math.round(seen.mtimeMs / 1000) === when(k) ? true : undefined;
        },
      };
    }
  }
}

/** What one side saw in all rounds. */
interface Seen {
  samplesMs: number[];
  missed: number;
  wrongContent: number;
}

async function watchFor(meeting: Meeting, signal: Signal, k: number, limitMs: number, seen: Seen): Promise<boolean> {
  const found = await meeting.until(async () => {
    const answer = await signal.look(k);
    if (answer === false) seen.wrongContent++;
    return answer === true ? true : undefined;
  }, limitMs);
  if (found === undefined) seen.missed++;
  return found === true;
}

function delayOf(mine: Seen, theirs: Seen): Delay {
  const sorted = [...mine.samplesMs, ...theirs.samplesMs].sort((a, b) => a - b);
  return {
    seen: sorted.length,
    missed: Math.max(mine.missed, theirs.missed),
    p50Ms: sorted.length === 0 ? null : round(sorted[Math.floor(sorted.length / 2)]!),
    maxMs: sorted.length === 0 ? null : round(sorted.at(-1)!),
    limitMs: LIMIT_MS,
    wrongContent: mine.wrongContent + theirs.wrongContent,
  };
}

/** Measures one kind of sight; the same result on both. */
export async function measureSight(meeting: Meeting, sight: Sight): Promise<Delay> {
  const seen: Seen = { samplesMs: [], missed: 0, wrongContent: 0 };
  if (sight === 'found') await afterBeingTold(meeting, seen);
  else {
    const signal = signalOf(meeting, sight);
    await signal.prepare?.();
    await meeting.turn(`sight.${sight}`);
    await thereAndBack(meeting, signal, seen);
  }
  const theirs = await meeting.turn<Seen>(`sight.${sight}.over`, seen);
  return meeting.side === 'first' ? delayOf(seen, theirs) : delayOf(theirs, seen);
}

async function thereAndBack(meeting: Meeting, signal: Signal, seen: Seen): Promise<void> {
  for (let k = 0; k < ROUNDS; k++) {
    if (meeting.side === 'first') {
      const began = performance.now();
      await signal.show(k);
      if (!(await watchFor(meeting, signal, k, 2 * LIMIT_MS, seen))) return;
      seen.samplesMs.push((performance.now() - began) / 2);
    } else {
      if (!(await watchFor(meeting, signal, k, 2 * LIMIT_MS, seen))) return;
      await signal.show(k);
    }
  }
}

/** A name that nobody looked for before it was there: each tells the other, who then opens it. */
async function afterBeingTold(meeting: Meeting, seen: Seen): Promise<void> {
  const at = (side: Side, k: number) => meeting.path('sight-found', `${side}.${k}`);
  const look: Signal = {
    show: (k) => meeting.publish(at(meeting.side, k), contentOf(meeting.side, k)),
    look: async (k) => {
      const text = await readSoon(at(meeting.other, k));
      return text === undefined ? undefined : text === contentOf(meeting.other, k);
    },
  };
  const began = performance.now();
  for (let k = 0; k < ROUNDS / 2; k++) {
    await look.show(k);
    const isEnough = seen.missed > 0 || performance.now() - began > BUDGET_MS;
    if ((await meeting.turn<boolean>(`sight.found.${k}`, isEnough)) || isEnough) return;
    const told = performance.now();
    if (await watchFor(meeting, look, k, LIMIT_MS, seen)) seen.samplesMs.push(performance.now() - told);
  }
}
