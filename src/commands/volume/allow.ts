import { CfsCommand, durationFlag, Flags, namesListArg, usage } from '../../cli/command.js';
import { defined } from '../../cli/defined.js';
import { pairsText } from '../../cli/rights-command.js';
import { volumeAllow } from '../../core/access/rights.js';

export default class VolumeAllow extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Let clients mount volumes.';
  static override description =
    'Each of the clients may mount each of the volumes from now on, and ask to write. Mounts nothing: a client mounts what it may when it ' +
    'logs on, or with cfs volume mount. A read-only mount shows what its directory was when it was made; with --auto-update it is made ' +
    'anew when the writer has changed the volume, at most once in the interval (30s unless given).';
  static override examples = [
    { description: 'One client, one volume', command: 'cfs volume allow v1 c1' },
    {
      description: 'Two clients for two volumes, which follow what the writer changes',
      command: 'cfs volume allow v1,v2 c1,c2 --auto-update --interval 1m',
    },
  ];
  static override args = { volume: namesListArg('volume'), client: namesListArg('client') };
  static override flags = {
    'auto-update': Flags.boolean({ summary: 'Make read-only mounts anew when the volume was changed.', allowNo: true }),
    interval: durationFlag({ summary: 'At most so often.' }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeAllow);
    if (flags.interval !== undefined && flags['auto-update'] === false) {
      usage('--interval says nothing with --no-auto-update', 'Give one of them.');
    }
    const outcome = await this.change(volumeAllow, {
      volume: args.volume,
      client: args.client,
      ...defined({ autoUpdate: flags['auto-update'], autoUpdateIntervalMs: flags.interval }),
    });
    const { volumes, clients } = outcome.value;
    return this.changed(outcome, pairsText(clients, 'may mount', volumes), { volumes, clients });
  }
}
