import { CfsCommand, decimalFlag, Flags, listFlag, nameOf, usage } from '../../cli/command.js';
import { defined } from '../../cli/defined.js';
import { readInput } from '../../cli/input.js';
import { Args } from '../../cli/oclif.js';
import { refuseFieldsWithFile } from '../../cli/record-flags.js';
import { type VolumeInput, volumeCreate } from '../../core/config/volumes.js';
import { plural } from '../../render/format.js';

interface VolumeFlags {
  weight?: number | undefined;
  group?: string | undefined;
  domains?: string[] | undefined;
  'preferred-node'?: string | undefined;
  'current-node'?: string | undefined;
  'can-group-migrate'?: boolean | undefined;
}

export default class VolumeCreate extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Create volumes.';
  static override description =
    'Creates one volume by name, or many from a file (--file, in YAML, JSON or JSON lines; - is standard input), all as ' +
    'one generation. A new volume has no node until the next cfs rebalance, unless --current-node says where it is ' +
    'already. Groups and domains must be declared (cfs group add, cfs domain add).';
  static override examples = [
    {
      description: 'A volume that any node in two domains may have',
      command: 'cfs volume create v9 --weight 3 --group eng --domains CA,NY',
    },
    { description: 'Many volumes from a program', command: 'cfs volume create -f - < volumes.jsonl' },
  ];
  static override args = {
    name: Args.string({ description: 'name of the new volume', ignoreStdin: true, required: false }),
  };
  static override flags = {
    file: Flags.string({
      char: 'f',
      summary: 'File with volumes; - is standard input.',
      ...nameOf('file'),
      helpValue: 'FILE',
    }),
    weight: decimalFlag({ summary: 'Expected demand, 0 or more (default 1).' }),
    group: Flags.string({ summary: 'Kind of volume: a group, or Any.', ...nameOf('group') }),
    domains: listFlag({ summary: 'Domains; a node must share one. ALL for every node.', ...nameOf('domain') }),
    'preferred-node': Flags.string({ summary: 'Where it wants to be.', ...nameOf('node') }),
    'current-node': Flags.string({ summary: 'Where it is already.', ...nameOf('node') }),
    'can-group-migrate': Flags.boolean({
      summary: 'Whether a node without its group may have it (default yes).',
      allowNo: true,
    }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeCreate);
    if ((args.name === undefined) === (flags.file === undefined)) {
      usage('Give either a name or --file', 'For example: cfs volume create v9 --group eng --domains CA');
    }
    if (flags.file !== undefined) {
      const fields = ['weight', 'group', 'domains', 'preferred-node', 'current-node', 'can-group-migrate'];
      refuseFieldsWithFile(flags, fields);
    }
    const outcome = await this.change(volumeCreate, {
      volumes: flags.file === undefined ? [volumeInput(args.name!, flags)] : await volumesFrom(flags.file),
    });
    const { created } = outcome.value;
    const text =
      created.length === 1 ? `Volume ${created[0]} created.` : `${plural(created.length, 'volume')} created.`;
    return this.changed(outcome, text, { created });
  }
}

async function volumesFrom(file: string): Promise<VolumeInput[]> {
  const { parseRecords } = await import('../../core/config/file.js');
  const { bytes, source } = readInput(file);
  return parseRecords('volumes', bytes, source);
}

function volumeInput(name: string, flags: VolumeFlags): VolumeInput {
  return {
    name,
    ...defined({
      weight: flags.weight,
      group: flags.group,
      domains: flags.domains,
      preferredNode: flags['preferred-node'],
      currentNode: flags['current-node'],
      canGroupMigrate: flags['can-group-migrate'],
    }),
  };
}
