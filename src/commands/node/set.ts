import { CfsCommand, decimalFlag, durationFlag, listFlag, nameOf, namesArg } from '../../cli/command.js';
import { defined } from '../../cli/defined.js';
import { needsField } from '../../cli/record-flags.js';
import { nodeSet } from '../../core/config/nodes.js';

const FIELDS = [
  'weight',
  'groups',
  'add-groups',
  'remove-groups',
  'domains',
  'add-domains',
  'remove-domains',
  'threshold',
  'update-interval',
];

const groups = { ...nameOf('group'), helpValue: 'A,B,…' };
const domains = { ...nameOf('domain'), helpValue: 'A,B,…' };

export default class NodeSet extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Change nodes.';
  static override description =
    'Changes the fields that are given and leaves the others. Several nodes get the same values as one generation. ' +
    'Volumes stay where they are until the next cfs rebalance.';
  static override examples = [
    { description: 'Give n1 a larger share', command: 'cfs node set n1 --weight 3' },
    {
      description: 'Let two nodes take one more group, as their last choice',
      command: 'cfs node set n1 n2 --add-groups ops',
    },
  ];
  static override strict = false;
  static override args = { name: namesArg('node') };
  static override flags = {
    weight: decimalFlag({ summary: 'Relative capability, 0 or more.' }),
    groups: listFlag({ summary: 'Replace the groups; first choice first.', ...groups }),
    'add-groups': listFlag({ summary: 'Append groups.', ...groups }),
    'remove-groups': listFlag({ summary: 'Take groups away.', ...groups }),
    domains: listFlag({ summary: 'Replace the domains.', ...domains }),
    'add-domains': listFlag({ summary: 'Add domains.', ...domains }),
    'remove-domains': listFlag({ summary: 'Take domains away.', ...domains }),
    threshold: decimalFlag({ summary: 'Utilization, 0 to 1, above which a node redirects clients.' }),
    'update-interval': durationFlag({ summary: 'How often a node reports its utilization.' }),
  };

  async run() {
    const { args, flags } = await this.parse(NodeSet);
    needsField(this.typed, flags, FIELDS);
    const outcome = await this.change(nodeSet, {
      name: args.name,
      ...defined({
        weight: flags.weight,
        groups: flags.groups,
        addGroups: flags['add-groups'],
        removeGroups: flags['remove-groups'],
        domains: flags.domains,
        addDomains: flags['add-domains'],
        removeDomains: flags['remove-domains'],
        threshold: flags.threshold,
        updateIntervalMs: flags['update-interval'],
      }),
    });
    const { nodes } = outcome.value;
    return this.changed(outcome, `Changed ${nodes.length === 1 ? 'node' : 'nodes'} ${nodes.join(', ')}.`, { nodes });
  }
}
