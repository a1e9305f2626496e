import { CfsCommand, Flags, optionalGenerationArg, usage, wholeFlag } from '../cli/command.js';
import { restore } from '../core/config/restore.js';
import { undo, undoRemainder, undoRequest } from '../core/config/undo.js';
import { changeLines, countsText } from '../render/changes.js';
import { plural } from '../render/format.js';

export default class Undo extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Take back what a generation changed.';
  static override description =
    'Takes back the newest generation, or generation G, as a new generation: history keeps both, and an undo can be undone. ' +
    'Configuration goes back record by record; a record that was changed since stops it (exit 4), unless --force leaves ' +
    'it out. Volumes that the generation moved go back where their former node may have them now, with a new epoch. Node ' +
    'states are never undone, nor what clients have mounted and write. --to G brings the whole configuration back to what it was at generation G; that asks first.';
  static override examples = [
    { description: 'Take back the last change', command: 'cfs undo' },
    { description: 'What taking back generation 3 would do', command: 'cfs undo 3 --dry-run' },
  ];
  static override args = { generation: optionalGenerationArg('the generation to take back (default: the newest)') };
  static override flags = {
    to: wholeFlag({ summary: 'Return the whole configuration to generation G.', helpValue: 'G' }),
    force: Flags.boolean({ summary: 'Leave out records that were changed since.' }),
  };

  async run() {
    const { args, flags } = await this.parse(Undo);
    if (flags.to !== undefined) {
      if (args.generation !== undefined) usage('Give a generation or --to, not both', 'See cfs undo --help.');
      return this.returnTo(flags.to);
    }
    const { store } = await this.cluster();
    const generation = args.generation ?? store.info().generation;
    const request = undoRequest(store.info(generation), store.changesOf(generation), flags.force);
    const outcome = await this.change(undo, request);
    const { skipped, stayed } = outcome.value;
    if (outcome.committed) this.print(changeLines(outcome.changes, 40).join('\n'));
    this.some(
      skipped.map(({ reason }) => `Left as it is: ${reason}`),
      'records left as they are',
    );
    this.some(
      stayed.map(({ volume, reason }) => `Stays where it is: ${volume}: ${reason}`),
      'volumes that stay',
    );
    if (!outcome.committed && outcome.value.statesKept.length > 0) {
      this.note('States of nodes are not undone: cfs node online, offline and standby, and cfs failback, change them.');
    }
    if (!outcome.committed && outcome.value.clientsKept.length > 0) {
      this.note(
        'What clients have mounted, write and ask for is not undone: cfs client logoff, cfs volume unmount, release-write ' +
          'and withdraw change it.',
      );
    }
    const rest = undoRemainder(outcome.value);
    const text = `Generation ${generation} taken back${rest === null ? '.' : `; ${rest}`}`;
    return this.changed(outcome, text, { undone: generation, ...outcome.value, generation: outcome.generation });
  }

  /** Remarks on standard error, at most ten of a kind. */
  private some(lines: readonly string[], what: string): void {
    for (const line of lines.slice(0, 10)) this.note(line);
    if (lines.length > 10) this.note(`… and ${lines.length - 10} more ${what} (--json lists all)`);
  }

  private async returnTo(generation: number) {
    const cluster = await this.cluster();
    const request = { source: `generation ${generation}`, target: cluster.snapshot(generation) };
    const plan = await cluster.change(restore, request, { dryRun: true });
    if (plan.changes.length > 0 && !this.isDryRun) {
      for (const line of changeLines(plan.changes, 40)) this.note(line);
      await this.confirm(`Return the configuration to generation ${generation}?`);
    }
    const outcome = await this.change(restore, request);
    const { added, changed, removed, unplaced, offline } = outcome.value;
    const text =
      `The configuration is that of generation ${generation}: added ${countsText(added)}; changed ${countsText(changed)}; ` +
      `removed ${countsText(removed)}.`;
    if (unplaced.length > 0)
      this.note(`Not yet placed: ${plural(unplaced.length, 'volume')} that came back (cfs rebalance).`);
    if (offline.length > 0) this.note(`Nodes came back offline: ${offline.slice(0, 10).join(', ')}.`);
    return this.changed(outcome, text, { to: generation, added, changed, removed, unplaced, offline });
  }
}
