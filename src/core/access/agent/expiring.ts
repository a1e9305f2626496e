/**
 * Requests expire when the agent of somebody who is named in them has itself seen them wait for their whole time, by its own clock:
 * clocks of different hosts are never compared.
 */
import { formatDuration } from '../../model/units.js';
import type { Clock } from '../../platform/clock.js';
import type { Asking } from './asking.js';
import type { ClientView, PendingRequest } from './client-view.js';

export class Expiring {
  /** Since when each is seen, by the monotonic clock. */
  private seen = new Map<string, number>();
  private dueMs = Number.NEGATIVE_INFINITY;
  private isUnderWay = false;

  constructor(private readonly options: { view: ClientView; asking: Asking; clock: Clock }) {}

  /** The requests have changed: looks at all of them. */
  changed(): void {
    this.dueMs = Number.NEGATIVE_INFINITY;
  }

  nextDueMs(): number {
    return this.isUnderWay ? Number.POSITIVE_INFINITY : this.dueMs;
  }

  step(generation: number): void {
    const { view, asking, clock } = this.options;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.dueMs || this.isUnderWay) return;
    const before = this.seen;
    this.seen = new Map();
    this.dueMs = Number.POSITIVE_INFINITY;
    const over: PendingRequest[] = [];
    for (const [name, request] of view.requests) {
      const key = `${name}@${request.asked}`;
      const sinceMs = before.get(key) ?? nowMs;
      this.seen.set(key, sinceMs);
      const untilMs = sinceMs + request.limitMs;
      if (nowMs >= untilMs) over.push(request);
      else this.dueMs = Math.min(this.dueMs, untilMs);
    }
    if (over.length === 0) return;
    this.dueMs = nowMs + 100;
    if (!asking.isIdle || !asking.mayAsk('end-requests', generation)) return;
    this.isUnderWay = true;
    const requests = over.map(({ volume, client, asked, limitMs }) => {
      return { volume, client, asked, why: `not answered within ${formatDuration(limitMs)}` };
    });
    void asking.ask('end-requests', { requests, response: 'expired' }).finally(() => {
      this.isUnderWay = false;
    });
  }
}
