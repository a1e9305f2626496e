import { CfsCommand, decimalFlag, durationFlag, Flags, listFlag, nameOf, usage } from '../../cli/command.js';
import { defined } from '../../cli/defined.js';
import { readInput } from '../../cli/input.js';
import { Args } from '../../cli/oclif.js';
import { refuseFieldsWithFile } from '../../cli/record-flags.js';
import { type NodeInput, nodeAdd } from '../../core/config/nodes.js';
import { plural } from '../../render/format.js';

interface NodeFlags {
  weight?: number | undefined;
  groups?: string[] | undefined;
  domains?: string[] | undefined;
  threshold?: number | undefined;
  'update-interval'?: number | undefined;
  online: boolean;
}

export default class NodeAdd extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Add nodes.';
  static override description =
    'Adds one node by name, or many from a file (--file, in YAML, JSON or JSON lines), all as one generation. A node ' +
    'begins offline unless --online is given: it gets volumes from the first rebalance after it came online. Groups and ' +
    'domains must be declared (cfs group add, cfs domain add).';
  static override examples = [
    {
      description: 'A node with twice the share of a node of weight 1, which takes volumes of two groups',
      command: 'cfs node add n9 --weight 2 --groups eng,ops --domains CA,NY --online',
    },
    { description: 'Many nodes from a file', command: 'cfs node add -f nodes.yaml' },
  ];
  static override args = {
    name: Args.string({ description: 'name of the new node', ignoreStdin: true, required: false }),
  };
  static override flags = {
    file: Flags.string({
      char: 'f',
      summary: 'File with nodes; - is standard input.',
      ...nameOf('file'),
      helpValue: 'FILE',
    }),
    weight: decimalFlag({ summary: 'Relative capability, 0 or more (default 1).' }),
    groups: listFlag({ summary: 'Groups that it takes, first choice first.', ...nameOf('group'), helpValue: 'A,B,…' }),
    domains: listFlag({
      summary: 'What it is attached to; ALL for everything.',
      ...nameOf('domain'),
      helpValue: 'A,B,…',
    }),
    threshold: decimalFlag({ summary: 'Utilization, 0 to 1, above which it redirects clients.' }),
    'update-interval': durationFlag({ summary: 'How often it reports its utilization.' }),
    online: Flags.boolean({ summary: 'Begin online.' }),
  };

  async run() {
    const { args, flags } = await this.parse(NodeAdd);
    if ((args.name === undefined) === (flags.file === undefined)) {
      usage('Give either a name or --file', 'For example: cfs node add n9 --weight 2, or cfs node add -f nodes.yaml');
    }
    if (flags.file !== undefined) {
      const fields = ['weight', 'groups', 'domains', 'threshold', 'update-interval', 'online'];
      refuseFieldsWithFile({ ...flags, online: flags.online || undefined }, fields);
    }
    const outcome = await this.change(nodeAdd, {
      nodes: flags.file === undefined ? [nodeInput(args.name!, flags)] : await nodesFrom(flags.file),
    });
    const { added } = outcome.value;
    const text = added.length === 1 ? `Node ${added[0]} added.` : `${plural(added.length, 'node')} added.`;
    return this.changed(outcome, text, { added });
  }
}

async function nodesFrom(file: string): Promise<NodeInput[]> {
  const { parseRecords } = await import('../../core/config/file.js');
  const { bytes, source } = readInput(file);
  return parseRecords('nodes', bytes, source);
}

function nodeInput(name: string, flags: NodeFlags): NodeInput {
  return {
    name,
    ...defined({
      weight: flags.weight,
      groups: flags.groups,
      domains: flags.domains,
      threshold: flags.threshold,
      updateIntervalMs: flags['update-interval'],
      state: flags.online ? ('online' as const) : undefined,
    }),
  };
}
