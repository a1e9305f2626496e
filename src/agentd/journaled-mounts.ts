/**
 * A client's mount driver whose mounts for writing stand in the ownership journal: from just before one is made until just after it is
 * read-only or gone. A mount that failed stays in it until then: it may be there all the same.
 */
import type { MountDriver, MountOptions, RealMount } from '../core/access/agent/ports.js';
import type { Holding } from '../core/agent/ports.js';
import type { JournaledOptions } from './drivers/journaled.js';
import type { OwnershipJournal } from './journal.js';

export class JournaledMounts implements MountDriver {
  readonly name: string;
  /** Open intervals by volume; null: not read yet. */
  private open: Map<string, Holding> | null = null;
  /** Calls that are under way, by volume. */
  private readonly underWay = new Map<string, number>();
  /** The number of the call of each volume that ended last. */
  private readonly ended = new Map<string, number>();
  private calls = 0;

  constructor(
    private readonly driver: MountDriver,
    private readonly journal: Pick<OwnershipJournal, 'add' | 'open'>,
    private readonly options: JournaledOptions,
  ) {
    this.name = driver.name;
  }

  /** What cannot be written down is not mounted for writing: nobody could make it read-only after a crash. */
  async mount(volume: string, mode: 'ro' | 'rw', options: MountOptions): Promise<void> {
    await this.call(volume, async () => {
      if (mode === 'rw') this.begin('start', { volume, epoch: options.epoch });
      await this.driver.mount(volume, mode, options);
      if (mode === 'ro') this.end(volume);
    });
  }

  async unmount(volume: string, options: Pick<MountOptions, 'force'>): Promise<void> {
    await this.call(volume, async () => {
      await this.driver.unmount(volume, options);
      this.end(volume);
    });
  }

  /**
   * What is mounted; an interval of the journal that turns out to have ended unseen ends now, one nobody knew of begins. Of a volume that
   * was being mounted or unmounted meanwhile this says nothing.
   */
  async mounted(): Promise<RealMount[]> {
    const before = this.calls;
    const mounts = await this.driver.mounted();
    const isSure = (volume: string): boolean => !this.underWay.has(volume) && (this.ended.get(volume) ?? 0) <= before;
    const writing = new Set(mounts.filter(({ mode }) => mode === 'rw').map(({ volume }) => volume));
    for (const volume of [...this.intervals().keys()]) if (!writing.has(volume) && isSure(volume)) this.end(volume);
    for (const volume of writing) {
      if (!this.intervals().has(volume) && isSure(volume)) this.begin('found', { volume, epoch: UNKNOWN });
    }
    return mounts;
  }

  written(volume: string): Promise<string | null> {
    return this.driver.written(volume);
  }

  private async call(volume: string, work: () => Promise<void>): Promise<void> {
    this.underWay.set(volume, (this.underWay.get(volume) ?? 0) + 1);
    try {
      await work();
    } finally {
      const left = this.underWay.get(volume)! - 1;
      if (left > 0) this.underWay.set(volume, left);
      else this.underWay.delete(volume);
      this.ended.set(volume, ++this.calls);
    }
  }

  private intervals(): Map<string, Holding> {
    this.open ??= new Map(this.journal.open().map((holding) => [holding.volume, holding]));
    return this.open;
  }

  private begin(event: 'start' | 'found', holding: Holding): void {
    this.journal.add(event, holding);
    this.intervals().set(holding.volume, holding);
  }

  private end(volume: string): void {
    const holding = this.intervals().get(volume);
    if (holding === undefined) return;
    this.intervals().delete(volume);
    try {
      this.journal.add(this.options.ends, holding);
    } catch (error) {
      this.options.onProblem(error as Error);
    }
  }
}

/** The epoch of a mount that was not made by an agent: no generation is 0. */
const UNKNOWN = 0;
