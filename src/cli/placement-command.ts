/** What the commands that place volumes have in common: they show a placement decision and the generation it made. */
import type { PlacedNode, PlacementResult } from '../core/placement/result.js';
import type { TransactOutcome } from '../core/store/store.js';
import { escapeText, formatNumber, plural } from '../render/format.js';
import { CfsCommand, type Column, type CommandResult, Flags, paint } from './command.js';

/** Lines of one kind that are shown without --all. */
const SHOWN = 40;
const WARNED = 5;

const NODE_COLUMNS: Column<PlacedNode>[] = [
  { key: 'node', value: (n) => n.name },
  { key: 'weight', value: (n) => n.weight, align: 'right' },
  { key: 'ideal', value: (n) => n.idealCapacity, text: (n) => n.idealCapacity.toFixed(2), align: 'right' },
  { key: 'load', value: (n) => n.load, align: 'right' },
  { key: 'remaining', value: (n) => n.remainingCapacity, text: (n) => n.remainingCapacity.toFixed(2), align: 'right' },
  { key: 'volumes', value: (n) => n.volumes, text: (n) => shortList(n.volumes) },
];

function shortList(names: readonly string[]): string {
  if (names.length === 0) return '-';
  const shown = names.slice(0, 8).map(escapeText).join(',');
  return names.length > 8 ? `${shown},… (${names.length})` : shown;
}

export const placementFlags = {
  explain: Flags.boolean({
    summary: 'Say for every volume which rule placed it, and for an unplaced one why each node was out.',
  }),
  strict: Flags.boolean({ summary: 'Exit with 4 when a volume stays without a node.' }),
  all: Flags.boolean({ summary: 'Show every node and every change, however many.' }),
};

export interface PlacementFlags {
  explain: boolean;
  strict: boolean;
  all: boolean;
}

export abstract class PlacementCommand extends CfsCommand {
  /**
   * Shows a decision and gives the command's result, the object of spec/rebalance.md section 5 with the generation made.
   * @param done said when something was committed, before the generation
   */
  protected async placed(
    outcome: TransactOutcome<PlacementResult>,
    flags: PlacementFlags,
    done: string,
    data: CommandResult = {},
  ): Promise<CommandResult> {
    const result = outcome.value;
    const { explain } = await import('../core/placement/explain.js');
    const explanation = flags.explain ? explain(result) : null;
    if (!this.jsonEnabled()) await this.show(outcome, flags, done, explanation);
    if (flags.strict && result.unassigned.length > 0) process.exitCode = 4;
    const { generation, base, committed, txid } = outcome;
    return {
      ...result.toJSON(),
      ...(explanation === null ? {} : { explanation }),
      generation,
      base,
      committed,
      dryRun: this.isDryRun,
      txid,
      ...data,
    };
  }

  private async show(
    outcome: TransactOutcome<PlacementResult>,
    flags: PlacementFlags,
    done: string,
    explanation: string[] | null,
  ): Promise<void> {
    const result = outcome.value;
    const { totals } = result;
    const limit = flags.all ? Number.POSITIVE_INFINITY : SHOWN;
    this.print(
      `Strategy ${result.strategy} on generation ${outcome.base}: ${totals.activeNodes} of ${plural(totals.knownNodes, 'node')} ` +
        `active, ${totals.activeVolumes} of ${plural(totals.knownVolumes, 'volume')}, weight ` +
        `${formatNumber(totals.activeVolumeWeight)} on ${formatNumber(totals.activeNodeWeight)}`,
    );
    this.print();
    await this.table(NODE_COLUMNS, result.nodes.slice(0, limit));
    if (result.nodes.length > limit) this.print(`… and ${result.nodes.length - limit} more nodes (--all)`);
    this.lines('', await this.moveLines(outcome, limit), result.changed.length, limit);
    const unplaced = result.unassigned.map(({ volume, reason }) => `  ${volume}: ${reason}`);
    this.lines(
      paint('yellow', 'Unplaced (cfs why VOLUME tells why each node is out)'),
      unplaced,
      unplaced.length,
      limit,
    );
    const warned = flags.all ? result.warnings : result.warnings.slice(0, WARNED);
    for (const { volume, code, detail } of warned) {
      this.note(paint('yellow', `warning: ${volume === undefined ? '' : `${volume}: `}${code}: ${detail}`));
    }
    const unsaid = result.warnings.length - warned.length;
    if (unsaid > 0) this.note(paint('yellow', `… and ${unsaid} more warnings (--all)`));
    if (explanation !== null) {
      this.print();
      for (const line of explanation) this.print(escapeText(line));
    }
    this.print();
    this.print(
      `Imbalance ${formatNumber(result.sumAbsRCBefore)} -> ${formatNumber(result.sumAbsRC)}; ${plural(result.moves, 'move')} ` +
        `(${result.forcedMoves} forced), weight ${formatNumber(result.movedWeight)}.`,
    );
    if (this.isDryRun) {
      this.print(outcome.changes.length > 0 ? 'Dry run: nothing was committed.' : 'Dry run: nothing would change.');
    } else if (outcome.committed) this.print(`${done}\nGeneration ${outcome.generation}.`);
    else this.print(`balanced: nothing to change (generation ${outcome.generation}).`);
  }

  /** `volume: old -> new` per change. */
  private async moveLines(outcome: TransactOutcome<PlacementResult>, limit: number): Promise<string[]> {
    const { assignment, changed, run } = outcome.value;
    const before = new Map(run.problem.input.volumes.map((volume) => [volume.name, volume.currentNode]));
    return changed
      .slice(0, limit)
      .map((name) => `  ${name}: ${before.get(name) ?? '-'} -> ${assignment.get(name) ?? '-'}`);
  }

  private lines(title: string, lines: readonly string[], total: number, limit: number): void {
    if (total === 0) return;
    this.print();
    if (title !== '') this.print(title);
    for (const line of lines.slice(0, limit)) this.print(escapeText(line));
    if (total > limit) this.print(`  … and ${total - limit} more (--all)`);
  }
}
