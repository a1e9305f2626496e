/** Judging a command whose system calls failed: what it says must be true. */
import { type App, cfs } from './app.js';
import { type Expected, stateOf, verify } from './state.js';
import type { Traced } from './trace.js';

export interface Judgement {
  exit: number;
  problems: string[];
}

/** Commands of which the commit is only a part. */
export interface Lenience {
  /** Exit 1 although the commit stands: what came after it failed. */
  afterFailure: boolean;
  /** Exit 0 without the commit: it could be gone without. */
  afterSuccess: boolean;
}

interface ErrorShape {
  code?: string;
  errno?: string;
  message?: string;
  details?: { txid?: string };
}

/**
 * Exit 0: the new state. 1 and 8: the old one. 10: either, and the transaction it names tells which. Nothing else, no stack
 * trace, and the message (asked for under --json) names the errno and the path.
 */
export async function judge(
  app: App,
  dir: string,
  run: Traced,
  errno: string,
  expected: Expected,
  lenience: Lenience = { afterFailure: false, afterSuccess: false },
): Promise<Judgement> {
  const problems: string[] = [];
  const exit = run.status ?? -1;
  if (run.signal !== null) problems.push(`killed by ${run.signal}`);
  const allowed = (
    {
      0: lenience.afterSuccess ? 'either' : 'new',
      1: lenience.afterFailure ? 'either' : 'old',
      8: lenience.afterFailure ? 'either' : 'old',
      10: 'either',
    } as const
  )[exit];
  if (allowed === undefined) problems.push(`exit ${exit}: ${run.stderr.slice(0, 600)}`);
  if (exit > 0) judgeMessage(run.stderr, errno, dir, problems);
  if (exit === 10) await judgeUnsure(app, dir, run.stderr, expected, problems);
  const verdict = await verify(app, dir, expected, allowed ?? 'either');
  return { exit, problems: [...problems, ...verdict.problems] };
}

function judgeMessage(stderr: string, errno: string, dir: string, problems: string[]): void {
  if (/^\s+at .*:\d+:\d+\)?$/m.test(stderr)) problems.push(`a stack trace: ${stderr.slice(0, 400)}`);
  const error = errorOf(stderr);
  if (error === null) {
    problems.push(`standard error is not the JSON of an error: ${stderr.slice(0, 400)}`);
    return;
  }
  if (error.code === 'BUG') problems.push(`it calls itself a bug: ${error.message}`);
  else if (error.code === 'COMMIT_UNSURE') {
    if (!/^[0-9a-f]{16}$/.test(error.details?.txid ?? '')) problems.push('exit 10 names no transaction');
  } else {
    // A manifest that cannot be read may be reported as damaged; the sentence then says why.
    const says =
      error.errno ??
      (/storage reported an I\/O error/.test(error.message ?? '')
        ? 'EIO'
        : /no space is left/.test(error.message ?? '')
          ? 'ENOSPC'
          : undefined);
    if (says !== errno) problems.push(`errno is ${error.errno}, not ${errno}: ${error.message}`);
    if (!error.message?.includes(dir)) problems.push(`the message names no path: ${error.message}`);
  }
}

function errorOf(stderr: string): ErrorShape | null {
  try {
    return (JSON.parse(stderr) as { error: ErrorShape }).error;
  } catch {
    return null;
  }
}

/** What exit 10 names is looked up: found means the new state. */
async function judgeUnsure(
  app: App,
  dir: string,
  stderr: string,
  expected: Expected,
  problems: string[],
): Promise<void> {
  const txid = errorOf(stderr)?.details?.txid ?? '';
  const found = cfs(app, dir, ['history', '--txid', txid]).status;
  let isNew: boolean;
  try {
    isNew = (await stateOf(dir)) === expected.new;
  } catch {
    return; // verify says more of it.
  }
  // An init whose generation is there, but not yet cluster.json, has no history to look in: repeating it is the way.
  if (found !== (isNew ? 0 : 3))
    problems.push(`history --txid: exit ${found}, but the state is ${isNew ? 'new' : 'old'}`);
}
