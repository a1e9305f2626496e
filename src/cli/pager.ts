/** Output that is longer than the terminal, through the user's pager, as git does it. */
import { spawnSync } from 'node:child_process';
import { isTerminal, outputHeight, STDOUT, writeOut } from '../render/output.js';

/**
 * The pager's command line: CFS_PAGER, else PAGER, else less; null: none is wanted. It comes from the environment of whoever runs cfs,
 * as an editor or a shell does.
 */
function pagerCommand(): string | null {
  const { CFS_PAGER, PAGER, TERM } = process.env;
  if (TERM === 'dumb') return null;
  const command = (CFS_PAGER ?? PAGER ?? 'less').trim();
  return command === '' || command === 'cat' ? null : command;
}

/** Writes lines: to the pager where standard output is a terminal that is too low for them, and as they are elsewhere. */
export function writePaged(lines: readonly string[]): void {
  const text = lines.map((line) => `${line}\n`).join('');
  const pager = isTerminal(STDOUT) && lines.length >= outputHeight() ? pagerCommand() : null;
  if (pager === null) {
    writeOut(text);
    return;
  }
  const { status, error } = spawnSync('/bin/sh', ['-c', pager], {
    input: text,
    stdio: ['pipe', 'inherit', 'inherit'],
    // -F: ends at once where one screen is enough; -R: colours; -S: long lines are cut; -X: what was shown stays.
    env: { LESS: 'FRSX', LV: '-c', ...process.env },
  });
  // 126, 127: the shell did not find it. Whoever leaves a pager early closes its pipe, which is an error of no interest.
  const isMissing =
    status === 126 || status === 127 || (error !== undefined && status === null && !isBrokenPipe(error));
  if (isMissing) writeOut(text);
}

function isBrokenPipe(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'EPIPE';
}
