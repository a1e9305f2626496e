/** A driver whose calls stand in the ownership journal: from just before a start until just after a stop. */
import type { Driver, Holding } from '../../core/agent/ports.js';
import type { OwnershipJournal } from '../journal.js';

export interface JournaledOptions {
  /** What an end is called: `stop` in the worker, `fenced` in the supervisor. */
  ends: 'stop' | 'fenced';
  /** A line about an end could not be written; the volume is stopped all the same. */
  onProblem: (error: Error) => void;
}

export class JournaledDriver implements Driver {
  readonly name: string;

  constructor(
    private readonly driver: Driver,
    private readonly journal: Pick<OwnershipJournal, 'add' | 'open'>,
    private readonly options: JournaledOptions,
  ) {
    this.name = driver.name;
  }

  /** What cannot be written down is not started: nobody could stop it after a crash. */
  async start(holding: Holding): Promise<void> {
    this.journal.add('start', holding);
    await this.driver.start(holding);
  }

  async stop(holding: Holding): Promise<void> {
    await this.driver.stop(holding);
    this.end(holding);
  }

  /** What runs; an interval of the journal that turns out to have ended unseen ends now, one nobody knew of begins. */
  async running(): Promise<Holding[]> {
    const known = this.journal.open();
    const running = await this.driver.running();
    const epochs = new Map(running.map(({ volume, epoch }) => [volume, epoch]));
    for (const holding of known) if (!epochs.has(holding.volume)) this.end(holding);
    const open = new Map(known.map(({ volume, epoch }) => [volume, epoch]));
    for (const holding of running) if (open.get(holding.volume) !== holding.epoch) this.journal.add('found', holding);
    return running;
  }

  private end(holding: Holding): void {
    try {
      this.journal.add(this.options.ends, holding);
    } catch (error) {
      this.options.onProblem(error as Error);
    }
  }
}
