import { CfsCommand } from '../cli/command.js';
import { version } from '../cli/version.js';

export default class Version extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Show the version of cfs and of what it runs on.';
  static override description =
    'Prints the version of cfs, of node and of the platform. "cfs --version" prints the first only.';
  static override examples = [
    { description: 'Show the versions', command: 'cfs version' },
    { description: 'The same for a script', command: 'cfs version --json' },
  ];

  async run() {
    await this.parse(Version);
    const platform = `${process.platform}-${process.arch}`;
    this.print(`cfs ${version()} (node ${process.versions.node}, ${platform})`);
    return { version: version(), node: process.versions.node, platform };
  }
}
