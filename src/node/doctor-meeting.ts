/**
 * How two nodes meet in the directory that they test: by files with new names, `SIDE.WORD`, each written once and renamed into
 * place, so that a name is there with its content or not at all. All calls are asynchronous: one that hangs in the file system
 * must not keep this process from hearing Ctrl-C or from seeing that time is over.
 */
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { CfsError } from '../core/errors.js';

/** The first made the directory, the second joined it. `none`: a test by one node alone. */
export type Side = 'first' | 'second';

/** Numbers of Linux that Node has no name for. */
const UNNAMED: Record<number, string> = { [-116]: 'ESTALE', [-117]: 'EUCLEAN', [-122]: 'EDQUOT' };

/** The errno name of a failed call, `error` where it is none. A call and its close may both have failed: then the first. */
export function errnoOf(error: unknown): string {
  if (error instanceof AggregateError) return errnoOf(error.errors[0]);
  const { code, errno } = (error ?? {}) as NodeJS.ErrnoException;
  if (typeof errno === 'number' && UNNAMED[errno] !== undefined) return UNNAMED[errno];
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : 'error';
}

/** A cache that does not know a name yet, or knows one that is gone: look again. */
export function isNotYet(error: unknown): boolean {
  return ['ENOENT', 'ESTALE', 'EAGAIN'].includes(errnoOf(error));
}

/** Nothing between two nodes takes longer than this, ms, unless one is gone. NFS by default keeps a listing for up to 60 s. */
const TURN_MS = 90_000;

export class Meeting {
  readonly other: Side;
  /** What is being tested, for messages. */
  doing = 'waiting for the other node';

  /**
   * @param root the test's own directory
   * @param signal aborted by Ctrl-C
   */
  constructor(
    readonly root: string,
    readonly side: Side,
    readonly signal: AbortSignal,
  ) {
    this.other = side === 'first' ? 'second' : 'first';
  }

  path(...parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Makes everything that both need. By the first, before it says so to anybody. */
  async open(directories: readonly string[]): Promise<void> {
    await fs.mkdir(this.root, { mode: 0o700 });
    for (const name of ['turns', ...directories]) await fs.mkdir(this.path(name), { mode: 0o700 });
  }

  /** Writes a file that appears whole under a new name. */
  async publish(path: string, content: string): Promise<void> {
    const temporary = `${path}.${this.side}.tmp`;
    await fs.writeFile(temporary, content, { flag: 'wx' });
    await fs.rename(temporary, path);
  }

  async say(word: string, data: unknown = null): Promise<void> {
    await this.publish(this.path('turns', `${this.side}.${word}`), JSON.stringify({ data }));
  }

  /** What the other said. @throws CfsError WAIT_TIMEOUT when it is gone, INTERRUPTED */
  async hear<T>(word: string, limitMs = TURN_MS): Promise<T> {
    const name = `${this.other}.${word}`;
    let nudged = performance.now();
    const heard = await this.until(async () => {
      // By name first: some file systems keep a listing for long (sshfs: 20 s), others the absence of a name (NFS).
      const found = (await this.read<T>(name)) ?? (await this.listed<T>(name));
      if (found === undefined && performance.now() - nudged > 1_000) {
        nudged = performance.now();
        await this.nudge();
      }
      return found;
    }, limitMs);
    if (heard !== undefined) return heard.data;
    throw new CfsError(
      'WAIT_TIMEOUT',
      `The other node has not answered for ${limitMs / 1000} s, during "${this.doing}"`,
      {
        hint: 'See whether it still runs, and whether it sees this directory; then begin anew on both nodes.',
        details: { test: this.doing },
      },
    );
  }

  /** Says a word and waits for the other's: both go on together. */
  async turn<Theirs = null>(word: string, data: unknown = null): Promise<Theirs> {
    await this.say(word, data);
    return this.hear<Theirs>(word);
  }

  /** The same by listing, which also shows whether the other has ended. */
  private async listed<T>(name: string): Promise<{ data: T } | undefined> {
    let names: string[];
    try {
      names = await fs.readdir(this.path('turns'));
    } catch (error) {
      if (!isNotYet(error)) throw error;
      throw this.otherEnded('it removed the directory of the test');
    }
    if (names.includes(name)) return this.read<T>(name);
    if (names.includes(`${this.other}.quit`)) {
      throw this.otherEnded((await this.read<string>(`${this.other}.quit`))?.data ?? 'no reason given');
    }
    return undefined;
  }

  private otherEnded(why: string): CfsError {
    return new CfsError('WAIT_TIMEOUT', `The other node ended during "${this.doing}": ${why}`, {
      hint: 'Begin anew on both nodes.',
      details: { test: this.doing, otherEnded: true },
    });
  }

  /** A change of our own makes caches of the directory look at the server again. */
  private async nudge(): Promise<void> {
    const path = this.path('turns', `nudge.${this.side}`);
    await fs.mkdir(path).catch(() => {});
    await fs.rmdir(path).catch(() => {});
  }

  private async read<T>(name: string): Promise<{ data: T } | undefined> {
    try {
      return JSON.parse(await fs.readFile(this.path('turns', name), 'utf8')) as { data: T };
    } catch (error) {
      // A name that a cache lists already, or a content that it does not have yet.
      if (error instanceof SyntaxError || isNotYet(error)) return undefined;
      throw error;
    }
  }

  /**
   * Looks again and again, at first without pause: what is measured is milliseconds.
   * @returns what `probe` found, or undefined when the time is over
   */
  async until<T>(probe: () => Promise<T | undefined>, limitMs: number): Promise<T | undefined> {
    const began = performance.now();
    for (;;) {
      this.signal.throwIfAborted();
      const found = await probe();
      if (found !== undefined) return found;
      const waited = performance.now() - began;
      if (waited > limitMs) return undefined;
      await pause(waited < 200 ? 0 : waited < 2000 ? 2 : 20);
    }
  }

  /** Removes the test's directory. @returns names that could not be removed */
  async remove(): Promise<string[]> {
    for (let attempt = 0; attempt < 20; attempt++) {
      try {
        await fs.rm(this.root, { recursive: true, force: true });
        return [];
      } catch (error) {
        // Something is made there still (a test that is ending), or the file system hides an open file's name.
        if (!['ENOTEMPTY', 'EBUSY', 'ENOENT', 'EEXIST'].includes(errnoOf(error))) break;
        await pause(50);
      }
    }
    return [this.root];
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (ms === 0) setImmediate(resolve);
    else setTimeout(resolve, ms);
  });
}

/** Waits for a step no longer than until Ctrl-C or the limit; a call that hangs is left where it is. */
export async function within<T>(
  signal: AbortSignal,
  limitMs: number,
  step: () => Promise<T>,
  late: () => CfsError,
): Promise<T> {
  signal.throwIfAborted();
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const ended = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    timer = setTimeout(() => reject(late()), limitMs);
  });
  try {
    return await Promise.race([step(), ended]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

export function directoryHangs(directory: string, doing: string, limitMs: number): CfsError {
  return new CfsError('WAIT_TIMEOUT', `The directory ${directory} hangs, for ${limitMs / 1000} s in "${doing}"`, {
    hint: 'See whether its server answers; a process inside such a call may stay until it does.',
    details: { test: doing },
  });
}
