/** The clients, as their leases show them to this agent: who is quiet for how long, by its own clock. A look costs one listing. */
import { type Lease, listClientLeases } from '../../membership/leases.js';
import { LeaseObserver } from '../../membership/observer.js';
import { leaseTimeout } from '../../membership/timeout.js';
import { settingOf } from '../../model/settings.js';
import type { Platform } from '../../platform/platform.js';
import type { Snapshot } from '../../store/store.js';

/** Looks further apart than this many lease intervals do not count as watching. */
const GAP_INTERVALS = 3;
/** An agent that says it left is given so many intervals to log off. */
const LEFT_INTERVALS = 2;

/** A client that does not renew its lease any more. */
export interface SilentClient {
  client: string;
  lease: Lease;
  quietMs: number;
  /** The lease says that the agent left. */
  hasLeft: boolean;
}

export class ClientPeers {
  private readonly observer: LeaseObserver;
  private newest: ReadonlyMap<string, Lease> = new Map();
  private lookedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly platform: Platform,
    /** Path of leases/. */
    private readonly dir: string,
    private snapshot: Snapshot,
  ) {
    this.observer = new LeaseObserver(GAP_INTERVALS * this.intervalMs());
  }

  /** Takes in the settings of a new generation. */
  follow(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.observer.maxGapMs = GAP_INTERVALS * this.intervalMs();
  }

  /** One listing. @returns the newest leases by client @throws SystemCallError */
  look(): ReadonlyMap<string, Lease> {
    const { clock } = this.platform;
    const beganMs = clock.monotonicMs();
    const leases = listClientLeases(this.platform, this.dir);
    const endedMs = clock.monotonicMs();
    // A listing can miss a name that is made while it goes on: a lease once seen counts on.
    for (const [client, lease] of this.newest) {
      if (!leases.has(client) && (!this.isLapsed(client) || this.snapshot.table('clients').has(client))) {
        leases.set(client, lease);
      }
    }
    this.observer.look({ leases, beganMs, endedMs });
    this.newest = leases;
    this.lookedMs = beganMs;
    return leases;
  }

  /** When the last look began, by the monotonic clock. */
  get lastLookMs(): number {
    return this.lookedMs;
  }

  /** Those that have lapsed, by what was watched here, or left a while ago. */
  silent(): SilentClient[] {
    const leftMs = LEFT_INTERVALS * this.intervalMs();
    const silent: SilentClient[] = [];
    for (const [client, lease] of this.newest) {
      const hasLeft = lease.applied === null;
      const quietMs = this.observer.quietMs(client);
      if (hasLeft ? quietMs >= leftMs : this.isLapsed(client)) silent.push({ client, lease, quietMs, hasLeft });
    }
    return silent;
  }

  /** In how many ms, at the earliest, a lease that is overdue would have lapsed; Infinity: none is overdue. */
  untilLapse(): number {
    let least = Number.POSITIVE_INFINITY;
    for (const [client, { applied }] of this.newest) {
      const quietMs = this.observer.quietMs(client);
      if (applied === null || quietMs < 2 * this.intervalMs()) continue;
      const leftMs = this.timeoutOf(client) - quietMs;
      if (leftMs > 0) least = Math.min(least, leftMs);
    }
    return least;
  }

  /** The newest generation that any client acknowledges: the newest there is cannot be older. */
  mostReleased(): number {
    let most = 0;
    for (const { released } of this.newest.values()) if (released > most) most = released;
    return most;
  }

  private isLapsed(client: string): boolean {
    return this.observer.isLapsed(client, this.timeoutOf(client));
  }

  private timeoutOf(client: string): number {
    return leaseTimeout(this.snapshot, this.newest.get(client));
  }

  private intervalMs(): number {
    return settingOf(this.snapshot, 'lease.interval');
  }
}
