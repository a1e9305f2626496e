/** What one node can test in a directory without any other: src/core/doctor/measurements.ts says what each result means. */
import { promises as fs, watch } from 'node:fs';
import { join } from 'node:path';
import type { ErrnoTest, Measurements, NodeFacts, Timed } from '../core/doctor/measurements.js';
import { mountOf, parseMountinfo } from '../core/doctor/mount.js';
import { NETWORK_KEYS, type NetworkSettings } from '../core/doctor/network.js';
import { errnoOf, pause } from './doctor-meeting.js';
import { nodePlatform } from './platform.js';

/** As many links to one file as are tried; cfs needs 3, GlusterFS allows 100. */
const MOST_LINKS = 150;

function timing(samples: number[]): { count: number; p50Ms: number; maxMs: number } {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    count: sorted.length,
    p50Ms: round(sorted[Math.floor(sorted.length / 2)] ?? 0),
    maxMs: round(sorted.at(-1) ?? 0),
  };
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Times a call many times over; its first failure ends it. */
async function timed(count: number, call: (i: number) => Promise<unknown>): Promise<Timed> {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    try {
      await call(i);
    } catch (error) {
      return { refused: errnoOf(error) };
    }
    samples.push(performance.now() - began);
  }
  return timing(samples);
}

async function readNumber(path: string): Promise<number | null> {
  try {
    return Number.parseInt(await fs.readFile(path, 'utf8'), 10);
  } catch {
    return null;
  }
}

async function networkSettings(): Promise<NetworkSettings | null> {
  const settings: Partial<NetworkSettings> = {};
  for (const key of NETWORK_KEYS) {
    const value = await readNumber(`/proc/sys/net/ipv4/conf/all/${key}`);
    if (value === null) return null;
    settings[key] = value;
  }
  return settings as NetworkSettings;
}

/** Everything that a node says of itself and of its own calls. @param at a directory for this node alone, made here */
export async function nodeFacts(directory: string, at: string): Promise<NodeFacts> {
  await fs.mkdir(at, { mode: 0o700 });
  const { processes } = nodePlatform();
  const mounts = parseMountinfo(await fs.readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
  const file = join(at, 'file');
  const wallBefore = Date.now();
  await fs.writeFile(file, 'cfs doctor\n', { mode: 0o600, flag: 'wx' });
  const wallAfter = Date.now();
  const stat = await fs.stat(file);
  const handle = await fs.open(file, 'r+');
  const directoryHandle = await fs.open(at, 'r');
  try {
    return {
      host: processes.host(),
      bootId: processes.bootId(),
      mount: mountOf(mounts, directory),
      network: await networkSettings(),
      uid: processes.uid ?? 0,
      fileOwner: stat.uid,
      fileMode: stat.mode & 0o7777,
      link: await timed(50, (i) => fs.link(file, join(at, `link${i}`)).then(() => fs.unlink(join(at, `link${i}`)))),
      fsyncFile: await timed(20, async (i) => {
        await handle.write(`${i}\n`, 0);
        await handle.sync();
      }),
      fsyncDirectory: await timed(20, async (i) => {
        await fs.writeFile(join(at, `name${i}`), '', { flag: 'wx' });
        await directoryHandle.sync();
      }),
      // A whole second at least where the file system keeps no smaller times.
      serverClockMs: Math.round(stat.mtimeMs - (wallBefore + wallAfter) / 2),
      inotifyOwn: await ownNotification(at),
    };
  } finally {
    await handle.close().catch(() => {});
    await directoryHandle.close().catch(() => {});
  }
}

async function ownNotification(at: string): Promise<boolean> {
  const name = 'noticed';
  const heard = await listenFor(at, (seen) => seen === name);
  await fs.writeFile(join(at, name), '', { flag: 'wx' });
  return heard.within(500);
}

/** Listens for names in a directory (inotify). Never fails: where it cannot listen it hears nothing. */
export async function listenFor(
  directory: string,
  wanted: (name: string) => boolean,
): Promise<{ within: (ms: number) => Promise<boolean> }> {
  let heard = false;
  let close = () => {};
  try {
    const watcher = watch(directory, { persistent: false }, (_event, name) => {
      if (name !== null && wanted(name)) heard = true;
    });
    watcher.on('error', () => watcher.close());
    close = () => watcher.close();
  } catch {
    // No inotify at all.
  }
  return {
    within: async (ms) => {
      const end = performance.now() + ms;
      while (!heard && performance.now() < end) await pause(5);
      close();
      return heard;
    },
  };
}

async function outcome(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return 'done';
  } catch (error) {
    return errnoOf(error);
  }
}

/** Calls that must fail, and with which errno. Those with EEXIST are what cfs decides by. */
export async function errnoTests(at: string): Promise<ErrnoTest[]> {
  const [file, directory] = [join(at, 'here'), join(at, 'full')];
  await fs.mkdir(at, { mode: 0o700 });
  await fs.writeFile(file, 'x');
  await fs.mkdir(directory);
  await fs.writeFile(join(directory, 'x'), '');
  const calls: [string, string, () => Promise<unknown>][] = [
    ['link to a name that is there', 'EEXIST', () => fs.link(file, join(directory, 'x'))],
    ['exclusive create of a name that is there', 'EEXIST', () => fs.open(file, 'wx').then((handle) => handle.close())],
    ['mkdir of a name that is there', 'EEXIST', () => fs.mkdir(directory)],
    ['link to a missing file', 'ENOENT', () => fs.link(join(at, 'none'), join(at, 'new'))],
    ['open of a missing file', 'ENOENT', () => fs.readFile(join(at, 'none'))],
    ['unlink of a missing file', 'ENOENT', () => fs.unlink(join(at, 'none'))],
    ['rmdir of a directory that is not empty', 'ENOTEMPTY', () => fs.rmdir(directory)],
  ];
  const tests: ErrnoTest[] = [];
  for (const [call, expected, attempt] of calls) tests.push({ call, expected, got: await outcome(attempt) });
  return tests;
}

export async function hardLinks(at: string): Promise<Measurements['hardLinks']> {
  await fs.mkdir(at, { mode: 0o700 });
  const file = join(at, 'file');
  await fs.writeFile(file, '');
  for (let made = 0; made < MOST_LINKS; made++) {
    const error = await outcome(() => fs.link(file, join(at, `link${made}`)));
    if (error !== 'done') return { made, tried: MOST_LINKS, error };
  }
  return { made: MOST_LINKS, tried: MOST_LINKS, error: null };
}

/** Whether names come back as they were given: 255 bytes, and letters in both of their forms. */
export async function nameTests(at: string): Promise<Measurements['names']> {
  await fs.mkdir(at, { mode: 0o700 });
  await fs.writeFile(join(at, 'Case'), '');
  const kept = async (names: string[]): Promise<string> => {
    for (const name of names) {
      const error = await outcome(() => fs.writeFile(join(at, name), '', { flag: 'wx' }));
      if (error !== 'done') return error;
    }
    const listed = new Set(await fs.readdir(at));
    return names.every((name) => listed.has(name)) ? 'kept' : 'changed';
  };
  return {
    caseSensitive: (await outcome(() => fs.stat(join(at, 'case')))) === 'ENOENT',
    bytes255: await kept(['n'.repeat(255)]),
    // One letter in two forms (NFC and NFD), which must stay two names, and one beyond the 16-bit range.
    utf8: await kept(['\u00e9', 'e\u0301', '節点', '\u{1f5c4}']),
  };
}

export async function openUnlinked(at: string): Promise<{ own: string; hiddenName: boolean }> {
  await fs.mkdir(at, { mode: 0o700 });
  const file = join(at, 'file');
  await fs.writeFile(file, 'still here');
  const handle = await fs.open(file, 'r');
  try {
    await fs.unlink(file);
    const hiddenName = (await fs.readdir(at)).length > 0;
    const error = await outcome(async () => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(10), 0, 10, 0);
      if (buffer.toString('utf8', 0, bytesRead) !== 'still here')
        throw Object.assign(new Error('changed'), { code: 'changed' });
    });
    return { own: error === 'done' ? 'readable' : error, hiddenName };
  } finally {
    await handle.close().catch(() => {});
  }
}

export async function freeSpace(directory: string): Promise<Measurements['space']> {
  const { bavail, bsize, ffree, files } = await fs.statfs(directory);
  // Some network file systems do not count files and say 0.
  return { freeBytes: bavail * bsize, freeFiles: files > 0 ? ffree : null };
}
