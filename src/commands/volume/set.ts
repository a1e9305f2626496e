import { CfsCommand, decimalFlag, Flags, listFlag, nameOf, namesArg } from '../../cli/command.js';
import { defined } from '../../cli/defined.js';
import { needsField } from '../../cli/record-flags.js';
import { volumeSet } from '../../core/config/volumes.js';

const FIELDS = ['weight', 'group', 'domains', 'add-domains', 'remove-domains', 'preferred-node', 'can-group-migrate'];

const domains = { ...nameOf('domain'), helpValue: 'A,B,…' };

export default class VolumeSet extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Change volumes.';
  static override description =
    'Changes the fields that are given and leaves the others. Several volumes get the same values as one generation. ' +
    'They stay where they are until the next cfs rebalance. The word none takes a group or a preference away.';
  static override examples = [
    { description: 'A heavier volume', command: 'cfs volume set v1 --weight 7' },
    { description: 'A wish for a node, for two volumes', command: 'cfs volume set v1 v2 --preferred-node n2' },
  ];
  static override strict = false;
  static override args = { name: namesArg('volume') };
  static override flags = {
    weight: decimalFlag({ summary: 'Expected demand, 0 or more.' }),
    group: Flags.string({ summary: 'Kind of volume: a group, Any, or none.', ...nameOf('group') }),
    domains: listFlag({ summary: 'Replace the domains.', ...domains }),
    'add-domains': listFlag({ summary: 'Add domains.', ...domains }),
    'remove-domains': listFlag({ summary: 'Take domains away.', ...domains }),
    'preferred-node': Flags.string({ summary: 'Where it wants to be; none for nowhere.', ...nameOf('node') }),
    'can-group-migrate': Flags.boolean({
      summary: 'Whether a node without its group may have it.',
      allowNo: true,
    }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeSet);
    needsField(this.typed, flags, FIELDS);
    const outcome = await this.change(volumeSet, {
      name: args.name,
      ...defined({
        weight: flags.weight,
        group: orNone(flags.group),
        domains: flags.domains,
        addDomains: flags['add-domains'],
        removeDomains: flags['remove-domains'],
        preferredNode: orNone(flags['preferred-node']),
        canGroupMigrate: flags['can-group-migrate'],
      }),
    });
    const { volumes } = outcome.value;
    const what = volumes.length > 5 ? `${volumes.length} volumes` : volumes.join(', ');
    return this.changed(outcome, `Changed ${what}.`, { volumes });
  }
}

/** The word `none`, in any letter case, stands for nothing; it can be no name. */
function orNone(value: string | undefined): string | null | undefined {
  return value?.toLowerCase() === 'none' ? null : value;
}
