import { CfsCommand, namesListArg } from '../../cli/command.js';
import { pairsText } from '../../cli/rights-command.js';
import { volumeLockout } from '../../core/access/rights.js';

export default class VolumeUnlock extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Let clients ask to write volumes again.';
  static override description =
    'Takes cfs volume lockout back. Whether the client may mount the volume at all is another matter: cfs volume allow.';
  static override examples = [
    { description: 'c1 may ask to write v1 again', command: 'cfs volume unlock v1 c1' },
    {
      description: 'Several at once, with the reason',
      command: 'cfs volume unlock v1,v2 c1 --message "training is over"',
    },
  ];
  static override args = { volume: namesListArg('volume'), client: namesListArg('client') };

  async run() {
    const { args } = await this.parse(VolumeUnlock);
    const outcome = await this.change(volumeLockout, { volume: args.volume, client: args.client, lockout: false });
    const { volumes, clients } = outcome.value;
    return this.changed(outcome, pairsText(clients, 'may ask to write', volumes), { volumes, clients });
  }
}
