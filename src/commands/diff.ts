import { CfsCommand, Flags, generationArg, optionalGenerationArg } from '../cli/command.js';
import { tableNamed } from '../cli/table-name.js';
import { changeLines } from '../render/changes.js';

export default class Diff extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Show what differs between two generations.';
  static override description =
    'With one generation: what that generation changed. With two: the records that differ between them, from the first ' +
    'to the second. + stands for made, - for removed, ~ for changed. Costs what differs, not what there is.';
  static override examples = [
    { description: 'What generation 2 changed', command: 'cfs diff 2' },
    { description: 'Everything between generation 1 and 3', command: 'cfs diff 1 3 --json' },
  ];
  static override args = {
    from: generationArg('a generation'),
    to: optionalGenerationArg('another one'),
  };
  static override flags = { table: Flags.string({ summary: 'Only this table.', helpValue: 'TABLE' }) };

  async run() {
    const { args, flags } = await this.parse(Diff);
    const table = flags.table === undefined ? undefined : tableNamed(flags.table);
    const { store } = await this.cluster();
    const all = args.to === undefined ? store.changesOf(args.from) : store.diff(args.from, args.to);
    const changes = table === undefined ? all : all.filter((change) => change.table === table);
    if (changes.length === 0) this.note('No difference.');
    else this.print(changeLines(changes).join('\n'));
    return { from: args.to === undefined ? args.from - 1 : args.from, to: args.to ?? args.from, changes };
  }
}
