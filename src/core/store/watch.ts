/**
 * Following the generations (section 9). Polls by listing and probing; file notification may only shorten the wait, since
 * changes made on another node produce none on network and FUSE mounts. Each generation is delivered at least once, in order.
 */
import { CfsError } from '../errors.js';
import { infoOf, type Manifest } from './manifest.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';
import type { GenerationInfo } from './store.js';

export type WatchItem =
  | { kind: 'generation'; info: GenerationInfo }
  /** Generations `from` to `to` were collected before they were seen: read the tables anew. */
  | { kind: 'resync'; from: number; to: number }
  /** The database went back, or a generation is not what it was: somebody should look at once. Said once per finding. */
  | { kind: 'alarm'; message: string; generation: number };

export interface WatchOptions {
  /** First generation to deliver; default: the one after the newest. */
  from?: number;
  /** Time between polls, ms (default 1000; plus or minus 10 %). */
  intervalMs?: number;
  /** Ends the iteration. */
  signal?: AbortSignal;
  /** Asked for a hint that `path` may have changed; returns what ends the hints. See src/node/watch-hint.ts. */
  hint?: (path: string, changed: () => void) => () => void;
}

const DEFAULT_INTERVAL_MS = 1000;
const JITTER = 0.1;

/** @throws CfsError of the system; damage of the newest generation is an alarm, and watching goes on */
export async function* watchStore(
  store: SharedDirectoryStore,
  options: WatchOptions = {},
): AsyncGenerator<WatchItem, void> {
  const { random } = store.place.platform;
  const intervalMs = options.intervalMs ?? DEFAULT_INTERVAL_MS;
  const waker = new Waker(options.signal);
  const unhint = options.hint?.(store.place.paths.manifests, () => waker.wake());
  try {
    let last: Pick<Manifest, 'gen' | 'sum'> | null = null;
    let next = options.from;
    let alarmed = '';
    while (!waker.ended) {
      const seen = lookAtHead(store, last);
      if ('says' in seen) {
        if (seen.says !== alarmed) yield { kind: 'alarm', message: seen.says, generation: last?.gen ?? 0 };
        alarmed = seen.says;
      } else {
        alarmed = '';
        next ??= seen.gen + 1;
        if (next < seen.floor) {
          yield { kind: 'resync', from: next, to: seen.floor - 1 };
          next = seen.floor;
        }
        while (next <= seen.gen && !waker.ended) {
          const manifest = next === seen.gen ? seen : readKept(store, next);
          // Collected in this very moment: the next look tells how far.
          if (manifest === 'collected') break;
          if (manifest !== null) yield { kind: 'generation', info: infoOf(manifest) };
          next += 1;
        }
        last = { gen: seen.gen, sum: seen.sum };
      }
      await waker.wait(intervalMs * (1 + JITTER * (2 * random.fraction() - 1)));
    }
  } finally {
    unhint?.();
  }
}

/** What is wrong with the newest generation. */
export interface HeadAlarm {
  says: string;
  /**
   * It is of another history than what was read before: somebody set the directory back, and others went on from there. Otherwise
   * it is damaged or lost, and what was read before still holds.
   */
  isOtherHistory: boolean;
}

/** The head by R1 to R3, or what is wrong with it. Does not use what the store remembers: it may have become untrue. */
export function lookAtHead(
  store: SharedDirectoryStore,
  last: Pick<Manifest, 'gen' | 'sum'> | null,
): Manifest | HeadAlarm {
  const alarm = (says: string, isOtherHistory = false): HeadAlarm => ({ says, isOtherHistory });
  try {
    const gen = store.heads.number();
    if (gen === null) return alarm('there is no generation any more');
    if (last !== null && gen < last.gen) return alarm(`the newest generation is ${gen} after it was ${last.gen}`);
    const manifest = store.heads.read(gen);
    if (last !== null && gen === last.gen && manifest.sum !== last.sum) {
      const sums = `${manifest.sum.slice(0, 12)} after ${last.sum.slice(0, 12)}`;
      return alarm(`generation ${gen} is another one than before (${sums})`, true);
    }
    return manifest;
  } catch (error) {
    if (error instanceof CfsError && error.code !== 'IO_ERROR') throw error;
    // Caches may lag for a moment; if it stays, the patient way says what it is.
    try {
      return store.heads.newest();
    } catch (patient) {
      if (patient instanceof CfsError && (patient.code === 'MANIFEST_DAMAGED' || patient.code === 'IO_ERROR')) {
        return alarm(patient.message);
      }
      throw patient;
    }
  }
}

/** Null: given up by a repair. */
function readKept(store: SharedDirectoryStore, gen: number): Manifest | 'collected' | null {
  try {
    return store.manifest(gen);
  } catch (error) {
    if (!(error instanceof CfsError)) throw error;
    if (error.code === 'GENERATION_NOT_FOUND') return store.heads.newest().floor > gen ? 'collected' : null;
    if (error.code === 'MANIFEST_DAMAGED' && isGivenUp(store, gen)) return null;
    throw error;
  }
}

function isGivenUp(store: SharedDirectoryStore, gen: number): boolean {
  const { gen: newest } = store.heads.newest();
  for (let later = gen + 1; later <= newest; later++) {
    try {
      if (store.manifest(later).repair?.skips.includes(gen)) return true;
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
    }
  }
  return false;
}

/** A wait that a hint or the end of watching cuts short. */
class Waker {
  private woken = false;
  private resume: (() => void) | null = null;

  constructor(private readonly signal: AbortSignal | undefined) {
    signal?.addEventListener('abort', () => this.wake(), { once: true });
  }

  get ended(): boolean {
    return this.signal?.aborted ?? false;
  }

  wake(): void {
    this.woken = true;
    this.resume?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.woken && !this.ended) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.resume = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.resume = null;
    this.woken = false;
  }
}
