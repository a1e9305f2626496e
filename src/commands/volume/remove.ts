import { CfsCommand, namesArg } from '../../cli/command.js';
import { volumeRemove } from '../../core/config/volumes.js';
import { plural } from '../../render/format.js';

export default class VolumeRemove extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Remove volumes from the cluster.';
  static override description =
    'Removes the records of volumes and their placements, as one generation; data on storage is not touched. Asks ' +
    'first. cfs undo brings them back.';
  static override examples = [
    { description: 'Remove one volume', command: 'cfs volume remove v9 --yes' },
    { description: 'See what would go', command: 'cfs volume remove v8 v9 --dry-run' },
  ];
  static override strict = false;
  static override args = { name: namesArg('volume') };

  async run() {
    const { args } = await this.parse(VolumeRemove);
    const what = args.name.length > 5 ? `${args.name.length} volumes` : args.name.join(', ');
    await this.confirm(`Remove ${what} from the cluster?`);
    const outcome = await this.change(volumeRemove, { name: args.name });
    const { removed } = outcome.value;
    const text = removed.length > 5 ? plural(removed.length, 'volume') : removed.join(', ');
    return this.changed(outcome, `Removed ${text}.`, { removed });
  }
}
