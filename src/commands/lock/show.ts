import { CfsCommand } from '../../cli/command.js';
import { formatDuration } from '../../core/model/units.js';
import { showLock } from '../../core/store/lock-info.js';

export default class LockShow extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Show who holds the lock.';
  static override description =
    'Host, process, user and command of the holder, and when it last renewed the lock. The lock only keeps changes from ' +
    'doing work in vain: what is committed does not depend on it.';
  static override examples = [
    { description: 'Who holds it?', command: 'cfs lock show' },
    { description: 'For a script', command: 'cfs lock show --json' },
  ];

  async run() {
    await this.parse(LockShow);
    const state = showLock((await this.cluster()).store);
    if (!state.held) this.print('The lock is free.');
    else {
      const { holder } = state;
      await this.fields([
        [
          'Held by',
          holder === null ? 'unknown' : `${holder.user}@${holder.host}, process ${holder.pid} (${state.process})`,
        ],
        ['Command', holder?.command],
        ['Since', holder?.since],
        [
          'Renewed',
          `${formatDuration(Math.max(0, Math.round((state.renewedMsAgo ?? 0) / 1000) * 1000))} ago${state.stale ? ': stale, the next change takes it over' : ''}`,
        ],
        ['Waited for', state.wanted],
      ]);
    }
    return { ...state };
  }
}
