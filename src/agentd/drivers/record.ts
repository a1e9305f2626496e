/**
 * The driver of a node that has nothing to touch: what it is told to run, it runs. For tests, and for sites whose hooks do the
 * work. What runs is asked of the ownership journal, which outlives the process.
 */
import type { Driver, Holding } from '../../core/agent/ports.js';
import type { OwnershipJournal } from '../journal.js';

export class RecordDriver implements Driver {
  readonly name = 'record';

  constructor(private readonly journal: Pick<OwnershipJournal, 'open'>) {}

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async running(): Promise<Holding[]> {
    return this.journal.open();
  }
}
