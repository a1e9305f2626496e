import { CfsCommand, Flags } from '../../cli/command.js';
import { breakLock, showLock } from '../../core/store/lock-info.js';

export default class LockBreak extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Remove the lock.';
  static override description =
    'Removes a lock whose holder is gone or has not renewed it in time; with --force also one in use. No change is lost ' +
    'by it, whoever held the lock: at worst the holder does its work again. A stale lock is taken over without this. Asks first.';
  static override examples = [
    { description: 'The holder has died on another host', command: 'cfs lock break --yes' },
    { description: 'Whoever holds it', command: 'cfs lock break --force --yes' },
  ];
  static override flags = {
    force: Flags.boolean({ summary: 'Even if its holder runs and renews it.' }),
    'dry-run': Flags.boolean({ summary: 'Say whose lock would be broken and leave it.' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
  };

  async run() {
    const { flags } = await this.parse(LockBreak);
    const { store } = await this.cluster();
    const state = showLock(store);
    const { held, holder } = state;
    const whose = holder === null ? 'an unknown holder' : `${holder.command} (process ${holder.pid} on ${holder.host})`;
    if (flags['dry-run']) {
      this.print(held ? `Would break the lock of ${whose}.` : 'Nobody holds the lock.');
      return { broken: null, state };
    }
    if (held) await this.confirm(`Break the lock of ${whose}?`);
    const broken = breakLock(store, flags.force);
    this.print('The lock is broken.');
    return { broken };
  }
}
