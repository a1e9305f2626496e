import { CfsCommand, Flags } from '../../cli/command.js';
import { clusterFreeze } from '../../core/config/settings.js';
import { parseDuration } from '../../core/model/units.js';

export default class ClusterFreeze extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Stop automatic actions for a while.';
  static override description =
    'No agent and no sweep acts by itself until the freeze ends; what a person types is still done. Every cfs status ' +
    'says so on top. A second freeze replaces the first.';
  static override examples = [
    { description: 'For the length of a maintenance', command: 'cfs cluster freeze --for 2h --reason "new switches"' },
    { description: 'Until somebody ends it', command: 'cfs cluster freeze' },
  ];
  static override flags = {
    until: Flags.string({
      summary: 'When it ends, as 2030-01-31T18:00:00Z.',
      helpValue: 'TIME',
      exclusive: ['for'],
    }),
    for: Flags.string({ summary: 'How long it lasts, as 2h.', helpValue: 'DURATION' }),
    reason: Flags.string({ summary: 'Why; shown with the status.', helpValue: 'TEXT' }),
  };

  async run() {
    const { flags } = await this.parse(ClusterFreeze);
    const until =
      flags.for === undefined
        ? (flags.until ?? null)
        : new Date(Date.now() + parseDuration('--for', flags.for)).toISOString();
    const outcome = await this.change(clusterFreeze, { until, reason: flags.reason ?? null });
    const freeze = outcome.value;
    const text = `Frozen ${freeze.until === null ? 'until somebody ends it (cfs cluster unfreeze)' : `until ${freeze.until}`}.`;
    return this.changed(outcome, text, { freeze });
  }
}
