import { CfsCommand } from '../../cli/command.js';
import { CfsError } from '../../core/errors.js';
import { integrityProblems } from '../../core/model/integrity.js';
import { checkStore } from '../../core/store/check.js';
import { escapeText, plural } from '../../render/format.js';

export default class DbCheck extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Check the whole database for damage.';
  static override description =
    'Reads every generation that is kept and every table file that one names, and compares sizes and checksums; lists ' +
    'files that nothing refers to, which are harmless; then whether every name in the newest generation leads somewhere. Changes nothing and takes no lock. Exits 8 when something is damaged.';
  static override examples = [
    { description: 'Is everything whole?', command: 'cfs db check' },
    { description: 'With every problem, for a script', command: 'cfs db check --json' },
  ];

  async run() {
    await this.parse(DbCheck);
    const progress = await this.progress('Checking');
    const { store } = await this.cluster();
    const report = checkStore(store);
    progress.stop();
    const { problems, leftovers, oldest, newest } = report;
    for (const problem of problems) this.print(escapeText(problem.message));
    if (leftovers.length > 0)
      this.note(`${plural(leftovers.length, 'file')} left behind; cfs db compact removes them.`);
    if (problems.length > 0) {
      throw new CfsError(
        problems[0]!.code,
        `${plural(problems.length, 'problem')} in generations ${oldest} to ${newest}`,
        {
          hint: 'See what a repair would give up: cfs db repair --dry-run',
          details: { ...report },
        },
      );
    }
    const dangling = integrityProblems(store.snapshot(), 20);
    for (const { table, name, says } of dangling) this.print(escapeText(`${table} ${name}: ${says}`));
    if (dangling.length > 0) {
      throw new CfsError('TABLE_DAMAGED', `records of generation ${newest} refer to what is not there`, {
        hint: 'This is a bug in cfs or the work of another program: keep a copy of the directory and report it.',
        details: { ...report, dangling },
      });
    }
    this.print(
      `Generations ${oldest} to ${newest} are whole: ${plural(report.generations, 'manifest')}, ${plural(report.tableFiles, 'table file')}.`,
    );
    return { ...report };
  }
}
