import { CfsCommand, Flags, nameOf } from '../cli/command.js';
import { readInput } from '../cli/input.js';
import { apply } from '../core/config/apply.js';
import { parseDocument } from '../core/config/file.js';
import { settingOf } from '../core/model/settings.js';
import { changeLines, countsText } from '../render/changes.js';

export default class Apply extends CfsCommand {
  static override kind = 'change' as const;
  static override summary = 'Make the configuration as a file says.';
  static override description =
    'Shows how the file (YAML or JSON, see cfs export) differs from the cluster, then commits the difference as one ' +
    'generation. Records that the file does not list stay, unless --prune is given; a section that is absent is left ' +
    'alone. Fields that are absent stay as they are. The file declares the groups and domains that it uses. Only what is ' +
    'wished is changed: node states and placements are not.';
  static override examples = [
    { description: 'See the difference', command: 'cfs apply -f cluster.yaml --dry-run' },
    { description: 'Make the cluster exactly as the file says', command: 'cfs apply -f cluster.yaml --prune --yes' },
  ];
  static override flags = {
    file: Flags.string({
      char: 'f',
      required: true,
      summary: 'The file; - is standard input.',
      ...nameOf('file'),
      helpValue: 'FILE',
    }),
    prune: Flags.boolean({ summary: 'Remove what the sections of the file do not list. Asks first.' }),
  };

  async run() {
    const { flags } = await this.parse(Apply);
    const { bytes, source } = readInput(flags.file);
    const request = { document: await parseDocument(bytes, source), prune: flags.prune, source };
    const name = request.document.settings?.name;
    if (name !== undefined && !this.isDryRun) {
      const present = settingOf((await this.cluster()).snapshot(), 'name');
      if (name !== present)
        await this.confirm(`The file is of cluster ${name}, and this is ${present}. Apply it and rename the cluster?`);
    }
    if (flags.prune && !this.isDryRun) {
      const cluster = await this.cluster();
      const plan = await cluster.change(apply, request, { dryRun: true });
      const removed = countsText(plan.value.removed);
      if (removed !== 'nothing') {
        for (const line of changeLines(plan.changes, 40)) this.note(line);
        await this.confirm(`This removes ${removed}. Go on?`);
      }
    }
    const outcome = await this.change(apply, request);
    const { added, changed, removed, kept } = outcome.value;
    if (outcome.committed) for (const line of changeLines(outcome.changes, 40)) this.print(line);
    for (const { table, name } of kept)
      this.note(`The file does not list ${table.slice(0, -1)} ${name}, which stays: it is in use.`);
    const text = `Added ${countsText(added)}; changed ${countsText(changed)}; removed ${countsText(removed)}.`;
    return this.changed(outcome, text, { added, changed, removed, kept });
  }
}
