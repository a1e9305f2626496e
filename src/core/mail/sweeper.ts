/**
 * Clearing up mailboxes whose node does not read: a message is removed when this process has itself watched it for its time to
 * live; what a sender left half-written, after an hour. Damaged and foreign files stay. Time in which nobody looked does not
 * count (observer.ts): after a directory has hung for everybody, nothing expires at once.
 *
 * One agent does it for all (ballast/keeper.ts, `firstOf`), every SWEEP_INTERVAL_MS; two at once harm nothing. A look costs one listing
 * per mailbox; each message is read once.
 */
import type { Log } from '../agent/ports.js';
import { isMessageId } from './message.js';
import {
  isTemporaryMessageName,
  listMailbox,
  listMailboxes,
  type MailPlace,
  readMessage,
  removeMail,
} from './place.js';

/** How often to sweep, ms. */
export const SWEEP_INTERVAL_MS = 60_000;

const TEMPORARY_TTL_MS = 3_600_000;

interface Watched {
  /** Null: it stays. */
  ttlMs: number | null;
  watchedMs: number;
}

export class MailSweeper {
  private watched = new Map<string, Watched>();
  private lastMs: number | null = null;

  /** @param maxGapMs longest time between two looks that counts as watched */
  constructor(
    private readonly place: MailPlace,
    private readonly log: Log,
    private readonly maxGapMs = 2 * SWEEP_INTERVAL_MS,
  ) {}

  /** Looks once. @returns how many files were removed @throws CfsError of the system */
  sweep(): number {
    const nowMs = this.place.platform.clock.monotonicMs();
    const gapMs = this.lastMs === null ? 0 : Math.min(nowMs - this.lastMs, this.maxGapMs);
    this.lastMs = nowMs;
    const next = new Map<string, Watched>();
    let removed = 0;
    for (const node of listMailboxes(this.place)) {
      for (const file of listMailbox(this.place, node)) {
        const key = `${node}/${file}`;
        const known = this.watched.get(key);
        const now: Watched =
          known === undefined
            ? { ttlMs: this.ttlOf(node, file), watchedMs: 0 }
            : { ttlMs: known.ttlMs, watchedMs: known.watchedMs + gapMs };
        if (now.ttlMs === null || now.watchedMs < now.ttlMs) {
          next.set(key, now);
          continue;
        }
        removeMail(this.place, node, file);
        removed++;
        if (isMessageId(file)) this.log.warn({ mail: file, to: node }, 'a message expired that its node did not read');
      }
    }
    this.watched = next;
    return removed;
  }

  private ttlOf(node: string, file: string): number | null {
    if (isTemporaryMessageName(file)) return TEMPORARY_TTL_MS;
    if (!isMessageId(file)) return null;
    const message = readMessage(this.place, node, file);
    return message === 'gone' || 'damaged' in message ? null : message.ttlMs;
  }
}
