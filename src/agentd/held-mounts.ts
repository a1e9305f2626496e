/**
 * A client's mounts for writing as the supervisor holds them: to stop one is to make it read-only, by force. Programs that write there
 * are ended; whoever reads may go on. The supervisor starts nothing.
 */
import type { MountDriver, RealMount } from '../core/access/agent/ports.js';
import type { Driver, Holding } from '../core/agent/ports.js';
import type { OwnershipJournal } from './journal.js';

/** How long the driver may take to say what is mounted before that is taken as not known, ms: the stops have little time. */
const LOOK_MS = 1000;

export class HeldMounts implements Driver {
  readonly name: string;
  /** One look for stops that are begun at the same time. */
  private looking: Promise<Map<string, RealMount['mode']> | null> | null = null;

  constructor(
    private readonly mounts: MountDriver,
    private readonly journal: Pick<OwnershipJournal, 'open'>,
  ) {
    this.name = mounts.name;
  }

  async start({ volume, epoch }: Holding): Promise<void> {
    await this.mounts.mount(volume, 'rw', { epoch, force: false, softwareLock: false });
  }

  /**
   * Where nothing is mounted (the agent died before it mounted, or a person unmounted it) nothing is: a read-only mount that nobody asked
   * for would be no better. What cannot be made read-only is unmounted.
   */
  async stop({ volume, epoch }: Holding): Promise<void> {
    const modes = await this.look();
    const options = { epoch, force: true, softwareLock: false };
    if (modes !== null && !modes.has(volume)) {
      await this.mounts.unmount(volume, options);
      return;
    }
    try {
      await this.mounts.mount(volume, 'ro', options);
    } catch (error) {
      try {
        await this.mounts.unmount(volume, options);
      } catch (again) {
        throw new Error(`${(error as Error).message}; nor can it be unmounted: ${(again as Error).message}`);
      }
    }
  }

  async running(): Promise<Holding[]> {
    const mounts = await this.mounts.mounted();
    const epochs = new Map(this.journal.open().map(({ volume, epoch }) => [volume, epoch]));
    const writing = mounts.filter(({ mode }) => mode === 'rw');
    return writing.map(({ volume }) => ({ volume, epoch: epochs.get(volume) ?? 0 }));
  }

  /** Null: it cannot be told, or not soon enough. */
  private look(): Promise<Map<string, RealMount['mode']> | null> {
    this.looking ??= this.lookAnew().finally(() => {
      this.looking = null;
    });
    return this.looking;
  }

  private async lookAnew(): Promise<Map<string, RealMount['mode']> | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(() => resolve(null), LOOK_MS);
    });
    const found = this.mounts.mounted().then(
      (mounts) => new Map(mounts.map(({ volume, mode }) => [volume, mode])),
      () => null,
    );
    const first = await Promise.race([found, late]);
    clearTimeout(timer);
    return first;
  }
}
