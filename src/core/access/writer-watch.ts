/**
 * What a command sees while it waits for the right to write: whether the writer is gone, so that nobody waits for a dead one where no
 * agent runs; and which requests before it have waited longer than they may. By its own monotonic clock alone.
 */
import type { Lease } from '../membership/leases.js';
import { LeaseObserver, type Look } from '../membership/observer.js';
import { frozenReason, leftReason, quietReason } from '../membership/reasons.js';
import { leaseTimeout } from '../membership/timeout.js';
import { settingOf } from '../model/settings.js';
import type { Snapshot } from '../store/store.js';
import type { QuietClient } from './logon.js';
import { logonOf, pendingRequest, writerOf } from './look.js';
import { pairName } from './pair.js';

/** Looks further apart than so many lease intervals did not watch what was between. */
const GAP_INTERVALS = 3;
/** An agent that left in order is back after a restart within so many lease intervals. */
const LEFT_INTERVALS = 2;

export interface WriterSeen {
  writer: string | null;
  /** For how long its lease has been watched without a renewal, ms; 0 without a lease. */
  quietMs: number;
  /** Its lease has lapsed, or it left without logging off. */
  gone: QuietClient | null;
}

export class WriterWatch {
  private readonly observer = new LeaseObserver(0);

  /** @param by the client that watches */
  constructor(
    private readonly volume: string,
    private readonly by: string,
  ) {}

  /** @param look one listing of the leases of clients */
  look(look: Look, snapshot: Snapshot): WriterSeen {
    const intervalMs = settingOf(snapshot, 'lease.interval');
    this.observer.maxGapMs = GAP_INTERVALS * intervalMs;
    this.observer.look(look);
    const { writer } = writerOf(snapshot, this.volume);
    const lease = writer === null ? undefined : look.leases.get(writer);
    if (writer === null || lease === undefined) return { writer, quietMs: 0, gone: null };
    const quietMs = this.observer.quietMs(writer);
    return { writer, quietMs, gone: this.goneBy(writer, lease, quietMs, intervalMs, snapshot) };
  }

  private goneBy(
    client: string,
    lease: Lease,
    quietMs: number,
    intervalMs: number,
    snapshot: Snapshot,
  ): QuietClient | null {
    // It logged on without an agent since then: the lease says nothing of it.
    if (lease.seq <= (logonOf(snapshot, client)?.lease ?? -1)) return null;
    if (lease.applied === null) {
      const why = leftReason(quietMs);
      return quietMs < LEFT_INTERVALS * intervalMs ? null : { client, lease: lease.seq, why, left: true };
    }
    if (quietMs < leaseTimeout(snapshot, lease)) return null;
    return { client, lease: lease.seq, why: quietReason(quietMs, this.by) };
  }
}

/** A request that has waited for longer than its limit. */
export interface LateRequest {
  volume: string;
  client: string;
  asked: number;
  limitMs: number;
}

/** Of whoever died while it waited, nobody withdraws the request. */
export class QueueWatch {
  /** When each request, by client and the generation that asked, was first seen. */
  private readonly firstSeen = new Map<string, number>();

  constructor(
    private readonly volume: string,
    private readonly client: string,
  ) {}

  /** @param nowMs monotonic @param wallMs for the end of a freeze: while it lasts, only the own request expires */
  look(snapshot: Snapshot, nowMs: number, wallMs: number): LateRequest[] {
    const { volume } = this;
    const late: LateRequest[] = [];
    const isFrozen = frozenReason(snapshot, wallMs) !== null;
    for (const client of writerOf(snapshot, volume).queue) {
      const request = pendingRequest(snapshot, volume, client);
      if (request === undefined) continue;
      const { asked, limitMs } = request;
      const key = `${pairName(volume, client)}@${asked}`;
      const sinceMs = this.firstSeen.get(key) ?? nowMs;
      this.firstSeen.set(key, sinceMs);
      if (nowMs - sinceMs < limitMs || (isFrozen && client !== this.client)) continue;
      late.push({ volume, client, asked, limitMs });
    }
    return late;
  }
}
