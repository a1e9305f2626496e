/**
 * How a client's agent ends. Asked to (SIGTERM): everything is unmounted, the client logged off, the last lease says `left`. Where
 * programs keep a mount busy they are named and it is tried again; asked a second time they are ended, and a third time nothing is
 * waited for but what is mounted for writing. Where another agent has this client's name, what is mounted for writing is made read-only
 * by force, and nothing is said to the cluster.
 */
import type { WorkerEnd } from '../../agent/options.js';
import type { Asking } from './asking.js';
import type { ClientMounts, Wish } from './client-mounts.js';
import type { ClientView } from './client-view.js';

export interface EndingOptions {
  client: string;
  view: ClientView;
  mounts: ClientMounts;
  asking: Asking;
  /** Makes the last lease. */
  leave: () => void;
  wake: () => void;
}

export class Ending {
  private reason: WorkerEnd['reason'] | null = null;
  private says = '';
  private asked = 0;
  private logoff: 'no' | 'asked' | 'done' = 'no';

  constructor(private readonly options: EndingOptions) {}

  /** Under way, for whatever reason. */
  get isUnderWay(): boolean {
    return this.reason !== null;
  }

  /** @returns whether it was asked for the first time */
  ask(): boolean {
    this.asked += 1;
    if (this.reason !== null) return false;
    this.reason = 'stopped';
    this.says = 'stopped in order';
    return true;
  }

  /** Another agent of this client lives. @returns whether that is news */
  giveWay(says: string): boolean {
    if (this.reason === 'elsewhere') return false;
    this.reason = 'elsewhere';
    this.says = says;
    return true;
  }

  /** Another wish than before is tried at once. */
  get cause(): string {
    return this.isForced ? 'end!' : 'end';
  }

  /** What is to become of a volume; another agent is left what is read-only. */
  wish(volume: string): Pick<Wish, 'mode' | 'force'> {
    const isLeft = this.reason === 'elsewhere' && this.options.mounts.stateOf(volume).mode !== 'none';
    return { mode: isLeft ? 'ro' : 'none', force: this.isForced };
  }

  /** Before anything was read: nothing is mounted for writing. */
  unborn(): WorkerEnd | null {
    return this.reason === null ? null : { reason: this.reason, says: this.says };
  }

  /** Brings the end nearer. @returns how it has ended; null: not yet */
  step(): WorkerEnd | null {
    const { mounts, leave } = this.options;
    const { reason, says } = this;
    if (reason === null || mounts.holdsAnything || !mounts.isIdle) return null;
    if (reason === 'elsewhere') return { reason, says };
    const isHurried = this.asked > 2;
    if (!isHurried && !mounts.isEmpty) return null;
    if (this.logoff === 'no') this.beginLogoff();
    // Where it could not be done, the others do it by the last lease.
    if (this.logoff === 'asked' && !isHurried) return null;
    leave();
    return { reason, says };
  }

  private get isForced(): boolean {
    return this.reason === 'elsewhere' || this.asked > 1;
  }

  private beginLogoff(): void {
    const { view, asking, client, wake } = this.options;
    const writes = [...view.volumes.values()].some(({ isWriter }) => isWriter);
    // What commands have mounted on another host is not this agent's to log off.
    if (!view.isKnown || view.mountingHost !== null || !(view.isLoggedOn || writes)) {
      this.logoff = 'done';
      return;
    }
    this.logoff = 'asked';
    void asking.ask('client-logoff', { client, readOnly: true, reason: 'its agent ended' }).then(() => {
      this.logoff = 'done';
      wake();
    });
  }
}
