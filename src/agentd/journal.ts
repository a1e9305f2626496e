/**
 * The ownership journal: when this node believed that it ran which volume. STATE/ownership.log, a line of JSON per event, each
 * appended by one write, by the worker and the supervisor alike:
 *
 *   {"t":5123.101,"wall":"2030-01-31T18:00:00.000Z","boot":"…","node":"n1","volume":"v1","epoch":7,"event":"start"}
 *
 *   t       CLOCK_MONOTONIC, ms: one clock for all processes of a machine, so that journals of agents side by side can be joined
 *   event   start: just before the driver is called (from here on it may run); found: it was running when the agent came;
 *           stop: just after the driver has stopped it; fenced: the same, by the supervisor
 *
 * An interval begins with start or found and ends with stop or fenced; it is never shorter than the truth. What was open when
 * the machine went down (another boot) ended with it. Never flushed: what a power cut takes, it also ends.
 *
 * Beyond `limitBytes` the file is put aside as ownership.N.log, and the lines that open an interval are repeated, unchanged,
 * at the beginning of the new one; readers leave out the second of equal lines.
 */
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Holding } from '../core/agent/ports.js';

export const JOURNAL_EVENTS = ['start', 'found', 'stop', 'fenced'] as const;
export type JournalEventName = (typeof JOURNAL_EVENTS)[number];

export interface JournalEvent extends Holding {
  t: number;
  wall: string;
  boot: string;
  node: string;
  event: JournalEventName;
}

export interface JournalOptions {
  stateDir: string;
  node: string;
  /** Identifies this boot (Processes.bootId). */
  bootId: string;
  /** CLOCK_MONOTONIC, ms. */
  monotonicMs: () => number;
  /** Default 4 MiB, about 25,000 events. */
  limitBytes?: number;
}

const CURRENT = 'ownership.log';
const ASIDE = /^ownership\.([1-9]\d{0,8})\.log$/;
/** Files put aside that are kept. */
const KEPT = 3;

export class OwnershipJournal {
  private limitBytes: number;

  constructor(private readonly options: JournalOptions) {
    this.limitBytes = options.limitBytes ?? 4 * 1024 * 1024;
    mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  }

  /** @throws SystemCallError when it cannot be written: a start must not follow then */
  add(event: JournalEventName, { volume, epoch }: Holding): void {
    const { node, bootId: boot, monotonicMs, stateDir } = this.options;
    const t = Math.round(monotonicMs() * 1000) / 1000;
    const line = { t, wall: new Date().toISOString(), boot, node, volume, epoch, event };
    const path = join(stateDir, CURRENT);
    appendFileSync(path, `${JSON.stringify(line)}\n`, { mode: 0o600 });
    if (statSync(path).size > this.limitBytes) this.putAside();
  }

  /** What the node still runs by its journal: intervals of this boot without an end. */
  open(): Holding[] {
    const { stateDir, bootId } = this.options;
    return openIntervals(readJournal(stateDir), bootId).map(({ volume, epoch }) => ({ volume, epoch }));
  }

  /**
   * Two processes may do this at once: the exclusive link lets one go on. A line that the other appends meanwhile is in the
   * file put aside; it is read with the others, in order of time.
   */
  private putAside(): void {
    const { stateDir, bootId } = this.options;
    const numbers = asideNumbers(stateDir);
    const next = (numbers.at(-1) ?? 0) + 1;
    const current = join(stateDir, CURRENT);
    try {
      linkSync(current, join(stateDir, `ownership.${next}.log`));
    } catch (error) {
      if (['EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
      throw error;
    }
    const open = openIntervals(readJournal(stateDir), bootId);
    const fresh = join(stateDir, `${CURRENT}.${process.pid}`);
    const text = open.map((event) => `${JSON.stringify(event)}\n`).join('');
    writeFileSync(fresh, text, { mode: 0o600 });
    renameSync(fresh, current);
    // Where so much is open, not again at the next line.
    this.limitBytes = Math.max(this.limitBytes, 2 * Buffer.byteLength(text));
    for (const old of numbers.slice(0, Math.max(0, numbers.length + 1 - KEPT))) {
      rmSync(join(stateDir, `ownership.${old}.log`), { force: true });
    }
  }
}

function asideNumbers(stateDir: string): number[] {
  const numbers = readdirSync(stateDir).map((name) => Number(ASIDE.exec(name)?.[1] ?? 0));
  return numbers.filter((number) => number > 0).sort((a, b) => a - b);
}

/** Every event that is kept, in order of time; none where there is no journal. */
export function readJournal(stateDir: string): JournalEvent[] {
  let text = '';
  try {
    for (const number of asideNumbers(stateDir))
      text += readFileSync(join(stateDir, `ownership.${number}.log`), 'utf8');
    text += readFileSync(join(stateDir, CURRENT), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return parseJournal(text).events;
}

/**
 * The events of a journal's text in order of time, each line once.
 * @returns also the lines that are none, such as one that a full disk cut off
 */
export function parseJournal(text: string): { events: JournalEvent[]; damaged: string[] } {
  const events: JournalEvent[] = [];
  const damaged: string[] = [];
  for (const line of new Set(text.split('\n'))) {
    if (line === '') continue;
    const whole = eventOf(line);
    // A line that was cut off has swallowed the beginning of its successor's.
    const event = whole ?? eventOf(line.slice(Math.max(0, line.lastIndexOf('{"t":'))));
    if (event !== null) events.push(event);
    if (whole === null) damaged.push(line);
  }
  events.sort((a, b) => a.t - b.t);
  return { events, damaged };
}

function eventOf(line: string): JournalEvent | null {
  let value: Partial<JournalEvent> | null;
  try {
    value = JSON.parse(line) as Partial<JournalEvent> | null;
  } catch {
    return null;
  }
  const { t, wall = '', boot = '', node, volume, epoch, event } = value ?? {};
  if (typeof t !== 'number' || typeof node !== 'string' || typeof volume !== 'string') return null;
  if (typeof epoch !== 'number' || !JOURNAL_EVENTS.includes(event as JournalEventName)) return null;
  return { t, wall, boot, node, volume, epoch, event: event as JournalEventName };
}

/** The last opening event of each volume whose interval has no end in this boot. */
export function openIntervals(events: readonly JournalEvent[], bootId: string): JournalEvent[] {
  const open = new Map<string, JournalEvent>();
  for (const event of events) {
    if (event.boot !== bootId) continue;
    if (event.event === 'stop' || event.event === 'fenced') open.delete(event.volume);
    else open.set(event.volume, event);
  }
  return [...open.values()];
}
