/**
 * The decisions that a client's agent asks for, one after the other. Each is an operation that looks for itself under the lock, so that
 * asking for what was done meanwhile is harmless. What fails is tried again after a pause, by whoever still finds it to be done.
 */
import { messageOf } from '../../agent/guard.js';
import type { Log } from '../../agent/ports.js';
import { CfsError, type ErrorCode } from '../../errors.js';
import type { Clock } from '../../platform/clock.js';
import type { ClientDecisionRequest, ClientDecisionResult } from './decisions.js';
import type { ClientDecider, ClientDecisionName } from './ports.js';

export type Answer<N extends ClientDecisionName> =
  | { kind: 'done'; generation: number; value: ClientDecisionResult<N> }
  /** Not to be done any more: somebody was faster. */
  | { kind: 'refused'; why: string }
  /** It may or may not have been done. */
  | { kind: 'failed'; why: string };

const PAUSE_MS = 1000;
/** What an operation says when others have changed what it was asked for. */
const REFUSALS: readonly ErrorCode[] = [
  'CLIENT_NOT_FOUND',
  'NOT_LOGGED_ON',
  'NOT_MOUNTED',
  'NOT_THE_WRITER',
  'REQUEST_NOT_FOUND',
  'REQUEST_STANDS',
  'VOLUME_NOT_FOUND',
];

export class Asking {
  private last: Promise<unknown> = Promise.resolve();
  private underWay = 0;
  /** What was decided last made this generation: nothing is asked for by an older one. */
  private made = 0;
  private readonly retryMs = new Map<ClientDecisionName, number>();
  private readonly troubles = new Map<ClientDecisionName, string>();

  constructor(private readonly options: { decider: ClientDecider; clock: Clock; log: Log; decided: () => void }) {}

  /** Whether this may be asked for by what was read of that generation. */
  mayAsk(name: ClientDecisionName, generation: number): boolean {
    return generation >= this.made && this.options.clock.monotonicMs() >= (this.retryMs.get(name) ?? 0);
  }

  /** Nothing is under way: what can wait may be asked for. */
  get isIdle(): boolean {
    return this.underWay === 0;
  }

  /** When something that failed may be asked for again; Infinity: nothing failed. */
  nextRetryMs(): number {
    const nowMs = this.options.clock.monotonicMs();
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.retryMs.values()].filter((atMs) => atMs > nowMs));
  }

  problems(): string[] {
    return [...this.troubles.values()];
  }

  /** Never rejects. */
  ask<N extends ClientDecisionName>(name: N, request: ClientDecisionRequest<N>): Promise<Answer<N>> {
    this.underWay += 1;
    const answer = this.last.then(() => this.decide(name, request));
    this.last = answer;
    return answer.finally(() => {
      this.underWay -= 1;
      this.options.decided();
    });
  }

  private async decide<N extends ClientDecisionName>(name: N, request: ClientDecisionRequest<N>): Promise<Answer<N>> {
    const { decider, log, clock } = this.options;
    try {
      const { committed, generation, value } = await decider.decide(name, request);
      if (committed) log.info({ decision: name, generation, value: value as object }, `decided: ${name}`);
      this.made = Math.max(this.made, generation);
      this.troubles.delete(name);
      this.retryMs.delete(name);
      return { kind: 'done', generation, value: value as ClientDecisionResult<N> };
    } catch (error) {
      const why = messageOf(error);
      if (error instanceof CfsError && REFUSALS.includes(error.code)) {
        log.info({ decision: name }, `${name} is not to be done any more: ${why}`);
        return { kind: 'refused', why };
      }
      this.retryMs.set(name, clock.monotonicMs() + PAUSE_MS);
      this.troubles.set(name, `the decision ${name} could not be made: ${why}`);
      log.warn({ decision: name }, this.troubles.get(name)!);
      return { kind: 'failed', why };
    }
  }
}
