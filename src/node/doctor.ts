/**
 * Tests a directory, from two nodes or by one alone, and gives what was measured. Everything happens in a directory of its own,
 * DIRECTORY/.cfs-doctor-CODE, which goes away at the end, also after Ctrl-C or when the other node is gone.
 */
import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import type { Measurements, NodeFacts } from '../core/doctor/measurements.js';
import { CfsError } from '../core/errors.js';
import { errnoTests, freeSpace, hardLinks, nameTests, nodeFacts, openUnlinked } from './doctor-alone.js';
import { directoryHangs, errnoOf, Meeting, pause, within } from './doctor-meeting.js';
import { RACES, raceAlone, raceTogether } from './doctor-races.js';
import { measureSight, SIGHTS } from './doctor-sight.js';
import {
  compareClocks,
  lockAlone,
  lockTogether,
  notifyTogether,
  removeTogether,
  replaceAlone,
  replaceTogether,
} from './doctor-together.js';

const PREFIX = '.cfs-doctor-';
const DIRECTORIES = ['races', 'locks', 'notify', 'removed', 'replaced', ...SIGHTS.map((sight) => `sight-${sight}`)];

/** No single test takes longer than this, ms: a call hangs in the file system. */
const STEP_MS = 120_000;
/** How long a clean-up may take before what is left is named instead, ms: hundreds of files, at 30 ms each on a busy GlusterFS. */
const CLEAN_MS = 60_000;
/** And where the directory did not answer, ms. */
const CLEAN_HUNG_MS = 5_000;

export interface DoctorOptions {
  directory: string;
  signal: AbortSignal;
  /** Told what is being tested now. */
  progress: (text: string) => void;
  /** Told what could not be removed. */
  leftover: (paths: string[]) => void;
}

/** Directories of former tests that nobody cleaned up, perhaps of one that is running. */
export async function formerTests(directory: string): Promise<string[]> {
  const names = await fs.readdir(directory).catch(() => []);
  return names.filter((name) => name.startsWith(PREFIX)).map((name) => join(directory, name));
}

/** Runs steps by name; one that hangs or is interrupted is left where it is. */
class Steps {
  readonly meeting: Meeting;
  private isHung = false;

  constructor(
    readonly options: DoctorOptions,
    code: string,
    side: 'first' | 'second',
  ) {
    this.meeting = new Meeting(join(options.directory, PREFIX + code), side, options.signal);
  }

  async run<T>(text: string, step: () => Promise<T>, limitMs = STEP_MS): Promise<T> {
    const { signal, progress } = this.options;
    this.meeting.doing = text;
    progress(text);
    return within(signal, limitMs, step, () => this.hangs(text, limitMs));
  }

  private hangs(text: string, limitMs: number): CfsError {
    this.isHung = true;
    return directoryHangs(this.options.directory, text, limitMs);
  }

  /** Whatever happened: the other is told, the directory goes away, and what stays is named. */
  async end(error: unknown, removes: boolean): Promise<void> {
    const { meeting, options } = this;
    const clean = async (): Promise<string[]> => {
      const why = error instanceof Error ? error.message : error === undefined ? undefined : String(error);
      if (why !== undefined) await meeting.say('quit', why).catch(() => {});
      if (why !== undefined && !removes) await pause(1_000);
      return removes ? meeting.remove() : [];
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string[]>((resolve) => {
      timer = setTimeout(() => resolve([meeting.root]), this.isHung ? CLEAN_HUNG_MS : CLEAN_MS);
    });
    options.progress('cleaning up');
    const left = await Promise.race([clean().catch(() => [meeting.root]), late]);
    clearTimeout(timer);
    if (left.length > 0) options.leftover(left);
  }
}

/**
 * The first node: makes the test's directory, waits for the second, tests with it.
 * @param invited told the code that the second joins with
 * @param timeoutMs how long to wait for the second
 * @throws CfsError WAIT_TIMEOUT when no second comes, it is gone, or the directory hangs; ACCESS_DENIED, NO_SPACE …
 */
export async function examineAsFirst(
  options: DoctorOptions,
  timeoutMs: number,
  invited: (code: string) => void,
): Promise<Measurements> {
  const code = randomBytes(4).toString('hex');
  const steps = new Steps(options, code, 'first');
  const { meeting } = steps;
  let failure: unknown;
  try {
    await steps.run('making a directory', () => meeting.open(DIRECTORIES), 30_000);
    invited(code);
    await steps.run('waiting for the other node', () => waitForSecond(meeting, timeoutMs), timeoutMs + STEP_MS);
    return await together(steps);
  } catch (error) {
    failure = error;
    throw readable(error, options.directory);
  } finally {
    await steps.end(failure, true);
  }
}

async function waitForSecond(meeting: Meeting, timeoutMs: number): Promise<void> {
  try {
    await meeting.hear('here', timeoutMs);
  } catch (error) {
    if (!(error instanceof CfsError) || error.code !== 'WAIT_TIMEOUT' || hasSaidSo(error)) throw error;
    throw new CfsError('WAIT_TIMEOUT', `No other node joined within ${timeoutMs / 1000} s`, {
      hint: 'Run the command it printed on another node, give more --timeout, or test what one node can with --alone.',
    });
  }
  await meeting.say('here');
}

/**
 * The second node. @throws CfsError FILE_NOT_FOUND when there is no test of that code here; else as the first
 */
export async function examineAsSecond(options: DoctorOptions, code: string): Promise<Measurements> {
  const steps = new Steps(options, code, 'second');
  const { meeting } = steps;
  let failure: unknown;
  try {
    await steps.run('joining', () => joinTest(meeting, options.directory, code));
    return await together(steps);
  } catch (error) {
    failure = error;
    throw readable(error, options.directory);
  } finally {
    await steps.end(failure, isAbandoned(failure));
  }
}

async function joinTest(meeting: Meeting, directory: string, code: string): Promise<void> {
  const found = await meeting.until(
    () =>
      fs.stat(meeting.path('turns')).then(
        () => true,
        () => undefined,
      ),
    3_000,
  );
  if (found === undefined) {
    throw new CfsError('FILE_NOT_FOUND', `There is no test ${code} in ${directory}`, {
      hint: 'Either the first node has ended, or this is not the same directory on both nodes. Begin anew on the first.',
    });
  }
  await meeting.turn('here');
}

/** The second removes the directory only when the first is gone without a word. */
function isAbandoned(failure: unknown): boolean {
  return failure instanceof CfsError && failure.code === 'WAIT_TIMEOUT' && !hasSaidSo(failure);
}

/** Whether the other node ended with a word. */
function hasSaidSo(error: CfsError): boolean {
  return error.details?.otherEnded === true;
}

function readable(error: unknown, directory: string): unknown {
  if (error instanceof CfsError) return error;
  const errno = errnoOf(error);
  if (errno === 'error') return error;
  const kinds = {
    EACCES: 'ACCESS_DENIED',
    EPERM: 'ACCESS_DENIED',
    ENOSPC: 'NO_SPACE',
    EROFS: 'READ_ONLY',
    ENOENT: 'FILE_NOT_FOUND',
  } as const;
  const code = kinds[errno as keyof typeof kinds] ?? 'IO_ERROR';
  return new CfsError(code, `${directory} cannot be tested: ${(error as Error).message}`, { errno, cause: error });
}

/** All tests of two nodes, in the same order on both. */
async function together(steps: Steps): Promise<Measurements> {
  const { meeting, options } = steps;
  const isFirst = meeting.side === 'first';
  const races = {} as Measurements['races'];
  for (const kind of RACES)
    races[kind] = await steps.run(`racing for names by ${kind}`, () => raceTogether(meeting, kind));
  const visible = {} as NonNullable<Measurements['visible']>;
  for (const sight of SIGHTS)
    visible[sight] = await steps.run(`seeing what is ${sight}`, () => measureSight(meeting, sight));
  const flock = await steps.run('flock', () => lockTogether(meeting, 'flock'));
  const fcntl = await steps.run('fcntl locks', () => lockTogether(meeting, 'fcntl'));
  const inotifyOther = await steps.run('notification', () => notifyTogether(meeting));
  const other = await steps.run('removing an open file', () => removeTogether(meeting));
  const renames = await steps.run('replacing under a reader', () => replaceTogether(meeting));
  const clock = await steps.run('comparing clocks', () => compareClocks(meeting));
  const nodes = await steps.run('timing calls', () => bothFacts(meeting, options.directory));
  if (!isFirst) {
    const measured = await steps.run('waiting for the rest', () => meeting.hear<Measurements>('result'));
    await meeting.say('done');
    return measured;
  }
  const rest = await steps.run('names, links and errors', () => aloneRest(meeting, options.directory));
  const measured: Measurements = {
    directory: options.directory,
    mode: 'two',
    sameMachine: nodes[0]!.bootId === nodes[1]!.bootId,
    nodes,
    races,
    visible,
    locks: { flock, fcntl },
    inotifyOther,
    ...rest,
    openUnlinked: { ...rest.openUnlinked, other },
    renames,
    clock,
  };
  await meeting.say('result', measured);
  // Who does not say so has at least been given the result.
  await meeting.hear('done', 3_000).catch(() => {});
  return measured;
}

/** One after the other, so that neither disturbs the other's times. */
async function bothFacts(meeting: Meeting, directory: string): Promise<NodeFacts[]> {
  const mine = () => nodeFacts(directory, meeting.path(`own-${meeting.side}`));
  if (meeting.side === 'first') {
    const facts = await mine();
    return [facts, await meeting.turn<NodeFacts>('facts', facts)];
  }
  const theirs = await meeting.hear<NodeFacts>('facts');
  const facts = await mine();
  await meeting.say('facts', facts);
  return [theirs, facts];
}

async function aloneRest(meeting: Meeting, directory: string) {
  return {
    hardLinks: await hardLinks(meeting.path('links')),
    openUnlinked: { ...(await openUnlinked(meeting.path('unlinked'))), other: null },
    names: await nameTests(meeting.path('names')),
    errnos: await errnoTests(meeting.path('errno')),
    space: await freeSpace(directory),
  };
}

/** What one node can test without another. @throws CfsError as examineAsFirst */
export async function examineAlone(options: DoctorOptions): Promise<Measurements> {
  const steps = new Steps(options, randomBytes(4).toString('hex'), 'first');
  const { meeting } = steps;
  let failure: unknown;
  try {
    await steps.run('making a directory', () => meeting.open(DIRECTORIES), 30_000);
    const races = {} as Measurements['races'];
    for (const kind of RACES)
      races[kind] = await steps.run(`racing for names by ${kind}`, () => raceAlone(meeting.path('races'), kind));
    const flock = await steps.run('flock', () => lockAlone(meeting.path('locks', 'flock'), 'flock'));
    const fcntl = await steps.run('fcntl locks', () => lockAlone(meeting.path('locks', 'fcntl'), 'fcntl'));
    const renames = await steps.run('replacing under a reader', () => replaceAlone(meeting.path('replaced', 'file')));
    const facts = await steps.run('timing calls', () => nodeFacts(options.directory, meeting.path('own')));
    const rest = await steps.run('names, links and errors', () => aloneRest(meeting, options.directory));
    return {
      directory: options.directory,
      mode: 'alone',
      sameMachine: true,
      nodes: [facts],
      races,
      visible: null,
      locks: { flock, fcntl },
      inotifyOther: null,
      ...rest,
      renames,
      clock: null,
    };
  } catch (error) {
    failure = error;
    throw readable(error, options.directory);
  } finally {
    await steps.end(failure, true);
  }
}
