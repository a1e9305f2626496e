/** The commands of `cfs group` and `cfs domain`: the same five, over two tables. */
import { type DeclaredOperations, domainOperations, groupOperations } from '../core/config/declared.js';
import type { Snapshot } from '../core/store/store.js';
import { CfsCommand, type Column, Flags, nameArg, namesArg, textArg } from './command.js';
import { Args } from './oclif.js';

interface Words {
  kind: 'group' | 'domain';
  table: 'groups' | 'domains';
  operations: DeclaredOperations;
  /** What it is, for help. */
  what: string;
  /** Two names for examples that exist in the example cluster, and one that does not. */
  names: [string, string];
  fresh: string;
}

export const GROUP: Words = {
  kind: 'group',
  table: 'groups',
  operations: groupOperations,
  what: 'A group is a kind of volume; a node lists the groups that it takes, first choice first.',
  names: ['eng', 'ops'],
  fresh: 'archive',
};

export const DOMAIN: Words = {
  kind: 'domain',
  table: 'domains',
  operations: domainOperations,
  what: 'A domain is what node and volume must share for the node to reach the volume.',
  names: ['CA', 'NY'],
  fresh: 'LA',
};

const IN_USE = 'One that nodes or volumes still name is not removed (exit 4).';

export function addCommand(words: Words) {
  const { kind, operations, what, fresh } = words;
  return class Add extends CfsCommand {
    static override kind = 'change' as const;
    static override summary = `Declare ${kind}s.`;
    static override description = `${what} Names are compared without regard to letter case.`;
    static override examples = [
      { description: `Declare a ${kind}`, command: `cfs ${kind} add ${fresh}` },
      { description: 'With a description', command: `cfs ${kind} add ${fresh} --description "made for the archive"` },
    ];
    static override strict = false;
    static override args = {
      name: Args.string({
        description: `name of the new ${kind}; several may follow`,
        ignoreStdin: true,
        multiple: true,
        required: true,
      }),
    };
    static override flags = { description: Flags.string({ summary: 'What it is for.', helpValue: 'TEXT' }) };

    async run() {
      const { args, flags } = await this.parse(Add);
      const names = args.name.map((name) => ({ name, description: flags.description ?? null }));
      const outcome = await this.change(operations.add, { names });
      const { added } = outcome.value;
      return this.changed(outcome, `Declared ${kind} ${added.join(', ')}.`, { added });
    }
  };
}

export function setCommand(words: Words) {
  const { kind, operations, names } = words;
  return class SetDescription extends CfsCommand {
    static override kind = 'change' as const;
    static override summary = `Describe a ${kind}.`;
    static override description = 'Sets the description; an empty text takes it away.';
    static override examples = [
      { description: 'Say what it is for', command: `cfs ${kind} set ${names[0]} --description "the first floor"` },
      { description: 'Take the description away', command: `cfs ${kind} set ${names[0]} --description ""` },
    ];
    static override args = { name: nameArg(kind) };
    static override flags = {
      description: Flags.string({ summary: 'What it is for.', helpValue: 'TEXT', required: true }),
    };

    async run() {
      const { args, flags } = await this.parse(SetDescription);
      const outcome = await this.change(operations.set, { name: args.name, description: flags.description || null });
      return this.changed(outcome, `Described ${kind} ${outcome.value.name}.`, { [kind]: outcome.value.name });
    }
  };
}

export function removeCommand(words: Words) {
  const { kind, operations, fresh, names } = words;
  return class Remove extends CfsCommand {
    static override kind = 'change' as const;
    static override summary = `Remove ${kind}s.`;
    static override description = `${IN_USE} Asks first.`;
    static override examples = [
      { description: `Remove a ${kind} that nothing uses`, command: `cfs ${kind} remove ${fresh} --yes` },
      { description: 'Find out who still uses one', command: `cfs ${kind} remove ${names[0]} --dry-run` },
    ];
    static override strict = false;
    static override args = { name: namesArg(kind) };

    async run() {
      const { args } = await this.parse(Remove);
      await this.confirm(`Remove ${kind} ${args.name.join(', ')}?`);
      const outcome = await this.change(operations.remove, { name: args.name });
      return this.changed(outcome, `Removed ${kind} ${outcome.value.removed.join(', ')}.`, {
        removed: outcome.value.removed,
      });
    }
  };
}

export function renameCommand(words: Words) {
  const { kind, operations, names, fresh } = words;
  return class Rename extends CfsCommand {
    static override kind = 'change' as const;
    static override summary = `Give a ${kind} another name.`;
    static override description =
      'Nodes and volumes that name it follow. Another letter case is another spelling of the same name.';
    static override examples = [
      { description: `Rename a ${kind}`, command: `cfs ${kind} rename ${names[0]} ${names[0]}-old` },
      { description: 'See which records name it', command: `cfs ${kind} rename ${names[1]} ${fresh}-2 --dry-run` },
    ];
    static override args = { name: nameArg(kind), 'new-name': textArg('the new name') };

    async run() {
      const { args } = await this.parse(Rename);
      const outcome = await this.change(operations.rename, { name: args.name, newName: args['new-name'] });
      const { name, newName } = outcome.value;
      return this.changed(outcome, `${kind === 'group' ? 'Group' : 'Domain'} ${name} is now ${newName}.`, {
        name,
        newName,
      });
    }
  };
}

interface DeclaredRow {
  name: string;
  nodes: number;
  volumes: number;
  description: string | null;
}

const COLUMNS: Column<DeclaredRow>[] = [
  { key: 'name', value: (r) => r.name },
  { key: 'nodes', value: (r) => r.nodes, align: 'right' },
  { key: 'volumes', value: (r) => r.volumes, align: 'right' },
  { key: 'description', value: (r) => r.description },
];

/** Declared names in natural order, with how many nodes and volumes name each. Reads both tables whole. */
function declaredRows(snapshot: Snapshot, table: 'groups' | 'domains', compare: (a: string, b: string) => number) {
  const rows = new Map<string, DeclaredRow>();
  for (const [name, record] of snapshot.table(table).entries()) {
    rows.set(name, { name, nodes: 0, volumes: 0, description: record.description });
  }
  const count = (name: string, of: 'nodes' | 'volumes') => {
    const row = rows.get(name);
    if (row !== undefined) row[of]++;
  };
  for (const [, node] of snapshot.table('nodes').entries()) for (const name of node[table]) count(name, 'nodes');
  for (const [, volume] of snapshot.table('volumes').entries()) {
    if (table === 'domains') for (const name of volume.domains) count(name, 'volumes');
    else if (volume.group !== null) count(volume.group, 'volumes');
  }
  return [...rows.values()].sort((a, b) => compare(a.name, b.name));
}

export function listCommand(words: Words) {
  const { kind, table } = words;
  return class List extends CfsCommand {
    static override kind = 'list' as const;
    static override summary = `List ${kind}s.`;
    static override description = `Every declared ${kind}, with how many nodes and volumes name it.`;
    static override examples = [
      { description: `All ${kind}s`, command: `cfs ${kind} list` },
      { description: 'Those that no volume uses, by name', command: `cfs ${kind} list --filter volumes=0 -o name` },
    ];

    async run() {
      await this.parse(List);
      const snapshot = await this.snapshot();
      const { naturalCompare } = await import('../core/model/names.js');
      return this.list(table, COLUMNS, declaredRows(snapshot, table, naturalCompare), {
        generation: snapshot.generation,
      });
    }
  };
}
