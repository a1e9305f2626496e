/**
 * Simulated time for many processes in one: an event queue, processes that can be stopped, resumed and killed, and seeded chance.
 * Nothing waits for real time, and the same seed gives the same run.
 */
import type { Clock } from '../../src/core/platform/clock.js';
import type { Random } from '../../src/core/platform/random.js';

interface Event {
  atMs: number;
  /** Events of one moment happen in the order they were made. */
  order: number;
  process: SimProcess | null;
  run: () => void;
}

/** What a simulated process throws out of itself when it is killed or frozen within a system call. */
export class SimKilled extends Error {}

/** A process: its events wait while it is stopped, and never come once it is dead. */
export class SimProcess {
  isAlive = true;
  private isStopped = false;
  private waiting: Event[] = [];

  constructor(
    private readonly world: SimWorld,
    readonly name: string,
  ) {}

  /** SIGSTOP, or a system call that hangs: nothing happens in it until `resume`. */
  pause(): void {
    this.isStopped = true;
  }

  resume(): void {
    if (!this.isStopped) return;
    this.isStopped = false;
    const { waiting } = this;
    this.waiting = [];
    for (const { run } of waiting) this.world.after(0, run, this);
  }

  kill(): void {
    this.isAlive = false;
    this.waiting = [];
  }

  /** Whether the event happens now; while the process is stopped it is kept. */
  takes(event: Event): boolean {
    if (!this.isAlive) return false;
    if (!this.isStopped) return true;
    this.waiting.push(event);
    return false;
  }
}

export class SimWorld {
  nowMs = 0;
  readonly chance: Chance;
  /** The last things that happened, for whoever has to find out why. */
  readonly trace: string[] = [];
  private readonly heap: Event[] = [];
  private orders = 0;
  private failure: Error | null = null;

  constructor(readonly seed: number) {
    this.chance = new Chance(seed);
  }

  /** Something happens so many ms from now, in a process or (null) in the world around. */
  after(ms: number, run: () => void, process: SimProcess | null = null): void {
    this.orders += 1;
    push(this.heap, { atMs: this.nowMs + Math.max(0, ms), order: this.orders, process, run });
  }

  /** Ends the run: a promise was broken, or there is a bug. */
  fail(error: Error): void {
    this.failure ??= error;
  }

  note(says: string): void {
    this.trace.push(`${(this.nowMs / 1000).toFixed(3)} ${says}`);
    if (this.trace.length > 4000) this.trace.splice(0, 2000);
  }

  /** Lets everything happen until that time. @throws what `fail` was called with, with the seed and the last of the trace */
  async runUntil(untilMs: number): Promise<void> {
    const { stackTraceLimit } = Error;
    // Errors are made by the thousand here, as answers of system calls.
    if (process.env.CFS_SIM_TRACE === undefined) Error.stackTraceLimit = 0;
    try {
      await this.runEvents(untilMs);
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  runFor(ms: number): Promise<void> {
    return this.runUntil(this.nowMs + ms);
  }

  private async runEvents(untilMs: number): Promise<void> {
    for (let next = this.heap[0]; next !== undefined && next.atMs <= untilMs; next = this.heap[0]) {
      pop(this.heap);
      this.nowMs = next.atMs;
      if (next.process !== null && !next.process.takes(next)) continue;
      next.run();
      await settled();
      if (this.failure !== null) throw this.told(this.failure);
    }
    this.nowMs = untilMs;
  }

  private told(error: Error): Error {
    const last = this.trace.slice(-Number(process.env.CFS_SIM_TRACE ?? 60));
    error.message = `${error.message} (seed ${this.seed})\n${last.join('\n')}`;
    return error;
  }
}

/** Everything that promises have set off has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Clock of a process: monotonic with an origin of its own, and a wall clock that may jump. */
export class SimClock implements Clock {
  /** What the wall clock shows more than the world's time, ms. */
  wallOffsetMs = Date.UTC(2030, 0, 1);
  /** Time that passed in synchronous waits of the present event. */
  private sleptMs = 0;
  private sleptAtMs = -1;

  constructor(
    protected readonly world: SimWorld,
    private readonly process: SimProcess | null,
    private readonly originMs = 0,
  ) {}

  nowMs(): number {
    return this.wallOffsetMs + this.world.nowMs + this.slept();
  }

  monotonicMs(): number {
    return this.originMs + this.world.nowMs + this.slept();
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.world.after(ms, resolve, this.process));
  }

  sleepSync(ms: number): void {
    this.sleptMs = this.slept() + ms;
    this.sleptAtMs = this.world.nowMs;
  }

  yieldTurn(): Promise<void> {
    return this.sleep(0);
  }

  private slept(): number {
    return this.sleptAtMs === this.world.nowMs ? this.sleptMs : 0;
  }
}

/** Seeded chance (mulberry32). */
export class Chance implements Random {
  constructor(private state: number) {}

  fraction(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  hex(bytes: number): string {
    let text = '';
    for (let i = 0; i < bytes; i++)
      text += Math.floor(this.fraction() * 256)
        .toString(16)
        .padStart(2, '0');
    return text;
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  between(low: number, high: number): number {
    return low + this.fraction() * (high - low);
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.fraction() * items.length)]!;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Event[], event: Event): void {
  let i = heap.length;
  heap.push(event);
  while (i > 0) {
    const up = (i - 1) >> 1;
    if (!isBefore(event, heap[up]!)) break;
    heap[i] = heap[up]!;
    i = up;
  }
  heap[i] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let i = 0;
  for (;;) {
    let down = 2 * i + 1;
    if (down >= heap.length) break;
    if (down + 1 < heap.length && isBefore(heap[down + 1]!, heap[down]!)) down += 1;
    if (!isBefore(heap[down]!, last)) break;
    heap[i] = heap[down]!;
    i = down;
  }
  heap[i] = last;
}
