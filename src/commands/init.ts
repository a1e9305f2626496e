import { CfsCommand, Flags, listFlag, nameOf, usage, wholeFlag } from '../cli/command.js';
import { readInput } from '../cli/input.js';
import type { ClusterDocument } from '../core/config/document.js';
import { parseDocument, readDocument } from '../core/config/file.js';
import { templateDocument } from '../core/config/init.js';
import { sampleDocument } from '../core/config/sample.js';
import { MemoryDraft, memorySnapshot } from '../core/store/draft.js';
import { createCluster, refuseExisting } from '../open.js';
import { changeLines, countsText } from '../render/changes.js';

interface InitFlags {
  from?: string | undefined;
  sample?: string | undefined;
  seed: number;
  name?: string | undefined;
  nodes?: string[] | undefined;
  groups?: string[] | undefined;
  domains?: string[] | undefined;
  volumes?: number | undefined;
  clients?: string[] | undefined;
}

export default class Init extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Create a cluster.';
  static override description =
    'Creates the cluster directory (--dir, CFS_DIR, or .cfs here) and its first generation: from a file (--from), as a ' +
    'sample of any size (--sample), or from a few answers: the flags of the template, or questions for those that are not ' +
    'given. The directory must be empty or new, on a file system that all nodes share and that has exclusive hard links, ' +
    'which is tested. A creation that was cut off is completed by repeating it.';
  static override examples = [
    { description: 'Answer a few questions', command: 'cfs init' },
    { description: 'From a file that describes the cluster', command: 'cfs init --from cluster.yaml --yes' },
    {
      description: 'A sample of 200 nodes and 20,000 volumes to try cfs on',
      command: 'cfs init --sample 200x20000 --yes',
    },
  ];
  // oclif would print every exclusion, each with its own bar.
  static override usage = 'init [--from FILE | --sample NODESxVOLUMES] [FLAGS]';
  static override flags = {
    from: Flags.string({
      summary: 'File (YAML or JSON) with the cluster; - is standard input.',
      ...nameOf('file'),
      helpValue: 'FILE',
    }),
    sample: Flags.string({
      summary: 'A sample cluster of so many nodes and volumes.',
      helpValue: 'NODESxVOLUMES',
      exclusive: ['from'],
    }),
    seed: wholeFlag({ summary: 'Another seed gives another sample.', default: 1 }),
    name: Flags.string({ summary: 'Name of the cluster.', helpValue: 'NAME' }),
    nodes: listFlag({ summary: 'Names of the nodes.', exclusive: ['from', 'sample'] }),
    groups: listFlag({ summary: 'Groups; every node takes all of them.', exclusive: ['from', 'sample'] }),
    domains: listFlag({ summary: 'Domains; every node is attached to all of them.', exclusive: ['from', 'sample'] }),
    volumes: wholeFlag({ summary: 'How many volumes, named v1, v2 …', exclusive: ['from', 'sample'] }),
    clients: listFlag({
      summary: 'Clients (machines that mount volumes); each may mount all of these.',
      exclusive: ['from', 'sample'],
    }),
    'unix-group': Flags.string({
      summary: 'A group of users that may use the cluster too (directories 2770).',
      helpValue: 'GROUP',
    }),
    'dry-run': Flags.boolean({ summary: 'Show what the cluster would hold and create nothing.' }),
    message: Flags.string({ char: 'm', summary: 'Why; kept in history.', helpValue: 'TEXT' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask: what is not given gets its default.' }),
  };

  async run() {
    const { flags } = await this.parse(Init);
    const dir = this.newDir();
    // Before any question: answers to a creation that will be refused are wasted.
    refuseExisting(dir);
    const { document, source } = await this.document(flags);
    if (flags['dry-run']) {
      const { init } = await import('../core/config/init.js');
      const draft = new MemoryDraft(memorySnapshot());
      init.run(draft, { document }, { nowMs: Date.now() });
      const changes = draft.changes();
      this.print(changeLines(changes, 200).join('\n'));
      this.note(`Dry run: nothing was created in ${dir}.`);
      return { dir, dryRun: true, generation: 0, changes };
    }
    const cluster = await createCluster({
      dir,
      document,
      source,
      message: flags.message ?? null,
      ...(flags['unix-group'] === undefined ? {} : { group: flags['unix-group'] }),
    });
    // Nothing is read any more: the cluster is there, whatever happens now.
    const { generation, counts } = cluster.created;
    this.hasCommitted(generation, cluster.created.txid);
    // More than one generation: cluster.json had been lost, and everything else was there.
    const done = generation > 1 ? `Cluster completed in ${dir}` : `Cluster created in ${dir}: ${countsText(counts)}`;
    this.print(`${done}.\nGeneration ${generation}.`);
    const volumes = (counts.volumes ?? 0) > 0;
    this.note(
      volumes
        ? 'Next: cfs rebalance places the volumes; cfs status shows the cluster.'
        : 'Next: cfs node add, cfs volume create, cfs rebalance.',
    );
    return { dir, dryRun: false, generation, counts };
  }

  private async document(flags: InitFlags): Promise<{ document: ClusterDocument; source: string }> {
    if (flags.from !== undefined) {
      const { bytes, source } = readInput(flags.from);
      const document = await parseDocument(bytes, source);
      return { document: named(document, flags.name), source };
    }
    if (flags.sample !== undefined) {
      const size = /^(\d{1,5})x(\d{1,7})$/.exec(flags.sample);
      if (size === null)
        usage(`--sample "${flags.sample.slice(0, 40)}" is no size`, 'For example: cfs init --sample 200x20000 --yes');
      const sample = sampleDocument({ nodes: Number(size[1]), volumes: Number(size[2]), seed: flags.seed });
      return {
        document: named(readDocument(sample, 'the sample'), flags.name),
        source: `sample ${flags.sample} seed ${flags.seed}`,
      };
    }
    return { document: await this.template(flags), source: 'template' };
  }

  private async template(flags: InitFlags): Promise<ClusterDocument> {
    const { hostname } = await import('node:os');
    const name = await this.ask('name', flags.name, 'Name of the cluster', 'cluster');
    const list = async (flag: string, given: string[] | undefined, question: string, initial: string) =>
      split(await this.ask(flag, given?.join(','), question, initial));
    const nodes = await list('nodes', flags.nodes, 'Names of the nodes, with commas', hostname().split('.')[0] || 'n1');
    const groups = await list('groups', flags.groups, 'Groups (kinds of volume), with commas; none is fine', '');
    const domains = await list('domains', flags.domains, 'Domains (what nodes and volumes must share)', 'main');
    const volumes = await this.ask('volumes', flags.volumes?.toString(), 'How many volumes to begin with', '0');
    if (!/^\d{1,6}$/.test(volumes.trim()))
      usage(`"${volumes.slice(0, 20)}" is no number of volumes`, 'Write a whole number.');
    // Flags that answer everything else are enough, as they were before there were clients.
    const isAsking = [flags.name, flags.nodes, flags.groups, flags.domains, flags.volumes].includes(undefined);
    const question = 'Clients (machines that mount these volumes), with commas; none is fine';
    const clients = isAsking ? await list('clients', flags.clients, question, '') : (flags.clients ?? []);
    const document = templateDocument({ name, nodes, groups, domains, volumes: Number(volumes), clients });
    return { ...document, volumes: document.volumes!.map((volume) => ({ ...volume, domains })) };
  }
}

/** The document under another name, where one is given. */
function named(document: ClusterDocument, name: string | undefined): ClusterDocument {
  return name === undefined ? document : { ...document, settings: { ...document.settings, name } };
}

function split(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
