/**
 * The base class of every command. A command is one file, src/commands/TOPIC/VERB.ts (`cfs TOPIC VERB`) or
 * src/commands/VERB.ts; the build finds it by its place. It parses, calls one operation, renders, returns an object:
 *
 *     import { CfsCommand, decimalFlag, nameArg } from '../../cli/command.js';
 *     import { nodeSet } from '../../core/operations/node-set.js';
 *
 *     export default class NodeSet extends CfsCommand {
 *       static override kind = 'change' as const;              // read | list | change | local: the shared flags
 *       static override summary = 'Change a node.';            // one line, for lists; description: full sentences
 *       static override examples = [                           // two at least, run by test/cli/examples.test.ts
 *         { description: 'Give n1 twice the share', command: 'cfs node set n1 --weight 2' },
 *         { description: 'See first what would change', command: 'cfs node set n1 --weight 2 --dry-run' },
 *       ];
 *       static override args = { name: nameArg('node') };      // completed by live names; never reads standard input
 *       static override flags = { weight: decimalFlag({ summary: 'Share of all weight.' }) };
 *
 *       async run() {
 *         const { args, flags } = await this.parse(NodeSet);
 *         const outcome = await this.change(nodeSet, { name: args.name, weight: flags.weight });
 *         return this.changed(outcome, `Node ${args.name} changed.`, { node: outcome.value });
 *       }
 *     }
 *
 * A list: `return this.list('nodes', COLUMNS, rows, { generation });` One thing shown: `await this.fields([['Name', 'n1']]); return { node };`
 * A destructive change: `await this.confirm('Remove node n1 and …?');` before `this.change` (--yes, and --dry-run, skip it).
 * What `run` returns is printed under --json as `{"schemaVersion": 1, ...}` and is a promise (keep its shape); `print`,
 * `fields` and `list` write nothing then. Throw CfsError for the user's situations; anything else is reported as a bug.
 */

import type { ChangeOptions } from '../core/cluster.js';
import { CfsError } from '../core/errors.js';
import type { Operation } from '../core/operation.js';
import type { Snapshot, TransactOutcome } from '../core/store/store.js';
import type { DirectoryCluster } from '../open.js';
import { paint, prepareColour } from '../render/colour.js';
import { escapeBlock, escapeText } from '../render/format.js';
import { csvText, itemsOf, selectRows } from '../render/list.js';
import { isTerminal, outputWidth, STDERR, STDOUT, writeErr, writeOut } from '../render/output.js';
import { type Column, cellText, layoutFields, layoutTable } from '../render/table.js';
import { type CommandKind, type SharedFlags, sharedFlags } from './flags.js';
import { lockNotice } from './lock-notice.js';
import { Command } from './oclif.js';
import { reportError } from './report.js';
import type { WaitReport } from './wait.js';
import { chooseDir, chooseNewDir, chooseNode } from './where.js';

export { paint } from '../render/colour.js';
export type { Column } from '../render/table.js';
export * from './flags.js';
export { Args, Flags } from './oclif.js';

/** Version of the shapes printed under --json; raised only when a field changes its meaning or goes. */
export const SCHEMA_VERSION = 1;

/** Printed under --json. */
export type CommandResult = Record<string, unknown>;

/** Something that ends when it is told to: a spinner on standard error, or nothing where that is no terminal. */
export interface Progress {
  /** Changes the text. */
  text(text: string): void;
  stop(): void;
}

export abstract class CfsCommand extends Command {
  static kind: CommandKind = 'read';

  private shared: SharedFlags = {};
  private opened: DirectoryCluster | undefined;
  /** What this command has committed, so that no later failure can look as if nothing had been changed. */
  private commit: { generation: number; txid: string | null } | null = null;
  /** The generation that the change led to, made by it or not: what --wait waits for. */
  private reached: TransactOutcome<unknown> | null = null;
  private waited: WaitReport | null = null;

  abstract override run(): Promise<CommandResult>;

  /** Parses, runs, prints; errors are reported and leave the status in process.exitCode. */
  async execute(): Promise<void> {
    await this._run();
  }

  /** `cfs node set`, for messages. */
  protected get typed(): string {
    return `cfs ${(this.id ?? '').replaceAll(':', ' ')}`.trim();
  }

  // oclif's init announces deprecations and talks to its debug logger; nothing of cfs needs either.
  protected override async init(): Promise<void> {
    await prepareColour();
  }

  // oclif's parameters, passed through; kept here are the shared flags, so that no command hands them on.
  protected override parse: Command['parse'] = async (options, argv) => {
    const parsed = await super.parse(options, argv);
    this.shared = parsed.flags as SharedFlags;
    return parsed;
  };

  protected override async catch(error: unknown): Promise<void> {
    process.exitCode = reportError(this.afterCommit(error), this.typed, this.jsonEnabled());
  }

  /** --wait: what `run` printed stands there already, so that nobody takes a wait that was in vain for a change that was. */
  protected override async finally(error: Error | undefined): Promise<void> {
    if (error !== undefined || this.shared.wait === undefined || this.reached === null) return;
    try {
      const { waitForAll } = await import('./wait-all.js');
      const end = await waitForAll(await this.cluster(), this.reached, this.shared.wait, this.jsonEnabled());
      this.waited = end.report;
      if (end.error !== null) throw end.error;
      this.note(end.text);
    } catch (problem) {
      process.exitCode = reportError(this.afterCommit(problem), this.typed, this.jsonEnabled());
    }
  }

  /** For commands that commit without `change`. */
  protected hasCommitted(generation: number, txid: string | null): void {
    this.commit = { generation, txid };
  }

  /** Exit 1 means that nothing was changed. What fails after a commit, such as writing to a full disk, must not say so. */
  private afterCommit(error: unknown): unknown {
    if (this.commit === null) return error;
    // One that says `committed` knows of it.
    if (error instanceof CfsError && (error.details?.committed || error.code === 'COMMIT_UNSURE')) return error;
    const { generation, txid } = this.commit;
    const what = error instanceof Error ? error.message : String(error);
    return new CfsError(
      'COMMIT_UNSURE',
      `Generation ${generation} was committed, but what came after it failed: ${what}`,
      {
        hint: `See what was changed: cfs diff ${generation}`,
        details: { generation, txid },
        cause: error,
      },
    );
  }

  override jsonEnabled(): boolean {
    const end = this.argv.indexOf('--');
    const at = this.argv.indexOf('--json');
    return at !== -1 && (end === -1 || at < end);
  }

  protected override logJson(json: unknown): void {
    try {
      writeOut(`${JSON.stringify(json, null, 2)}\n`);
    } catch (error) {
      // After run: what is thrown here does not pass `catch`.
      throw this.afterCommit(error);
    }
  }

  protected override toSuccessJson(result: unknown): unknown {
    const wait = this.waited === null ? {} : { wait: this.waited };
    return { schemaVersion: SCHEMA_VERSION, ...(result as CommandResult), ...wait };
  }

  // ---- the cluster ----

  /** The cluster directory that is meant. @throws CfsError NO_CLUSTER_CHOSEN */
  protected dir(): string {
    return chooseDir(this.shared.dir).dir;
  }

  /** Where a new cluster goes: --dir, CFS_DIR, the configuration files, else `.cfs` in the working directory. */
  protected newDir(): string {
    return chooseNewDir(this.shared.dir);
  }

  /** The name of the node that this is. Not checked against the cluster. @param ofAgent what the agent's configuration says */
  protected nodeName(ofAgent?: string | null): string {
    return chooseNode(this.shared.node, ofAgent);
  }

  /** The cluster, opened on first use. @throws CfsError NO_CLUSTER_CHOSEN, CLUSTER_NOT_FOUND, UNSAFE_DIRECTORY … */
  protected async cluster(): Promise<DirectoryCluster> {
    if (this.opened === undefined) {
      const { openCluster } = await import('../open.js');
      this.opened = await openCluster({ dir: this.dir() });
    }
    return this.opened;
  }

  /** The newest generation, or the one of --at. @throws CfsError GENERATION_NOT_FOUND … */
  protected async snapshot(): Promise<Snapshot> {
    return (await this.cluster()).snapshot(this.shared.at);
  }

  /** Runs an operation as one generation, with the shared flags of a change. @throws CfsError see Cluster.change */
  protected async change<Request, Result>(
    operation: Operation<Request, Result>,
    request: Request,
  ): Promise<TransactOutcome<Result>> {
    const cluster = await this.cluster();
    const waiting = lockNotice(this.jsonEnabled());
    try {
      const outcome = await cluster.change(operation, request, { ...this.changeOptions(), onWait: waiting.onWait });
      if (outcome.committed) this.hasCommitted(outcome.generation, outcome.txid);
      if (!this.isDryRun) this.reached = outcome;
      return outcome;
    } finally {
      waiting.stop();
    }
  }

  /** The shared flags of a change as the store takes them; for the few commands that do not go through `change`. */
  protected changeOptions(): Omit<ChangeOptions, 'onWait'> & { dryRun: boolean; message: string | null } {
    const { message, 'dry-run': dryRun, 'expect-generation': expect, 'lock-timeout': lockTimeout } = this.shared;
    return {
      dryRun: dryRun ?? false,
      message: message ?? null,
      ...(expect === undefined ? {} : { expectGeneration: expect }),
      ...(lockTimeout === undefined ? {} : { lockTimeoutMs: lockTimeout }),
    };
  }

  /** Whether --dry-run was given. */
  protected get isDryRun(): boolean {
    return this.shared['dry-run'] ?? false;
  }

  /**
   * Ends a change: prints what it did and the generation it made, or the plan of a dry run, and gives the result.
   * @param text what was done, one or more lines; not printed when nothing changed
   * @param data what the command adds to its JSON
   * @param unchanged what is said where nothing changed, instead of that
   */
  protected async changed(
    outcome: TransactOutcome<unknown>,
    text: string,
    data: CommandResult = {},
    unchanged: string | null = null,
  ): Promise<CommandResult> {
    const { generation, base, committed, changes, txid } = outcome;
    const dryRun = this.isDryRun;
    if (dryRun) {
      const { changeLines } = await import('../render/changes.js');
      const lines = changeLines(changes, 200);
      this.print(changes.length === 0 ? `Nothing would change (generation ${base}).` : lines.join('\n'));
      if (changes.length > 0)
        this.note(`Dry run: generation ${base} stays; without --dry-run this would be committed.`);
    } else if (committed) {
      this.print(text);
      this.print(`Generation ${generation}.`);
    } else {
      this.print(unchanged ?? `Nothing to change (generation ${generation}).`);
    }
    return {
      generation,
      base,
      committed,
      dryRun,
      txid,
      ...(dryRun ? { changes } : { recordsChanged: changes.length }),
      ...data,
    };
  }

  // ---- questions ----

  /**
   * Asks before something destructive. --yes and --dry-run skip the question.
   * @throws CfsError DECLINED; CONFIRMATION_NEEDED where nobody can be asked
   */
  protected async confirm(question: string): Promise<void> {
    if (this.shared.yes || this.isDryRun) return;
    const { askToConfirm } = await import('./ask.js');
    await askToConfirm(question);
  }

  /**
   * The value of a flag, or the answer to a question where the flag was not given. Every question has its flag.
   * @throws CfsError CONFIRMATION_NEEDED where nobody can be asked and there is no default
   */
  protected async ask(flag: string, given: string | undefined, question: string, initial?: string): Promise<string> {
    if (this.ctor.flags[flag] === undefined) throw new Error(`a question without a flag: ${flag}`);
    if (given !== undefined) return given;
    if (this.shared.yes && initial !== undefined) return initial;
    const { askForText } = await import('./ask.js');
    return askForText(flag, question, initial);
  }

  // ---- output: standard output is data, standard error is talk ----

  /** A line (or several) of data on standard output; nothing under --json. */
  protected print(text = ''): void {
    if (!this.jsonEnabled()) writeOut(`${escapeBlock(text)}\n`);
  }

  /** A remark on standard error; nothing under --json. */
  protected note(text: string): void {
    if (!this.jsonEnabled()) writeErr(`${escapeBlock(text)}\n`);
  }

  /** Label and value pairs, aligned. */
  protected async fields(pairs: [label: string, value: unknown][]): Promise<void> {
    if (this.jsonEnabled()) return;
    const lines = await layoutFields(pairs.map(([label, value]) => [label, cellText(value)]));
    this.print(lines.join('\n'));
  }

  /** A table without the flags of a list, for one part of a larger output. */
  protected async table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): Promise<void> {
    if (this.jsonEnabled()) return;
    const { lines } = await this.layout(columns, rows);
    this.print(lines.join('\n'));
  }

  /**
   * Prints rows as --output says, after --filter and --sort, and gives the result: `{ [name]: items, ...extra }`.
   * @param name what the rows are called in JSON (`nodes`)
   * @param columns the first is the name, which `-o name` prints
   */
  protected async list<Row>(
    name: string,
    columns: readonly Column<Row>[],
    rows: Iterable<Row>,
    extra: CommandResult = {},
  ): Promise<CommandResult> {
    const { filter, sort, output = 'table' } = this.shared;
    const selected = selectRows(columns, rows, filter, sort);
    const result = (): CommandResult => ({ ...extra, [name]: itemsOf(columns, selected) });
    if (this.jsonEnabled()) return result();
    switch (output) {
      case 'json':
        this.logJson(this.toSuccessJson(result()));
        break;
      case 'yaml': {
        const { dump } = await import('js-yaml');
        writeOut(dump(this.toSuccessJson(result()), { lineWidth: 120, noRefs: true }));
        break;
      }
      case 'csv':
        writeOut(csvText(columns, selected));
        break;
      case 'name':
        writeOut(selected.map((row) => `${escapeText(String(columns[0]!.value(row)))}\n`).join(''));
        break;
      default:
        await this.printTable(name, columns, selected, output === 'wide');
    }
    return extra;
  }

  private async printTable<Row>(name: string, columns: readonly Column<Row>[], rows: Row[], wide: boolean) {
    const shown = columns.filter((c) => !c.hidden);
    const kept = shown.filter((c) => wide || !c.wide);
    if (rows.length === 0) {
      this.note(`No ${name}.`);
      return;
    }
    const { lines, dropped } = await this.layout(kept, rows, wide ? Number.POSITIVE_INFINITY : outputWidth());
    this.print(lines.join('\n'));
    if (wide || !isTerminal(STDOUT)) return;
    const more = [...dropped, ...shown.filter((c) => c.wide).map(titleOf)];
    if (more.length > 0) this.note(paint('dim', `-o wide adds ${more.join(', ')}`));
  }

  private layout<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width = outputWidth()) {
    const cells = rows.map((row) => columns.map((c) => (c.text ? c.text(row) : cellText(c.value(row)))));
    const right = columns.map((c) => c.align === 'right');
    return layoutTable(columns.map(titleOf), cells, { width, right, head: (text) => paint('bold', text) });
  }

  /** Shows that something takes its time: a spinner on standard error, on terminals only. */
  protected async progress(text: string): Promise<Progress> {
    if (!isTerminal(STDERR) || this.jsonEnabled()) return { text: () => {}, stop: () => {} };
    const { default: yoctoSpinner } = await import('yocto-spinner');
    const spinner = yoctoSpinner({ text: escapeText(text) }).start();
    return {
      text: (next) => {
        spinner.text = escapeText(next);
      },
      stop: () => {
        spinner.stop();
      },
    };
  }
}

function titleOf<Row>(column: Column<Row>): string {
  return column.title ?? column.key.toUpperCase();
}

// A property of oclif's class cannot be an accessor in a subclass; this one depends on the subclass's kind.
Object.defineProperty(CfsCommand, 'baseFlags', {
  configurable: true,
  get(this: typeof CfsCommand) {
    return sharedFlags(this.kind);
  },
});

/** Refuses flags that exclude each other or a value outside its range. A shorthand for commands. */
export function usage(message: string, hint: string): never {
  throw new CfsError('USAGE', message, { hint });
}
