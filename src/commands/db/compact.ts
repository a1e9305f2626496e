import { CfsCommand, durationFlag, Flags, wholeFlag } from '../../cli/command.js';
import { compactWithBallast } from '../../core/ballast/compact.js';
import { CfsError } from '../../core/errors.js';
import { settingOf } from '../../core/model/settings.js';
import { formatDuration } from '../../core/model/units.js';
import { LEAST_KEPT } from '../../core/store/layout.js';
import { plural, sizeText } from '../../render/format.js';

export default class DbCompact extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Remove history that need not be kept, and files left behind.';
  static override description =
    'Keeps as many generations as the settings history.keep and history.keepFor say, whichever is more, and removes older ' +
    'ones with the table files that only they name. May run beside anything, at any time, from cron; works on a full disk.';
  static override examples = [
    { description: 'From cron, once a day', command: 'cfs db compact' },
    {
      description: 'What would go if 1,000 generations were kept, however young',
      command: 'cfs db compact --keep 1000 --keep-for 0s --dry-run',
    },
  ];
  static override flags = {
    keep: wholeFlag({ summary: 'Generations to keep, at least 100 (default: the setting history.keep).' }),
    'keep-for': durationFlag({ summary: 'Keep also what is younger (default: the setting history.keepFor).' }),
    fold: Flags.boolean({ summary: 'Write small changes that stand in the manifest into the tables.' }),
    'dry-run': Flags.boolean({ summary: 'Say what would go and remove nothing.' }),
    message: Flags.string({ char: 'm', summary: 'Why; kept in history.', helpValue: 'TEXT' }),
    'lock-timeout': durationFlag({ summary: 'How long to wait for the lock.' }),
  };

  async run() {
    const { flags } = await this.parse(DbCompact);
    if (flags.keep !== undefined && flags.keep < LEAST_KEPT) {
      throw new CfsError('BAD_VALUE', `--keep cannot be ${flags.keep}: at least ${LEAST_KEPT} generations are kept`, {
        hint: 'Readers that began before must find their generation to its end.',
      });
    }
    const cluster = await this.cluster();
    const snapshot = cluster.snapshot();
    const keep = flags.keep ?? settingOf(snapshot, 'history.keep');
    const keepMs = flags['keep-for'] ?? settingOf(snapshot, 'history.keepFor');
    const progress = await this.progress('Compacting');
    const report = await compactWithBallast(cluster.store, {
      ...this.changeOptions(),
      info: { operation: 'db.compact', request: { keep, keepMs, fold: flags.fold }, message: flags.message ?? null },
      keep,
      keepMs,
      fold: flags.fold,
    });
    progress.stop();
    if (report.generation !== null) this.hasCommitted(report.generation, null);
    const { manifests, tableFiles, temporaries, bytes, floor } = report;
    const dry = flags['dry-run'];
    const what = `${plural(manifests, 'generation')}, ${plural(tableFiles, 'table file')} and ${plural(temporaries, 'leftover')} (${sizeText(bytes)})`;
    this.print(dry ? `Would remove ${what}.` : `Removed ${what}.`);
    this.print(
      `History ${dry ? 'would begin' : 'begins'} at generation ${floor} (policy: ${keep} generations, ${formatDuration(keepMs)}).`,
    );
    if (report.generation !== null) this.print(`Generation ${report.generation}.`);
    if (report.noSpace) {
      const undone = flags.fold ? 'raise the beginning of history and to fold' : 'raise the beginning of history';
      this.note(`No space to ${undone}: only what was left behind was removed. Free some space and run it again.`);
    }
    return { ...report, dryRun: dry };
  }
}
