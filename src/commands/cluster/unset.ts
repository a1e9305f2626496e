import { CfsCommand, namesArg } from '../../cli/command.js';
import { clusterUnset } from '../../core/config/settings.js';

export default class ClusterUnset extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Return settings to their defaults.';
  static override description = 'The defaults are shown by cfs cluster show.';
  static override examples = [
    { description: 'The default time limit of the lock', command: 'cfs cluster unset lock.timeout' },
    { description: 'See first what would change', command: 'cfs cluster unset history.keep history.keepFor --dry-run' },
  ];
  static override strict = false;
  static override args = { setting: namesArg('setting') };

  async run() {
    const { args } = await this.parse(ClusterUnset);
    const outcome = await this.change(clusterUnset, { names: args.setting });
    return this.changed(outcome, `Unset ${outcome.value.unset.join(', ')}.`, { unset: outcome.value.unset });
  }
}
