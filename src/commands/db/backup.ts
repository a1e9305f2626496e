import { CfsCommand, nameOf, wholeFlag } from '../../cli/command.js';
import { Args } from '../../cli/oclif.js';
import { writeBackup } from '../../core/store/backup.js';
import { plural, sizeText } from '../../render/format.js';

export default class DbBackup extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Write one generation into a file.';
  static override description =
    'Writes the newest generation, or generation G, whole and with a checksum, into a new file; no lock is taken. A file ' +
    'that exists is never overwritten, and one that was cut off is refused by cfs db restore.';
  static override examples = [
    { description: 'A backup', command: 'cfs db backup monday.cfs' },
    { description: 'Generation 2', command: 'cfs db backup second.cfs --generation 2' },
  ];
  static override args = {
    file: Args.string({ description: 'the new file', ignoreStdin: true, required: true, ...{ complete: 'file' } }),
  };
  static override flags = {
    generation: wholeFlag({
      summary: 'Which generation (default: the newest).',
      ...nameOf('generation'),
      helpValue: 'G',
    }),
  };

  async run() {
    const { args, flags } = await this.parse(DbBackup);
    const { store } = await this.cluster();
    const report = writeBackup(store, args.file, flags.generation);
    this.print(
      `Generation ${report.generation} written to ${args.file}: ${plural(report.records, 'record')}, ${sizeText(report.bytes)}.`,
    );
    return { ...report };
  }
}
