import { CfsCommand, type Column, durationFlag, Flags, optionalNameArg, paint, usage } from '../cli/command.js';
import type { Finding } from '../core/doctor/findings.js';
import type { Verdict } from '../core/doctor/verdict.js';
import { CfsError, EXIT_CODES } from '../core/errors.js';
import type { DoctorOptions } from '../node/doctor.js';
import { escapeBlock } from '../render/format.js';
import { writeErr } from '../render/output.js';

const STYLES = { good: 'green', info: 'dim', limit: 'yellow', bad: 'red' } as const;

const COLUMNS: Column<Finding>[] = [
  { key: 'test', value: (f) => f.test },
  { key: 'result', value: (f) => f.result },
  { key: 'meaning', value: (f) => f.meaning, text: (f) => `${f.level === 'bad' ? 'REFUSED: ' : ''}${f.meaning}` },
];

export default class Doctor extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Test a directory from two nodes, and say what it may be used for.';
  static override description =
    'Run on a first node it prints the command for a second one, which mounts the same directory, waits for it, and tests ' +
    'together with it: who wins a name that both want, whether flushes are taken, how long until the other sees what is new, ' +
    'locks, notification, links, names, errors. Everything happens in a directory of its own, which is removed at the end. ' +
    'The verdict says whether the directory may be a cluster directory (exit 0), or not (exit 4), and why; cfs refuses sshfs, ' +
    'object stores and whatever gives one name to two. Without DIRECTORY the cluster directory is tested; that is safe in use. ' +
    'Settings of the network that virtual addresses need are shown, and decide nothing.';
  static override examples = [
    { description: 'What one node can test by itself', command: 'cfs doctor /srv/shared --alone' },
    {
      description: 'Two processes of this machine, for a trial',
      command: 'cfs doctor /srv/shared --local-peer --json',
    },
  ];
  static override args = {
    directory: optionalNameArg('directory', { description: 'directory to test; default: the cluster directory' }),
  };
  static override flags = {
    join: Flags.string({ summary: 'Be the second node of the test with this code.', helpValue: 'CODE' }),
    alone: Flags.boolean({
      summary: 'Test with this node alone, which proves less.',
      exclusive: ['join', 'local-peer'],
    }),
    'local-peer': Flags.boolean({ summary: 'Start the second side on this machine.', exclusive: ['join'] }),
    timeout: durationFlag({ summary: 'How long to wait for the second node.', default: 300_000 }),
  };

  async run() {
    const { args, flags } = await this.parse(Doctor);
    if (flags.join !== undefined && !/^[0-9a-f]{8}$/.test(flags.join))
      usage(`"${flags.join.slice(0, 20)}" is no code of a test`, 'Take the command that the first node printed.');
    const { examine } = await import('../node/doctor-run.js');
    const progress = await this.progress('Testing');
    const options: Omit<DoctorOptions, 'directory' | 'signal'> = {
      progress: (text) => progress.text(text),
      leftover: (paths) => this.say(`Left behind, remove it by hand: ${paths.join(', ')}`),
    };
    try {
      const measured = await examine({
        ...options,
        directory: args.directory ?? this.dir(),
        timeoutMs: flags.timeout,
        mode: flags.alone
          ? 'alone'
          : flags.join !== undefined
            ? { join: flags.join }
            : flags['local-peer']
              ? 'local-peer'
              : 'first',
        invited: (command) => {
          if (!flags['local-peer']) this.say(`On the second node run:\n  ${command}`);
        },
      });
      progress.stop();
      const { verdictOf } = await import('../core/doctor/verdict.js');
      const verdict = verdictOf(measured);
      await this.show(
        verdict,
        measured.nodes.map((node) => node.mount),
      );
      if (verdict.answer === 'no') process.exitCode = EXIT_CODES.conflict.status;
      return { verdict, measured };
    } catch (error) {
      if (error instanceof CfsError && error.code === 'INTERRUPTED') process.exitCode = EXIT_CODES.interrupted.status;
      throw error;
    } finally {
      progress.stop();
    }
  }

  /** Talk that scripts need too: the second node's command, and what was left behind. */
  private say(text: string): void {
    writeErr(`${escapeBlock(text)}\n`);
  }

  private async show(
    verdict: Verdict,
    mounts: ({ path: string; type: string; source: string } | null)[],
  ): Promise<void> {
    for (const mount of new Set(
      mounts.map((m) => (m === null ? 'unknown file system' : `${m.type} (${m.source}) on ${m.path}`)),
    ))
      this.print(mount);
    await this.table(COLUMNS, verdict.findings);
    this.print();
    for (const use of verdict.uses)
      this.print(`${use.answer === 'polling' ? 'yes, polling' : use.answer}: ${use.text}`);
    const part = (title: string, lines: string[]) => {
      if (lines.length > 0) this.print(`\n${title}\n${lines.map((line) => `  - ${line}`).join('\n')}`);
    };
    part('Reasons', verdict.reasons);
    part('What this test does not show', verdict.caveats);
    part(
      'About this file system',
      verdict.advice.map((a) => a.text),
    );
    part(
      'For virtual addresses later on',
      verdict.network.flatMap(({ host, remarks }) =>
        remarks.filter((r) => !r.isGood).map((r) => `${host}: ${r.key} is ${r.value}, wanted ${r.wanted}: ${r.why}`),
      ),
    );
    this.print();
    this.print(
      paint(STYLES[verdict.answer === 'no' ? 'bad' : verdict.answer === 'polling' ? 'limit' : 'good'], verdict.summary),
    );
  }
}
