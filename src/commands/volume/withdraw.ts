import { clientFlags } from '../../cli/client-flags.js';
import { CfsCommand, nameArg } from '../../cli/command.js';
import { withdraw } from '../../core/access/requests.js';

export default class VolumeWithdraw extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Withdraw a request for the right to write to a volume.';
  static override description =
    'The client does not wait for the volume any more. Exit 3 where it does not wait: it never asked, or has got its answer, which ' +
    'stands. A client that has become the writer gives the right up with cfs volume release-write.';
  static override examples = [
    { description: 'Not needed any more', command: 'cfs volume withdraw v1 --client c2' },
    {
      description: 'With a word for history',
      command: 'cfs volume withdraw v1 --client c2 --message "c2 is taken home"',
    },
  ];
  static override args = { volume: nameArg('volume') };
  static override flags = { ...clientFlags };

  async run() {
    const { args, flags } = await this.parse(VolumeWithdraw);
    const { needClient } = await import('../../cli/client-host.js');
    const request = { volume: args.volume, client: needClient(flags), why: flags.message ?? null };
    const outcome = await this.change(withdraw, request);
    const { volume, client } = outcome.value;
    return this.changed(outcome, `${client} does not wait for ${volume} any more.`, { volume, client });
  }
}
