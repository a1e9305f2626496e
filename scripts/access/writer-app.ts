/**
 * The application of the soak, one process per client: asks for a volume, waits until its own mount is for writing, finds everything
 * there that former writers wrote, appends records with fsync, closes the file, and gives the volume up or keeps it until somebody
 * asks. It knows its right by its mount alone, as programs do: EROFS is the loss of it.
 *
 *     writer-app OPTIONS    (JSON: AppOptions)
 */
import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { releaseWrite } from '../../src/core/access/answers.js';
import { pendingRequest, writerOf } from '../../src/core/access/look.js';
import { endRequests, requestWrite } from '../../src/core/access/requests.js';
import { CfsError } from '../../src/core/errors.js';
import { type DirectoryCluster, openCluster } from '../../src/open.js';
import { monotonicMs } from '../lab/proc.js';
import { Ledger } from './ledger.js';
import { Seeded } from './seeded.js';
import { type AppOptions, DATA_FILE } from './writer-app-options.js';

const POLL_MS = 40;

const {
  dir,
  client,
  volumes,
  ledger: ledgerDir,
  seed,
  patienceMs,
  paceMs,
} = JSON.parse(process.argv[2]!) as AppOptions;
const random = new Seeded(seed);
let isEnding = false;
let records = 0;

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    isEnding = true;
  });
}

const ledgers = new Map(Object.keys(volumes).map((volume) => [volume, new Ledger(join(ledgerDir, `${volume}.jsonl`))]));

function isWritable(volume: string): boolean {
  try {
    accessSync(join(volumes[volume]!, DATA_FILE), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Polls until it holds, or patience is over. */
async function until(holds: () => boolean): Promise<boolean> {
  const end = monotonicMs() + patienceMs;
  while (!isEnding && monotonicMs() < end) {
    if (holds()) return true;
    await pause(POLL_MS);
  }
  return false;
}

/** Runs an operation that may be refused, as life goes on. */
async function tried<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CfsError) return null;
    throw error;
  }
}

/** @returns whether the volume is mounted for writing now */
async function obtain(cluster: DirectoryCluster, volume: string): Promise<boolean> {
  const asked = await tried(cluster.change(requestWrite, { volume, client, limitMs: 15_000 }));
  if (asked === null) return false;
  if (asked.value.response === 'pending') {
    const answered = await until(() => pendingRequest(cluster.snapshot(), volume, client) === undefined);
    if (!answered && asked.value.asked !== null && random.chance(0.7)) {
      const withdrawn = { volume, client, asked: asked.value.asked, why: 'waited long enough' };
      await tried(cluster.change(endRequests, { requests: [withdrawn], response: 'withdrawn' }));
    }
  }
  if (writerOf(cluster.snapshot(), volume).writer !== client) return false;
  await until(() => isWritable(volume) || writerOf(cluster.snapshot(), volume).writer !== client);
  return isWritable(volume);
}

/** One session of writing: open, verify, append, close. */
async function write(cluster: DirectoryCluster, volume: string): Promise<void> {
  let fd: number;
  try {
    fd = openSync(join(volumes[volume]!, DATA_FILE), 'r+');
  } catch (error) {
    // The right was lost before it was used.
    if (['EROFS', 'ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
    throw error;
  }
  const ledger = ledgers.get(volume)!;
  // The mount stays as it is while the file is open, and so does the right.
  const { writer, since: epoch } = writerOf(cluster.snapshot(), volume);
  try {
    const wrong = (says: string): void => ledger.add({ k: 'wrong', client, epoch, says: `${client}: ${says}` });
    if (writer !== client) {
      wrong(`${volume} is mounted for writing, and the tables name ${writer} (token ${epoch})`);
      return;
    }
    ledger.follow();
    const found = Buffer.alloc(fstatSync(fd).size);
    const count = readSync(fd, found, 0, found.length, 0);
    const why = ledger.whyNot(found.subarray(0, count));
    if (why !== null) {
      wrong(`${volume} under token ${epoch}: ${why}`);
      return;
    }
    // A record that somebody was killed over.
    if (count > ledger.end) ftruncateSync(fd, ledger.end);
    ledger.add({ k: 'opened', client, epoch, bytes: ledger.end });
    await append(fd, ledger, epoch, ledger.end);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EROFS') throw error;
  } finally {
    closeSync(fd);
    ledger.add({ k: 'closed', client, epoch });
  }
}

async function append(fd: number, ledger: Ledger, epoch: number, from: number): Promise<void> {
  let at = from;
  for (let left = random.whole(2, 12); left > 0 && !isEnding; left--) {
    const n = ++records;
    const text = `${client} ${process.pid} ${epoch} ${n} ${random.text(random.whole(20, 200))}\n`;
    ledger.add({ k: 'write', client, epoch, n: nameOf(n), at, text });
    at += writeSync(fd, text, at);
    fsyncSync(fd);
    ledger.add({ k: 'ack', client, epoch, n: nameOf(n) });
    await pause(random.whole(0, 15));
  }
}

/** Another process of this client may have written under the same token. */
const nameOf = (n: number): number => process.pid * 1_000_000 + n;

async function main(): Promise<void> {
  const cluster = await openCluster({ dir });
  const names = Object.keys(volumes);
  while (!isEnding) {
    const volume = random.of(names);
    if (isWritable(volume) || (await obtain(cluster, volume))) {
      for (let sessions = random.whole(1, 3); sessions > 0 && isWritable(volume) && !isEnding; sessions--) {
        await write(cluster, volume);
        await pause(random.whole(0, 60));
      }
      if (random.chance(0.5)) await tried(cluster.change(releaseWrite, { volume, client, readOnly: false }));
    }
    await pause(random.whole(20, paceMs));
  }
}

await main();
