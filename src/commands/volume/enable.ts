import { CfsCommand, namesArg } from '../../cli/command.js';
import { volumeControl } from '../../core/access/rights.js';

export default class VolumeEnable extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Let volumes be written again.';
  static override description =
    'Takes cfs volume disable back: a client that may mount the volume can ask for the right to write. Nobody gets it by this.';
  static override examples = [
    { description: 'One volume', command: 'cfs volume enable v1' },
    { description: 'Two, with the reason for history', command: 'cfs volume enable v1 v2 --message "restored"' },
  ];
  static override strict = false;
  static override args = { name: namesArg('volume') };

  async run() {
    const { args } = await this.parse(VolumeEnable);
    const outcome = await this.change(volumeControl, { volume: args.name, enabled: true, readOnly: [] });
    const { volumes } = outcome.value;
    return this.changed(outcome, `Enabled ${volumes.join(', ')}.`, { volumes });
  }
}
