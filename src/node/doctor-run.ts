/** `cfs doctor` in one of its forms: Ctrl-C, the second side as a child for a trial, and the command for the second node. */
import { spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import { resolve } from 'node:path';
import type { Measurements } from '../core/doctor/measurements.js';
import { CfsError } from '../core/errors.js';
import { type DoctorOptions, examineAlone, examineAsFirst, examineAsSecond, formerTests } from './doctor.js';
import { directoryHangs, errnoOf, within } from './doctor-meeting.js';

export interface RunOptions extends Omit<DoctorOptions, 'signal'> {
  /** As given on the command line. */
  directory: string;
  timeoutMs: number;
  mode: 'alone' | 'first' | 'local-peer' | { join: string };
  /** Told the command for the second node. */
  invited: (command: string) => void;
}

/** A directory that does not even tell what it is for so long hangs, ms. */
const LOOK_MS = 20_000;

/**
 * Tests a directory. What came of it is said in time even where the directory hangs; the kernel then keeps the
 * process itself until the directory answers.
 * @throws CfsError FILE_NOT_FOUND, ACCESS_DENIED, WAIT_TIMEOUT, INTERRUPTED …
 */
export async function examine(options: RunOptions): Promise<Measurements> {
  const controller = new AbortController();
  const interrupt = (signal: NodeJS.Signals) =>
    controller.abort(
      new CfsError('INTERRUPTED', `Interrupted by ${signal}`, { hint: 'What was not removed is named above.' }),
    );
  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const look = <T>(step: () => Promise<T>) =>
      within(controller.signal, LOOK_MS, step, () => directoryHangs(options.directory, 'looking at it', LOOK_MS));
    const directory = await look(() => realDirectory(options.directory));
    const tested: DoctorOptions = { ...options, directory, signal: controller.signal };
    if (options.mode === 'alone') return await examineAlone(tested);
    if (typeof options.mode === 'object') return await examineAsSecond(tested, options.mode.join);
    const former = await look(() => formerTests(directory));
    if (former.length > 0) options.leftover(former);
    return await examineAsFirst(tested, options.timeoutMs, (code) => {
      options.invited(`cfs doctor ${shellWord(directory)} --join ${code}`);
      if (options.mode === 'local-peer') startPeer(directory, code, controller);
    });
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

async function realDirectory(given: string): Promise<string> {
  const path = resolve(given);
  try {
    const real = await fs.realpath(path);
    if ((await fs.stat(real)).isDirectory()) return real;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR')
      throw new CfsError(
        errno === 'EACCES' ? 'ACCESS_DENIED' : 'IO_ERROR',
        `${path} cannot be tested: ${(error as Error).message}`,
        {
          errno,
          cause: error,
        },
      );
  }
  throw new CfsError('FILE_NOT_FOUND', `There is no directory ${path}`, {
    hint: 'Name one that exists on both nodes.',
  });
}

/** A child that joins; its failure is ours. It hears Ctrl-C with us. */
function startPeer(directory: string, code: string, controller: AbortController): void {
  const args = [process.argv[1]!, 'doctor', directory, '--join', code, '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  child.on('error', (error) => controller.abort(error));
  child.on('close', (status) => {
    // 4 is a verdict like 0.
    if (status !== 0 && status !== 4)
      controller.abort(
        new CfsError('IO_ERROR', `The second side failed: ${text.trim().slice(0, 500) || `exit ${status}`}`),
      );
  });
}

/** A path as a shell takes it. */
export function shellWord(text: string): string {
  return /^[\w/.,:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
