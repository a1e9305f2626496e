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

  constructor(
    private readonly driver: MountDriver,
    private readonly journal: Pick<OwnershipJournal, 'add' | 'open'>,
    private readonly options: JournaledOptions,
  ) {
    this.name = driver.name;
  }

  /** What cannot be written down is not mounted for writing: nobody could make it read-only after a crash. */
  async mount(volume: string, mode: 'ro' | 'rw', options: MountOptions): Promise<void> {
    if (mode === 'rw') this.begin('start', { volume, epoch: options.epoch });
    await this.driver.mount(volume, mode, options);
    if (mode === 'ro') this.end(volume);
  }

  async unmount(volume: string, options: Pick<MountOptions, 'force'>): Promise<void> {
    await this.driver.unmount(volume, options);
    this.end(volume);
  }

  /** What is mounted; an interval of the journal that turns out to have ended unseen ends now, one nobody knew of begins. */
  async mounted(): Promise<RealMount[]> {
    const mounts = await this.driver.mounted();
    const writing = new Set(mounts.filter(({ mode }) => mode === 'rw').map(({ volume }) => volume));
    for (const volume of [...this.intervals().keys()]) if (!writing.has(volume)) this.end(volume);
    for (const volume of writing) if (!this.intervals().has(volume)) this.begin('found', { volume, epoch: UNKNOWN });
    return mounts;
  }

  written(volume: string): Promise<string | null> {
    return this.driver.written(volume);
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
