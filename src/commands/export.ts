import { CfsCommand, Flags } from '../cli/command.js';
import { exportDocument, exportYaml } from '../core/config/export.js';
import { writeOut } from '../render/output.js';

export default class Export extends CfsCommand {
  static override summary = 'Print the configuration as a file that apply and init take.';
  static override description =
    'Settings, groups, domains, nodes and volumes, in natural order, complete, as YAML (or JSON with -o json or --json, ' +
    'without an envelope: the output is the file). Applying it to the same cluster changes nothing.';
  static override examples = [
    { description: 'Keep the configuration under version control', command: 'cfs export > cluster.yaml' },
    { description: 'The configuration of generation 2', command: 'cfs export --at 2 -o json' },
  ];
  static override flags = {
    output: Flags.option({
      char: 'o',
      summary: 'Format.',
      options: ['yaml', 'json'] as const,
      default: 'yaml' as const,
    })(),
  };

  async run() {
    const { flags } = await this.parse(Export);
    const snapshot = await this.snapshot();
    if (this.jsonEnabled() || flags.output === 'json') {
      const document = exportDocument(snapshot);
      if (!this.jsonEnabled()) writeOut(`${JSON.stringify(document, null, 2)}\n`);
      return { ...document };
    }
    writeOut(await exportYaml(snapshot));
    return {};
  }

  /** The output is the file itself: an envelope would have to be taken off again. */
  protected override toSuccessJson(result: unknown): unknown {
    return result;
  }
}
