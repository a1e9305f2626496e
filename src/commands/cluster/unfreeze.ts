import { CfsCommand } from '../../cli/command.js';
import { clusterUnfreeze } from '../../core/config/settings.js';

export default class ClusterUnfreeze extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'End a freeze.';
  static override description = 'Automatic actions go on from now. Where there is no freeze nothing changes.';
  static override examples = [
    { description: 'End it', command: 'cfs cluster unfreeze' },
    { description: 'Say why', command: 'cfs cluster unfreeze --message "switches are in"' },
  ];

  async run() {
    await this.parse(ClusterUnfreeze);
    const outcome = await this.change(clusterUnfreeze, {});
    return this.changed(outcome, 'The freeze has ended.', { ended: outcome.value.ended });
  }
}
