/**
 * Standard output and standard error without streams: process.stdout alone costs more start-up time than a whole list.
 * Writes are synchronous and complete: partial writes go on, a full pipe waits, a closed pipe ends the process quietly.
 */
import { fstatSync, writeSync } from 'node:fs';
import { CfsError } from '../core/errors.js';

export const STDOUT = 1;
export const STDERR = 2;

/** Writes everything. A reader that went away (EPIPE) ends the process with the status decided so far. */
export function writeAll(fd: number, text: string): void {
  let rest: Uint8Array = Buffer.from(text, 'utf8');
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EAGAIN' || code === 'EINTR') {
        // A pipe in non-blocking mode that is full: nothing to do but to let the reader read.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
        continue;
      }
      if (code === 'EPIPE') process.exit();
      // Nobody can be told when standard error itself is broken.
      if (fd === STDERR) return;
      throw new CfsError('IO_ERROR', `Cannot write to standard output: ${code ?? String(error)}`, {
        ...(code === undefined ? {} : { errno: code }),
        hint: 'Check where the output goes (a full disk?); what the command did is not undone.',
        cause: error,
      });
    }
  }
}

export function writeOut(text: string): void {
  writeAll(STDOUT, text);
}

export function writeErr(text: string): void {
  writeAll(STDERR, text);
}

/** The device /dev/null: major 1, minor 3. A character device, but never a terminal. */
const NULL_DEVICE = 0x103;

/**
 * Whether a file descriptor is a terminal: 0 input, 1 output, 2 error. Files and pipes are told by fstat alone; the module
 * that knows terminals brings streams and sockets with it, a tenth of a start.
 */
export function isTerminal(fd: number): boolean {
  try {
    const status = fstatSync(fd);
    if (!status.isCharacterDevice() || status.rdev === NULL_DEVICE) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule('node:tty').isatty(fd);
}

/** Columns of the terminal on standard output; unlimited when it is none. */
export function outputWidth(): number {
  if (!isTerminal(STDOUT)) return Number.POSITIVE_INFINITY;
  return process.stdout.columns || 80;
}

/** Lines of the terminal on standard output; unlimited when it is none. */
export function outputHeight(): number {
  if (!isTerminal(STDOUT)) return Number.POSITIVE_INFINITY;
  return process.stdout.rows || 24;
}

/** Whether colours may be used: only on a terminal, never with NO_COLOR, never on a dumb terminal. */
export function colourWanted(fd: number): boolean {
  return !process.env.NO_COLOR && process.env.TERM !== 'dumb' && isTerminal(fd);
}
