/**
 * Logging on: once when the agent comes up, and whenever the client was found gone meanwhile. And saying by it that leases before this
 * row of renewals mean nothing any more. That generation is what makes it safe to write: whoever found the client gone by such a lease,
 * and has not committed that yet, has to decide anew and leaves it alone, however long the commit was under way.
 */
import type { Renewals } from '../../agent/renewals.js';
import type { Asking } from './asking.js';
import type { ClientView } from './client-view.js';

export class LoggingOn {
  /** Logged on since this agent came up: who logs it off then means it. */
  private wasLoggedOn = false;

  constructor(
    private readonly options: { client: string; host: string; view: ClientView; renewals: Renewals; asking: Asking },
  ) {}

  /** @param generation newest one read */
  step(generation: number): void {
    const { view, asking, client, host } = this.options;
    if (view.isLoggedOn) this.wasLoggedOn = true;
    // Removed, and added again.
    else if (!view.hasLogon) this.wasLoggedOn = false;
    if (!view.isKnown || !asking.isIdle || !asking.mayAsk('client-logon', generation)) return;
    const isDue = view.isLoggedOn ? !this.isSettled : !this.wasLoggedOn || view.wasFoundGone;
    const lease = this.formerLease();
    if (isDue) void asking.ask('client-logon', { client, agentHost: host, ...(lease < 1 ? {} : { lease }) });
  }

  /** Nobody can find the client gone any more by a lease before this row of renewals, and no commands mount for it elsewhere. */
  get isSettled(): boolean {
    const { view } = this.options;
    return view.mountingHost === null && view.former >= this.formerLease();
  }

  /** The last lease before the unbroken row of renewals that goes on; -1: there was none. */
  private formerLease(): number {
    const former = this.options.renewals.firstSeq - 1;
    return former < 1 ? -1 : former;
  }
}
