import { CfsCommand, Flags, namesArg } from '../../cli/command.js';
import { defined } from '../../cli/defined.js';
import { needsField } from '../../cli/record-flags.js';
import { volumeControl } from '../../core/access/rights.js';

const FIELDS = ['software-lock', 'read-only-media'];

export default class VolumeControl extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Say what kind of access volumes allow at all.';
  static override description =
    'With a software lock whoever mounts the volume to write leaves a file .cfs-software-lock in its root, for hosts that cfs does not ' +
    'control. Read-only media, such as a CD-ROM, cannot have a writer: refused (4) while the volume has one. cfs volume enable and ' +
    'disable say whether it may be written for the time being.';
  static override examples = [
    { description: 'v2 is a CD-ROM', command: 'cfs volume control v2 --read-only-media' },
    {
      description: 'Keep hosts out that cfs does not control',
      command: 'cfs volume control v1 v3 --software-lock',
    },
  ];
  static override strict = false;
  static override args = { name: namesArg('volume') };
  static override flags = {
    'software-lock': Flags.boolean({ summary: 'A file in its root keeps uncontrolled hosts out.', allowNo: true }),
    'read-only-media': Flags.boolean({ summary: 'It cannot be written.', allowNo: true }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeControl);
    needsField(this.typed, flags, FIELDS);
    const outcome = await this.change(volumeControl, {
      volume: args.name,
      readOnly: [],
      ...defined({ softwareLock: flags['software-lock'], readOnlyMedia: flags['read-only-media'] }),
    });
    const { volumes } = outcome.value;
    return this.changed(outcome, `Changed ${volumes.join(', ')}.`, { volumes });
  }
}
