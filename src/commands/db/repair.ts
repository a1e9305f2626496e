import { CfsCommand, durationFlag, Flags } from '../../cli/command.js';
import { repairStore } from '../../core/store/repair.js';
import { escapeText } from '../../render/format.js';

export default class DbRepair extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Go back to the newest generation that is whole.';
  static override description =
    'Publishes, as a new generation, the newest generation of which every file checks, and says which generations are ' +
    'given up: their changes are lost. Nothing is removed, and every volume gets a new epoch, since the lost ones may have been given out. Does nothing where everything is whole. Asks first.';
  static override examples = [
    { description: 'What would be given up?', command: 'cfs db repair --dry-run' },
    { description: 'Repair', command: 'cfs db repair --yes --message "disk 3 was bad"' },
  ];
  static override flags = {
    'dry-run': Flags.boolean({ summary: 'Say what would be given up and change nothing.' }),
    message: Flags.string({ char: 'm', summary: 'Why; kept in history.', helpValue: 'TEXT' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask.' }),
    'lock-timeout': durationFlag({ summary: 'How long to wait for the lock.' }),
  };

  async run() {
    const { flags } = await this.parse(DbRepair);
    const { store } = await this.cluster();
    const info = { operation: 'db.repair', message: flags.message ?? null };
    const plan = await repairStore(store, info, { dryRun: true });
    for (const problem of plan.problems) this.print(escapeText(problem.message));
    if (!plan.needed) {
      this.print('Everything is whole; nothing to repair.');
      return { ...plan };
    }
    const one = plan.skips.length === 1;
    const lost =
      `generation${one ? '' : 's'} ${plan.skips.join(', ')} ${one ? 'is' : 'are'} given up; ` +
      `the database goes back to generation ${plan.from}`;
    if (flags['dry-run']) {
      this.print(`With a repair ${lost}.`);
      return { ...plan };
    }
    await this.confirm(`Repair? Then ${lost}.`);
    const { dryRun: _, ...options } = this.changeOptions();
    const report = await repairStore(store, info, options);
    if (report.generation !== null) this.hasCommitted(report.generation, report.txid);
    this.print(`Repaired: ${lost}.\nGeneration ${report.generation}.`);
    return { ...report };
  }
}
