/**
 * A power switch as a machine room has it: agents ask it from inside of their hosts by a fencing command, and the harness, which
 * is outside of all hosts, switches the host off. Question and answer are files, on no shared directory of any cluster.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class FenceDevice {
  readonly command: string;
  private readonly timer: NodeJS.Timeout;
  /** Nodes that were switched off, in order. */
  readonly fenced: string[] = [];

  /** @param off switches one host off; rejects when it cannot */
  constructor(
    private readonly dir: string,
    private readonly off: (node: string) => Promise<void>,
  ) {
    rmSync(dir, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true });
    this.command = join(dir, 'fence');
    writeFileSync(
      this.command,
      `#!/bin/sh
# Asks the power switch of the lab; exit 0: the host is off.
[ "$CFS_FENCE_ACTION" = off ] || { echo "the switch answers"; exit 0; }
question='${dir}/question'.$CFS_FENCE_NODE.$$.$(cut -d' ' -f1 /proc/uptime)
: >"$question.new" && mv "$question.new" "$question.ask"
while [ ! -f "$question.answer" ]; do sleep 0.02; done
cat "$question.answer"
grep -q '^off$' "$question.answer"
`,
      { mode: 0o755 },
    );
    this.timer = setInterval(() => this.answerAll(), 20);
    this.timer.unref();
  }

  private answerAll(): void {
    for (const name of readdirSync(this.dir)) {
      const node = /^question\.([^.]+)\..*\.ask$/.exec(name)?.[1];
      if (node === undefined) continue;
      const taken = join(this.dir, name.replace(/ask$/, 'taken'));
      renameSync(join(this.dir, name), taken);
      this.answer(node, taken.replace(/taken$/, 'answer'));
    }
  }

  private async answer(node: string, file: string): Promise<void> {
    const text = await this.off(node).then(
      () => 'off\n',
      (error: unknown) => `failed: ${(error as Error).message}\n`,
    );
    if (text === 'off\n') this.fenced.push(node);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** What the switch said to the last questions; for the message of a failure. */
  said(): string[] {
    return readdirSync(this.dir)
      .filter((name) => name.endsWith('.answer'))
      .map((name) => readFileSync(join(this.dir, name), 'utf8').trim());
  }
}
