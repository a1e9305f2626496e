import { Flags } from '../cli/command.js';
import { PlacementCommand, placementFlags } from '../cli/placement-command.js';
import { rebalance } from '../core/placement/operations.js';

export default class Rebalance extends PlacementCommand {
  static override kind = 'change' as const;
  static override summary = 'Decide again which node administers which volume.';
  static override description =
    'Places every volume on an active node: the preferred node first, then by groups, then by capacity, then evened out ' +
    '(strategy staged, after WO 99/53415, FIG. 10D). What changes is committed as one generation; running it again changes ' +
    'nothing. A volume that no node can have is listed with the reason, and stays listed in cfs status. --dry-run shows ' +
    'the result and takes no lock.';
  static override examples = [
    { description: 'See what would move, and why', command: 'cfs rebalance --dry-run --explain' },
    { description: 'From cron: fail when a volume has no node', command: 'cfs rebalance --strict --message "nightly"' },
  ];
  static override flags = {
    strategy: Flags.option({
      summary: 'How to place (default: the setting placement.strategy).',
      options: ['staged'] as const,
    })(),
    ...placementFlags,
  };

  async run() {
    const { flags } = await this.parse(Rebalance);
    const progress = await this.progress('Placing volumes');
    try {
      const outcome = await this.change(rebalance, { strategy: flags.strategy ?? 'staged' });
      progress.stop();
      return await this.placed(outcome, flags, 'Rebalanced.');
    } finally {
      progress.stop();
    }
  }
}
