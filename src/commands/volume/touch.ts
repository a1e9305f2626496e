import { clientFlags } from '../../cli/client-flags.js';
import { CfsCommand, nameArg } from '../../cli/command.js';
import { volumeTouch } from '../../core/access/mounts.js';

export default class VolumeTouch extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Mark a volume as modified.';
  static override description =
    'Its writer says that it has written: read-only mounts that were made before are stale, and are made anew where they are refreshed ' +
    "(cfs volume refresh --auto, or the other clients' agents). The writer's agent does this by itself; handing the right over marks the " +
    'volume, too. A client that is not the writer is denied (5).';
  static override examples = [
    { description: 'After a job has written its results', command: 'cfs volume touch v1 --client c1' },
    {
      description: 'With the reason for history',
      command: 'cfs volume touch v1 --client c1 --message "results of the night run"',
    },
  ];
  static override args = { volume: nameArg('volume') };
  static override flags = { ...clientFlags };

  async run() {
    const { args, flags } = await this.parse(VolumeTouch);
    const { needClient } = await import('../../cli/client-host.js');
    const outcome = await this.change(volumeTouch, { volume: args.volume, client: needClient(flags) });
    const { volume, client } = outcome.value;
    return this.changed(outcome, `Volume ${volume} is marked as modified by ${client}.`, { volume, client });
  }
}
