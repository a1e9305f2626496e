import { CfsCommand, nameArg, textArg } from '../../cli/command.js';
import { volumeRename } from '../../core/config/volumes.js';

export default class VolumeRename extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Give a volume another name.';
  static override description = 'Its placement follows: the volume stays on its node, and its epoch stays.';
  static override examples = [
    { description: 'Rename v1', command: 'cfs volume rename v1 payroll' },
    { description: 'See which records name it', command: 'cfs volume rename v1 payroll --dry-run' },
  ];
  static override args = { name: nameArg('volume'), 'new-name': textArg('the new name') };

  async run() {
    const { args } = await this.parse(VolumeRename);
    const outcome = await this.change(volumeRename, { name: args.name, newName: args['new-name'] });
    return this.changed(outcome, `Volume ${outcome.value.name} is now ${outcome.value.newName}.`, { ...outcome.value });
  }
}
