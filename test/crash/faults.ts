/** What the crash tests share: the commands, each on a cluster in a temporary directory that can be put back. */
import fs from 'node:fs';
import path from 'node:path';
import { copyApp } from '../../scripts/crash/app.js';
import { callsOf, copyPrepared, type Stage } from '../../scripts/crash/inject.js';
import { VICTIMS } from '../../scripts/crash/operations.js';
import { type Expected, stateOf } from '../../scripts/crash/state.js';
import { type Call, straceMissing } from '../../scripts/crash/trace.js';
import { tempDir } from '../kit/cli.js';

/** Skips where system calls cannot be traced, and says why. */
export function needStrace(test: Mocha.Context): void {
  const missing = straceMissing();
  if (missing === null) return;
  console.error(`skipped, because ${missing}: ${test.test?.fullTitle() ?? ''}`);
  test.skip();
}

export interface Prepared {
  stage: Stage;
  calls: Call[];
  expected: Expected;
}

/** @param more flags that every run gets */
export async function prepare(name: string, more: string[] = []): Promise<Prepared> {
  const work = tempDir(`crash-${name}`);
  const app = copyApp(work);
  const victim = VICTIMS.find((v) => v.name === name)!;
  const prepared = victim.prepare === undefined ? null : path.join(work, 'prepared');
  if (prepared !== null) await victim.prepare!(app, prepared);
  const root = path.join(work, 'stage');
  const dir = path.join(root, 'c');
  fs.mkdirSync(root);
  const stage: Stage = {
    app,
    victim,
    root,
    dir,
    trace: path.join(work, 'trace'),
    fresh: () => copyPrepared(prepared, dir),
  };
  stage.fresh();
  const old = await stateOf(dir);
  const calls = callsOf(stage, more);
  return { stage, calls, expected: { old, new: await stateOf(dir), args: victim.args, input: victim.input } };
}
