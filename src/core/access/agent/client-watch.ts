/**
 * Seeing to clients that are gone, by the agents of clients and of nodes alike: one whose lease lapsed, or that left without logging
 * off, is logged off, and what it wrote passes on (operation `client.lapsed`). Fenced first where this host has a command for it.
 *
 *   found silent by one's own clock -> a random moment -> looked at once more -> fenced -> decided (and asked again under the lock)
 *
 * Where no client ever logged on it costs one look into a table that is empty.
 */
import { isSituation, messageOf } from '../../agent/guard.js';
import type { Fencing, HookEvent, Log } from '../../agent/ports.js';
import type { Lease } from '../../membership/leases.js';
import { frozenReason, leftReason, quietReason } from '../../membership/reasons.js';
import { settingOf } from '../../model/settings.js';
import type { Platform } from '../../platform/platform.js';
import type { Snapshot } from '../../store/store.js';
import type { LapsedRequest, LapsedResult, QuietClient } from '../logon.js';
import { logonOf, volumesWrittenBy } from '../look.js';
import { ClientPeers, type SilentClient } from './client-peers.js';
import type { ClientWorkerOptions } from './ports.js';

/** The random delay before asking, as a part of lease.interval. */
const DELAY_SHARE = 0.25;

export interface ClientWatchOptions {
  platform: Platform;
  /** Path of leases/. */
  dir: string;
  /** Who watches, for people: `client c1`, `node n1`. */
  by: string;
  /** The client whose agent this is: it does not judge itself. Null: a node's. */
  self: string | null;
  decide: (request: LapsedRequest) => Promise<LapsedResult>;
  /** The client that this host is besides, by its configuration: its host does not turn itself off. */
  ownClient?: () => string | null;
  /** This host's fencing command, as it is now. */
  fencing: () => Fencing | null;
  log: Log;
  hook: (event: HookEvent, variables: Record<string, string>) => void;
  /** Something was decided, or failed: read the newest generation. */
  decided: () => void;
}

export class ClientWatch {
  private peers: ClientPeers | null = null;
  private snapshot: Snapshot | null = null;
  /** Of those that are silent: whether the tables still name them, as of that generation; settled: logged off, and writes nothing. */
  private readonly judged = new Map<string, { generation: number; isNamed: boolean; isSettled: boolean }>();
  private isAsking = false;
  private retryMs = Number.NEGATIVE_INFINITY;
  private waits: string[] = [];
  private trouble: string | null = null;
  /** A bug that showed beside the turns: told in the next one. */
  private failure: unknown = null;

  constructor(private readonly options: ClientWatchOptions) {}

  /**
   * One look, once per lease interval.
   * @param mayAsk whether anything may be asked for now
   * @returns every client's newest lease @throws SystemCallError
   */
  look(snapshot: Snapshot, mayAsk = true): ReadonlyMap<string, Lease> {
    if (this.failure !== null) throw this.failure;
    this.snapshot = snapshot;
    if (this.options.self === null && snapshot.table('logons').count === 0) return new Map();
    this.peers ??= new ClientPeers(this.options.platform, this.options.dir, snapshot);
    this.peers.follow(snapshot);
    const leases = this.peers.look();
    const gone = this.gone(snapshot);
    const frozen = gone.length === 0 ? null : frozenReason(snapshot, this.options.platform.clock.nowMs());
    this.waits = frozen === null ? [] : gone.map(({ client }) => `client ${client} is silent: ${frozen}`);
    if (gone.length === 0) this.trouble = null;
    else if (mayAsk && frozen === null && !this.isAsking && this.nowMs() >= this.retryMs) this.begin(snapshot);
    return leases;
  }

  /** In how many ms, at the earliest, a client would have lapsed; Infinity: none is overdue. */
  untilLapse(): number {
    return this.peers?.untilLapse() ?? Number.POSITIVE_INFINITY;
  }

  get lastLookMs(): number {
    return this.peers?.lastLookMs ?? Number.NEGATIVE_INFINITY;
  }

  mostReleased(): number {
    return this.peers?.mostReleased() ?? 0;
  }

  problems(): string[] {
    return this.trouble === null ? this.waits : [this.trouble, ...this.waits];
  }

  private nowMs(): number {
    return this.options.platform.clock.monotonicMs();
  }

  private begin(snapshot: Snapshot): void {
    const intervalMs = settingOf(snapshot, 'lease.interval');
    this.isAsking = true;
    const ask = async (): Promise<void> => {
      await this.options.platform.clock.sleep(intervalMs * DELAY_SHARE * this.options.platform.random.fraction());
      this.peers!.look();
      await this.ask(this.gone(this.snapshot!));
    };
    void ask()
      .catch((error: unknown) => {
        if (isSituation(error)) this.told(`cannot log off clients that are gone: ${messageOf(error)}`);
        else this.failure = error;
      })
      .finally(() => {
        this.isAsking = false;
        this.retryMs = this.nowMs() + intervalMs;
        this.options.decided();
      });
  }

  /** Those that are silent and still named by the tables. */
  private gone(snapshot: Snapshot): SilentClient[] {
    const silent = this.peers!.silent().filter(({ client }) => client !== this.options.self);
    const named = silent.filter(({ client, lease }) => this.isNamed(snapshot, client, lease));
    const clients = new Set(silent.map(({ client }) => client));
    for (const client of this.judged.keys()) if (!clients.has(client)) this.judged.delete(client);
    return named;
  }

  private isNamed(snapshot: Snapshot, client: string, lease: Lease): boolean {
    const known = this.judged.get(client);
    if (known?.generation === snapshot.generation) return known.isNamed;
    const logon = logonOf(snapshot, client);
    const isOff = logon?.loggedOn !== true;
    let isNamed = false;
    // A lease that the logon outlived says nothing of what commands have mounted since.
    const isOld = lease.seq <= (logon?.lease ?? -1);
    if (!isOff) isNamed = !isOld;
    // Whoever is logged off and writes nothing cannot become a writer without logging on: the table is not read again and again.
    else if (logon !== undefined && !isOld && known?.isSettled !== true)
      isNamed = volumesWrittenBy(snapshot, client).length > 0;
    this.judged.set(client, { generation: snapshot.generation, isNamed, isSettled: isOff && !isOld && !isNamed });
    return isNamed;
  }

  private async ask(gone: readonly SilentClient[]): Promise<void> {
    const clients = (await Promise.all(gone.map((silent) => this.prepared(silent)))).filter((item) => item !== null);
    if (clients.length === 0) return;
    try {
      const { lapsed, leftAlone } = await this.options.decide({ clients });
      this.trouble = null;
      for (const { client } of lapsed) {
        const why = clients.find((item) => item.client === client)?.why ?? '';
        this.options.log.warn({ client }, `client ${client} is gone: ${why}; it is logged off`);
        this.options.hook('client-gone', { CFS_CLIENT: client, CFS_REASON: why });
      }
      for (const { client, why } of leftAlone)
        this.options.log.info({ client }, `client ${client} is left alone: ${why}`);
    } catch (error) {
      this.told(`clients that are gone could not be logged off: ${messageOf(error)}`);
    }
  }

  /** Fenced, where that is to be done first. Null: it cannot be logged off now. */
  private async prepared({ client, lease, quietMs, hasLeft }: SilentClient): Promise<QuietClient | null> {
    if (hasLeft) return { client, lease: lease.seq, why: leftReason(quietMs), left: true };
    const why = quietReason(quietMs, this.options.by);
    const isRequired = settingOf(this.snapshot!, 'fencing.policy') === 'required';
    const fencing = client === this.options.ownClient?.() ? null : this.options.fencing();
    if (fencing === null) {
      if (!isRequired) return { client, lease: lease.seq, why };
      this.told(
        `client ${client} is silent and must be fenced first: cfs client logoff ${client} --fenced says that it is off`,
      );
      return null;
    }
    this.options.log.warn({ client }, `fencing client ${client}`);
    let says: string;
    try {
      says = await fencing.fence(client);
    } catch (error) {
      // Held back whatever the policy is, as with nodes.
      this.told(
        `client ${client} could not be fenced: ${messageOf(error)}; cfs client logoff ${client} --fenced says that it is off`,
      );
      return null;
    }
    this.options.hook('fenced', { CFS_CLIENT: client, CFS_REASON: says });
    // It may have renewed until it was off.
    const seq = this.peers!.look().get(client)?.seq ?? lease.seq;
    return { client, lease: seq, why, fenced: `fenced by ${this.options.by}: ${says}` };
  }

  private told(says: string): void {
    if (says !== this.trouble) this.options.log.warn({}, says);
    this.trouble = says;
  }
}

/** The watch of a client's agent. */
export function watchOfClient(
  options: ClientWorkerOptions,
  tools: Pick<ClientWatchOptions, 'hook' | 'decided'>,
): ClientWatch {
  const { client, platform, store, decider, log } = options;
  return new ClientWatch({
    ...{ platform, dir: store.place.paths.leases, by: `client ${client}`, self: client, log, ...tools },
    decide: async (request) => (await decider.decide('clients-lapsed', request)).value as LapsedResult,
    fencing: () => options.fencing,
  });
}
