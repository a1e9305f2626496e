/** What a cluster directory holds, byte for byte, and whether that is the old state or the new one, whole. */
import fs from 'node:fs';
import path from 'node:path';
import { CfsError } from '../../src/core/errors.js';
import { TABLE_NAMES } from '../../src/core/model/tables.js';
import { checkStore, compactStore } from '../../src/core/store/index.js';
import { openCluster } from '../../src/index.js';
import { type App, cfs } from './app.js';

/** Nothing is there, or an init that is not finished. */
export const NO_CLUSTER = 'no cluster';

interface State {
  generation: number;
  tables: Record<string, Record<string, unknown>>;
}

/** Number of the newest generation and every record of every table, as canonical text. @throws CfsError when damaged */
export async function stateOf(dir: string): Promise<string> {
  try {
    const snapshot = (await openCluster({ dir })).snapshot();
    const tables: State['tables'] = {};
    for (const name of TABLE_NAMES) {
      const records = [...snapshot.table(name).entries()].sort(([a], [b]) => (a < b ? -1 : 1));
      tables[name] = Object.fromEntries(records);
    }
    return JSON.stringify({ generation: snapshot.generation, tables });
  } catch (error) {
    if (error instanceof CfsError && error.code === 'CLUSTER_NOT_FOUND') return NO_CLUSTER;
    throw error;
  }
}

export interface Expected {
  old: string;
  new: string;
  /** The command that was broken off. */
  args: readonly string[];
  input?: string | undefined;
}

export interface Verdict {
  which: 'old' | 'new' | 'neither';
  problems: string[];
  /** It left a lock that does not say whose it is: waited for until it is stale. */
  nameless: boolean;
}

/** A lock whose holder died on this host must not be waited for: well under the stale time of 10 s. */
const AT_ONCE_MS = 5_000;
const STALE_MS = 10_000;
const WEIGHT = 4711;

/**
 * The database opens, holds the old or the new state, checks clean, takes the next commit, and after a collection nothing
 * is left behind.
 * @param allowed the states that it may hold
 * @param quick only what must be a command line is one
 */
export async function verify(
  app: App,
  dir: string,
  expected: Expected,
  allowed: 'old' | 'new' | 'either',
  quick = false,
): Promise<Verdict> {
  const problems: string[] = [];
  let state: string;
  try {
    state = await stateOf(dir);
  } catch (error) {
    return { which: 'neither', problems: [`does not open: ${(error as Error).message}`], nameless: false };
  }
  const which = state === expected.old ? 'old' : state === expected.new ? 'new' : 'neither';
  if (which === 'neither') return { which, problems: [`holds neither state: ${state.slice(0, 300)}`], nameless: false };
  if (allowed !== 'either' && which !== allowed) problems.push(`holds the ${which} state, not the ${allowed} one`);
  const nameless = isNameless(dir);
  if (nameless) age(dir);
  if (state === NO_CLUSTER) await verifyUnfinished(app, dir, expected, problems, quick);
  else await verifyUsable(app, dir, JSON.parse(state) as State, problems, quick);
  return { which, problems, nameless };
}

/**
 * Whether there is a lock of which lock.owner does not speak: its maker died between making the directory and naming
 * itself. Nobody can know whose it was, so only its age counts.
 */
function isNameless(dir: string): boolean {
  const lock = path.join(dir, 'lock');
  if (!fs.existsSync(lock)) return false;
  try {
    const owner = JSON.parse(fs.readFileSync(path.join(dir, 'lock.owner'), 'utf8')) as { ino?: string };
    return owner.ino !== String(fs.lstatSync(lock).ino);
  } catch {
    return true; // Absent, or cut short: it is advice and not flushed.
  }
}

/** Lets the stale time pass. */
function age(dir: string): void {
  const when = new Date(Date.now() - STALE_MS - 1_000);
  fs.utimesSync(path.join(dir, 'lock'), when, when);
}

/** An init that was broken off is not there for readers, and is completed by repeating it. */
async function verifyUnfinished(
  app: App,
  dir: string,
  expected: Expected,
  problems: string[],
  quick: boolean,
): Promise<void> {
  const status = quick ? null : cfs(app, dir, ['status']);
  if (status !== null && status.status !== 3)
    problems.push(`cfs status: exit ${status.status}, not 3: ${status.stderr}`);
  const again = cfs(app, dir, expected.args, expected.input);
  if (again.status !== 0) problems.push(`repeating it: exit ${again.status}: ${again.stderr}`);
  else if ((await stateOf(dir)) !== expected.new) problems.push('repeating it does not give the new state');
}

async function verifyUsable(app: App, dir: string, state: State, problems: string[], quick: boolean): Promise<void> {
  if (quick) {
    for (const { message } of checkStore((await openCluster({ dir })).store).problems) problems.push(message);
  } else {
    const check = cfs(app, dir, ['db', 'check', '--json']);
    if (check.status !== 0) problems.push(`db check: exit ${check.status}: ${check.stderr.slice(0, 500)}`);
  }
  const name = Object.keys(state.tables.volumes!)[0]!;
  const next = cfs(app, dir, ['volume', 'set', name, '--weight', String(WEIGHT)]);
  if (next.status !== 0) {
    problems.push(`the next commit: exit ${next.status}: ${next.stderr.slice(0, 500)}`);
    return;
  }
  if (next.ms > AT_ONCE_MS) problems.push(`the next commit waited ${Math.round(next.ms)} ms`);
  (state.tables.volumes![name] as { weight: number }).weight = WEIGHT;
  const wanted = JSON.stringify({ ...state, generation: state.generation + 1 });
  try {
    if ((await stateOf(dir)) !== wanted) problems.push('the next commit does not give the state that it should');
    const { store } = await openCluster({ dir });
    await compactStore(store, { info: { operation: 'db.compact' }, keep: 1_000_000 });
    const report = checkStore(store);
    for (const problem of report.problems) problems.push(`after a collection: ${problem.message}`);
    // Temporary names of lock.owner, cluster.json and the probe are kept for an hour.
    const left = report.leftovers.filter((file) => path.dirname(file) !== dir);
    if (left.length > 0) problems.push(`after a collection is left: ${left.slice(0, 5).join(', ')}`);
  } catch (error) {
    problems.push(`after the next commit: ${(error as Error).message}`);
  }
}
