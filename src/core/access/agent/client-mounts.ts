/**
 * What is mounted on this host, and what the driver is doing about it: one call per volume at a time, all volumes beside each other,
 * the steps of mount-plan.ts in their order.
 *
 * A mount for writing is known to the supervisor from just before the driver is asked for it until it is read-only for certain. A call
 * that fails half-way leaves `unknown`, which counts as one for writing. Where a mount cannot be made read-only it is unmounted.
 */
import { messageOf } from '../../agent/guard.js';
import type { Log, Supervisor } from '../../agent/ports.js';
import type { Clock } from '../../platform/clock.js';
import { canWrite, type MountState, type MountStep, type MountWish, mountPlan, NOT_MOUNTED } from './mount-plan.js';
import { MountBusyError, type MountDriver, type RealMount } from './ports.js';
import { Surveying } from './surveying.js';

export interface Wish extends MountWish {
  softwareLock: boolean;
  /** What it is wished for: another cause is tried at once, and has its own failure. */
  cause: string;
}

export interface ClientMountsOptions {
  driver: MountDriver;
  supervisor: Pick<Supervisor, 'holds' | 'released'>;
  clock: Clock;
  log: Log;
  parallelMounts: number;
  parallelGives: number;
  /** The newest generation read. */
  generation: () => number;
  /** What is mounted has changed, by a step of that kind. */
  onStep: (step: MountStep) => void;
  wake: () => void;
}

interface Attempt {
  /** The step that failed: of the same one the next try has to wait. */
  key: string;
  failures: number;
  retryMs: number;
  says: string;
  isBusy: boolean;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_MOUNT_PAUSE_MS = 60_000;

export class ClientMounts {
  private readonly real = new Map<string, MountState>();
  /** The generation that was read before a volume was mounted: the mount shows at least that. */
  private readonly shown = new Map<string, number>();
  private readonly calls = new Map<string, MountStep>();
  /** Failures to make less of a mount, and to make more of it. */
  private readonly less = new Map<string, Attempt>();
  private readonly more = new Map<string, Attempt>();
  private wished: ReadonlyMap<string, Wish> = new Map();
  private waiting = new Map<string, string>();
  /** What the driver worked on since the survey under way began. */
  private readonly worked = new Set<string>();
  private readonly surveying: Surveying;

  constructor(private readonly options: ClientMountsOptions) {
    this.surveying = new Surveying({ ...options, mounts: this });
  }

  /** What was found on the host at the start; nothing of it is for writing any more. */
  found(mounts: readonly RealMount[]): void {
    for (const { volume, mode } of mounts) if (mode === 'ro') this.real.set(volume, { mode, epoch: null });
  }

  /** Sees now and then whether somebody else changed what is mounted (surveying.ts). @param intervalMs shortest time between, from 2 s */
  survey(intervalMs: number): void {
    this.surveying.step(intervalMs);
  }

  noteWork(): void {
    this.worked.clear();
    for (const volume of this.calls.keys()) this.worked.add(volume);
  }

  wasWorkedOn(volume: string): boolean {
    return this.worked.has(volume);
  }

  isGiving(volume: string): boolean {
    return this.less.has(volume);
  }

  /** Somebody else changed what is mounted. The supervisor hears of what is for writing; it is released when it was given up. */
  correct(volume: string, state: MountState): void {
    if (canWrite(state) && !canWrite(this.stateOf(volume))) {
      this.options.supervisor.holds({ volume, epoch: state.epoch ?? 0 });
    }
    this.set(volume, state);
  }

  /** @param obstacle why a volume cannot be mounted for writing now, a sentence; null: it can */
  step(wished: ReadonlyMap<string, Wish>, obstacle: (step: MountStep) => string | null): void {
    this.wished = wished;
    this.waiting = new Map();
    const plan = mountPlan(this.real, wished);
    const differing = new Set(plan.map(({ volume }) => volume));
    for (const failed of [this.less, this.more]) {
      for (const volume of failed.keys()) {
        if (!differing.has(volume) && !this.calls.has(volume)) failed.delete(volume);
      }
    }
    const nowMs = this.options.clock.monotonicMs();
    let gives = [...this.calls.values()].filter(isLess).length;
    let mounts = this.calls.size - gives;
    for (const step of plan) {
      if (this.calls.has(step.volume)) continue;
      const failed = this.failuresOf(step).get(step.volume);
      if (failed?.key === this.keyOf(step) && nowMs < failed.retryMs) continue;
      const isFull = isLess(step) ? gives >= this.options.parallelGives : mounts >= this.options.parallelMounts;
      const why = isFull ? 'others are being mounted' : isLess(step) ? null : obstacle(step);
      if (why !== null) {
        this.waiting.set(step.volume, why);
        continue;
      }
      if (isLess(step)) gives += 1;
      else mounts += 1;
      void this.run(step);
    }
  }

  /** Makes a read-only mount anew, so that it shows the newest. @returns false: a call is under way @throws MountBusyError; Error */
  async refresh(volume: string): Promise<number> {
    const seen = this.options.generation();
    const step: MountStep = { volume, kind: 'mount', to: 'ro', epoch: 0, force: false };
    this.begin(step);
    try {
      await this.options.driver.mount(volume, 'ro', this.optionsOf(step));
      this.shown.set(volume, seen);
      return seen;
    } catch (error) {
      // What it was is not known; it was read-only, and is tried again as such.
      if (!(error instanceof MountBusyError)) this.set(volume, NOT_MOUNTED);
      throw error;
    } finally {
      this.calls.delete(volume);
      this.options.wake();
    }
  }

  stateOf(volume: string): MountState {
    return this.real.get(volume) ?? NOT_MOUNTED;
  }

  /** Nothing here can write to it, nor will by what is under way. */
  isReadOnly(volume: string): boolean {
    return !canWrite(this.stateOf(volume)) && this.calls.get(volume)?.kind !== 'take';
  }

  isBusy(volume: string): boolean {
    return this.calls.has(volume);
  }

  /** Mounted for writing by this right, and nothing under way. */
  isWriting(volume: string, epoch: number): boolean {
    const { mode, epoch: by } = this.stateOf(volume);
    return mode === 'rw' && by === epoch && !this.calls.has(volume);
  }

  /** The mount shows at least what was there at this generation; 0: nobody knows what it shows. */
  shownAt(volume: string): number {
    return this.shown.get(volume) ?? 0;
  }

  /** What is mounted is known to show that generation, for another reason than that it was made here. */
  shows(volume: string, generation: number): void {
    if (this.real.has(volume)) this.shown.set(volume, Math.max(this.shownAt(volume), generation));
  }

  /** Why the mount could not be made read-only, where programs keep it busy and this is what was wished for last; else null. */
  busyWith(volume: string, cause: string): string | null {
    const failed = this.less.get(volume);
    if (failed === undefined || !failed.isBusy || this.calls.has(volume)) return null;
    return this.wished.get(volume)?.cause === cause && failed.key.endsWith(`/${cause}`) ? failed.says : null;
  }

  /** Whether mounting was tried and did not succeed. */
  hasFailed(volume: string): boolean {
    return this.less.has(volume) || this.more.has(volume);
  }

  /** Volumes that programs of this host may be able to write to. */
  *writable(): Iterable<[string, MountState]> {
    for (const [volume, state] of this.real) if (canWrite(state)) yield [volume, state];
    for (const [volume, { kind, epoch }] of this.calls) {
      if (kind === 'take' && !canWrite(this.stateOf(volume))) yield [volume, { mode: 'unknown', epoch }];
    }
  }

  get holdsAnything(): boolean {
    for (const _ of this.writable()) return true;
    return false;
  }

  /** Nothing is mounted. */
  get isEmpty(): boolean {
    return this.real.size === 0;
  }

  /** No call is under way. */
  get isIdle(): boolean {
    return this.calls.size === 0;
  }

  /** Everything that is mounted, in whatever way. */
  volumes(): Iterable<string> {
    return this.real.keys();
  }

  whyOf(volume: string): string | null {
    return (this.less.get(volume) ?? this.more.get(volume))?.says ?? this.waiting.get(volume) ?? null;
  }

  problems(): string[] {
    const failed = [...this.less, ...this.more].map(([volume, { says }]) => `volume ${volume}: ${says}`);
    return [...failed, ...this.surveying.problems()];
  }

  /** When something is to be tried again, by the monotonic clock; Infinity: nothing. */
  nextRetryMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const [volume, { retryMs }] of [...this.less, ...this.more])
      if (!this.calls.has(volume)) next = Math.min(next, retryMs);
    return next;
  }

  private begin(step: MountStep): void {
    this.calls.set(step.volume, step);
    this.worked.add(step.volume);
  }

  private async run(step: MountStep): Promise<void> {
    const { volume, kind, epoch } = step;
    const { log, supervisor } = this.options;
    const before = this.stateOf(volume);
    const seen = this.options.generation();
    this.begin(step);
    log.info({ volume, epoch }, SAYS[kind](volume, step));
    if (kind === 'take') supervisor.holds({ volume, epoch });
    try {
      const to = await settled(() => (isLess(step) ? this.lessen(step) : this.mount(step)));
      this.set(volume, { mode: to, epoch: to === 'rw' ? epoch : null });
      if (to !== 'none') this.shown.set(volume, seen);
      if (to !== 'rw' && canWrite(before)) supervisor.released(volume);
      this.failuresOf(step).delete(volume);
      this.options.onStep({ ...step, to });
    } catch (error) {
      const isBusy = error instanceof MountBusyError;
      if (kind === 'take') {
        // Busy: it stayed as it was. Else nobody knows, and it is made read-only first.
        if (isBusy) supervisor.released(volume);
        else this.set(volume, { mode: 'unknown', epoch });
      } else if (!isBusy) {
        this.set(volume, canWrite(before) ? { mode: 'unknown', epoch: before.epoch } : before);
      }
      this.fail(step, isBusy, messageOf(error));
    } finally {
      this.calls.delete(volume);
      this.options.wake();
    }
  }

  private async mount(step: MountStep): Promise<'ro' | 'rw'> {
    const to = step.to as 'ro' | 'rw';
    await this.options.driver.mount(step.volume, to, this.optionsOf(step));
    return to;
  }

  private async lessen(step: MountStep): Promise<'ro' | 'none'> {
    const { driver, log } = this.options;
    const { volume, to, force } = step;
    if (to === 'ro') {
      try {
        await driver.mount(volume, 'ro', this.optionsOf(step));
        return 'ro';
      } catch (error) {
        if (error instanceof MountBusyError) throw error;
        log.warn({ volume }, `volume ${volume} cannot be made read-only and is unmounted: ${messageOf(error)}`);
      }
    }
    await driver.unmount(volume, { force });
    return 'none';
  }

  private fail(step: MountStep, isBusy: boolean, message: string): void {
    const { volume, epoch } = step;
    const key = this.keyOf(step);
    const attempts = this.failuresOf(step);
    const former = attempts.get(volume);
    const failures = former?.key === key ? former.failures + 1 : 1;
    const longestMs = isLess(step) ? FIRST_PAUSE_MS : LONGEST_MOUNT_PAUSE_MS;
    const pauseMs = Math.min(longestMs, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 20));
    const says = `${FAILS[step.to]}: ${message}`;
    attempts.set(volume, { key, failures, retryMs: this.options.clock.monotonicMs() + pauseMs, says, isBusy });
    if (former?.says !== says) {
      this.options.log.error({ volume, epoch, failures, retryInMs: pauseMs }, `volume ${volume} ${says}`);
    }
  }

  private set(volume: string, state: MountState): void {
    if (state.mode === 'none') this.real.delete(volume);
    else this.real.set(volume, state);
    if (state.mode === 'none') this.shown.delete(volume);
  }

  private failuresOf(step: MountStep): Map<string, Attempt> {
    return isLess(step) ? this.less : this.more;
  }

  private keyOf({ volume, to, epoch, force }: MountStep): string {
    return `${to}@${epoch}${force ? '!' : ''}/${this.wished.get(volume)?.cause ?? ''}`;
  }

  private optionsOf({ volume, kind, epoch, force }: MountStep) {
    const wish = this.wished.get(volume);
    return {
      epoch: kind === 'take' ? epoch : this.options.generation(),
      force,
      softwareLock: wish?.softwareLock ?? true,
    };
  }
}

function isLess({ kind }: Pick<MountStep, 'kind'>): boolean {
  return kind === 'give' || kind === 'unmount';
}

const SAYS: Record<MountStep['kind'], (volume: string, step: MountStep) => string> = {
  give: (volume, { to }) =>
    to === 'ro' ? `making volume ${volume} read-only` : `unmounting volume ${volume}, which was for writing`,
  unmount: (volume) => `unmounting volume ${volume}`,
  mount: (volume) => `mounting volume ${volume} read-only`,
  take: (volume) => `mounting volume ${volume} for writing`,
};

const FAILS: Record<MountStep['to'], string> = {
  none: 'cannot be unmounted',
  ro: 'cannot be mounted read-only',
  rw: 'cannot be mounted for writing',
};

/** A call that throws at once is one that rejects. */
async function settled<T>(call: () => Promise<T>): Promise<T> {
  return call();
}
