import { Args, CfsCommand } from '../cli/command.js';
import { COMPLETION_SCRIPTS, SHELLS } from '../cli/completion-scripts.js';
import { writeOut } from '../render/output.js';

export default class Completion extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Print the completion script of a shell.';
  static override description =
    'Prints a script that makes a shell complete commands, flags and their values, and the names of nodes, volumes, ' +
    'groups, domains, settings and generations as they are in the cluster at that moment. bash: put "source <(cfs ' +
    'completion bash)" into ~/.bashrc. zsh: put "source <(cfs completion zsh)" behind compinit in ~/.zshrc. fish: ' +
    'write it to ~/.config/fish/completions/cfs.fish.';
  static override examples = [
    { description: 'Complete in this bash', command: 'source <(cfs completion bash)' },
    { description: 'Show the script for fish', command: 'cfs completion fish' },
  ];
  static override args = {
    shell: Args.string({ description: 'bash, zsh or fish', required: true, options: SHELLS, ignoreStdin: true }),
  };

  async run() {
    const { args } = await this.parse(Completion);
    const script = COMPLETION_SCRIPTS[args.shell as (typeof SHELLS)[number]];
    if (!this.jsonEnabled()) writeOut(script);
    return { shell: args.shell, script };
  }
}
