/** The remaining tests of two nodes: locks, notification, files removed while open, replacing under a reader, clocks. */
import { promises as fs } from 'node:fs';
import type { LockTest, Measurements, Renames } from '../core/doctor/measurements.js';
import { listenFor, round } from './doctor-alone.js';
import { type LockKind, lockAnswer, type Try, tryLock } from './doctor-locks.js';
import { errnoOf, type Meeting, pause } from './doctor-meeting.js';

/** The first takes the lock, the second tries; the first lets go, the second tries again. */
export async function lockTogether(meeting: Meeting, kind: LockKind): Promise<LockTest> {
  const file = meeting.path('locks', kind);
  const word = (what: string) => `lock.${kind}.${what}`;
  if (meeting.side === 'first') {
    await fs.writeFile(file, '', { flag: 'wx' });
    const mine = await tryLock(kind, file);
    try {
      const second = await meeting
        .turn<Try['got']>(word('taken'), mine.got)
        .then(() => meeting.hear<Try['got']>(word('tried')));
      await mine.release();
      await meeting.say(word('released'));
      const afterRelease = await meeting.hear<boolean | null>(word('again'));
      return { answer: lockAnswer(mine.got, second), afterRelease };
    } finally {
      await mine.release();
    }
  }
  const first = (await meeting.turn<Try['got']>(word('taken'))) as Try['got'];
  const mine = first === 'held' ? await tryLock(kind, file) : { got: first, release: async () => {} };
  await mine.release();
  await meeting.say(word('tried'), mine.got);
  await meeting.hear(word('released'));
  const afterRelease = mine.got === 'refused' ? await getsSoon(meeting, kind, file) : null;
  await meeting.say(word('again'), afterRelease);
  return { answer: lockAnswer(first, mine.got), afterRelease };
}

async function getsSoon(meeting: Meeting, kind: LockKind, file: string): Promise<boolean> {
  const got = await meeting.until(async () => {
    const again = await tryLock(kind, file);
    await again.release();
    return again.got === 'held' ? true : undefined;
  }, 2_000);
  return got === true;
}

/** Two processes of one node. */
export async function lockAlone(file: string, kind: LockKind): Promise<LockTest> {
  await fs.writeFile(file, '', { flag: 'wx' });
  const first = await tryLock(kind, file);
  const second = first.got === 'held' ? await tryLock(kind, file) : first;
  await second.release();
  await first.release();
  const again = second.got === 'refused' ? await tryLock(kind, file) : null;
  await again?.release();
  return { answer: lockAnswer(first.got, second.got), afterRelease: again === null ? null : again.got === 'held' };
}

/** Whether the second is notified of names that the first makes. */
export async function notifyTogether(meeting: Meeting): Promise<boolean> {
  const directory = meeting.path('notify');
  if (meeting.side === 'first') {
    await meeting.turn('notify.listening');
    for (let i = 0; i < 5; i++) {
      await fs.writeFile(meeting.path('notify', `name${i}`), '', { flag: 'wx' });
      await pause(40);
    }
    return meeting.turn<boolean>('notify.over');
  }
  const heard = await listenFor(directory, (name) => name.startsWith('name'));
  await meeting.turn('notify.listening');
  const notified = await heard.within(1_000);
  await meeting.turn('notify.over', notified);
  return notified;
}

const BIG = 2 * 1024 * 1024;

/** The first has a file open, the second removes it; the first reads its end, which no cache has. */
export async function removeTogether(meeting: Meeting): Promise<string> {
  const file = meeting.path('removed', 'other');
  if (meeting.side === 'second') {
    await meeting.turn('removed.open');
    await fs.unlink(file);
    return meeting.turn<string>('removed.done');
  }
  await fs.writeFile(file, Buffer.alloc(BIG, 'x'));
  const handle = await fs.open(file, 'r');
  try {
    await handle.read(Buffer.alloc(1), 0, 1, 0);
    await meeting.turn('removed.open');
    await meeting.hear('removed.done');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, BIG - 1);
    const read = bytesRead === 1 && buffer.toString() === 'x' ? 'readable' : 'changed';
    await meeting.say('removed.done', read);
    return read;
  } catch (error) {
    const errno = errnoOf(error);
    if (!(error instanceof Error) || errno === 'error') throw error;
    await meeting.say('removed.done', errno);
    return errno;
  } finally {
    await handle.close().catch(() => {});
  }
}

const REPLACING_MS = 400;
const WHOLE = 4_000;

/** The first replaces a file again and again, the second reads it. */
export async function replaceTogether(meeting: Meeting): Promise<Renames> {
  const file = meeting.path('replaced', 'file');
  if (meeting.side === 'first') {
    const replace = async (k: number) => {
      await fs.writeFile(`${file}.tmp`, String(k % 10).repeat(WHOLE));
      await fs.rename(`${file}.tmp`, file);
    };
    await replace(0);
    await meeting.turn('replaced.begin');
    let replacements = 0;
    for (const end = performance.now() + REPLACING_MS; performance.now() < end; ) await replace(++replacements);
    return { ...(await meeting.turn<Renames>('replaced.over', replacements)), replacements };
  }
  await meeting.turn('replaced.begin');
  const seen = await readWhileReplaced(file, performance.now() + REPLACING_MS);
  const replacements = await meeting.turn<number>('replaced.over', seen);
  return { ...seen, replacements };
}

async function readWhileReplaced(file: string, end: number): Promise<Renames> {
  const seen: Renames = { replacements: 0, reads: 0, missing: 0, torn: 0, errors: {} };
  while (performance.now() < end) {
    seen.reads++;
    try {
      const text = await fs.readFile(file, 'utf8');
      if (text.length !== WHOLE || text !== text[0]!.repeat(WHOLE)) seen.torn++;
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ENOENT') seen.missing++;
      else seen.errors[errno] = (seen.errors[errno] ?? 0) + 1;
    }
  }
  return seen;
}

/** One node reads while it replaces, in threads of its own. */
export async function replaceAlone(file: string): Promise<Renames> {
  const replace = async (k: number) => {
    await fs.writeFile(`${file}.tmp`, String(k % 10).repeat(WHOLE));
    await fs.rename(`${file}.tmp`, file);
  };
  await replace(0);
  const end = performance.now() + REPLACING_MS;
  const reading = readWhileReplaced(file, end);
  let replacements = 0;
  while (performance.now() < end) await replace(++replacements);
  return { ...(await reading), replacements };
}

/** The second's wall clock less the first's, from the quickest of several questions. */
export async function compareClocks(meeting: Meeting): Promise<Measurements['clock']> {
  let best: { offsetMs: number; errorMs: number } | null = null;
  for (let k = 0; k < 8; k++) {
    if (meeting.side === 'second') {
      await meeting.hear(`clock.${k}`);
      await meeting.say(`clock.${k}`, Date.now());
      continue;
    }
    const [wall, began] = [Date.now(), performance.now()];
    await meeting.say(`clock.${k}`);
    const theirs = await meeting.hear<number>(`clock.${k}`);
    const errorMs = (performance.now() - began) / 2;
    if (best === null || errorMs < best.errorMs)
      best = { offsetMs: round(theirs - (wall + errorMs)), errorMs: round(errorMs) };
  }
  return best;
}
