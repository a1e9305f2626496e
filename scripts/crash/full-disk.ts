/**
 * Really full file systems: tmpfs, ext4, xfs, btrfs filled to the last block, and ext4 and tmpfs out of inodes. A change must
 * fail with NO_SPACE (exit 1) and change nothing, reading must go on, and `db compact` must work there. Where something dead is
 * left (a collection was killed, say) it must make room, so that a change succeeds afterwards.
 *
 * Usage: node --import tsx scripts/crash/full-disk.ts     (as root)
 */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type App, cfs, copyApp, mustCfs } from './app.js';
import { withHistory } from './operations.js';
import { fail, finish, keepRow, printTable, type Row } from './report.js';
import { stateOf } from './state.js';
import { KIND_NAMES, kindMissing, makeImage, mount, mountTmpfs, unmount, workDirectory } from './volumes.js';

const TABLE = 'full file systems';

interface Case {
  name: string;
  missing: string | null;
  mount: (at: string) => void;
  fill: (at: string) => void;
}

/** Writes until nothing more goes in; then smaller and smaller, to the last byte. */
function fillSpace(at: string): void {
  const fd = fs.openSync(path.join(at, 'filler'), 'w');
  for (let bytes = 1 << 20; bytes >= 1; bytes = bytes > 512 ? bytes >> 1 : bytes >> 3) {
    const chunk = Buffer.alloc(bytes, 0x5a);
    try {
      for (;;) {
        if (fs.writeSync(fd, chunk) < bytes) break;
      }
      fs.fsyncSync(fd);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  fs.closeSync(fd);
}

function fillInodes(at: string): void {
  fs.mkdirSync(path.join(at, 'filler'));
  for (let i = 0; ; i++) {
    try {
      fs.writeFileSync(path.join(at, 'filler', String(i)), '');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
      throw error;
    }
  }
}

function cases(work: string): Case[] {
  const image = path.join(work, 'image');
  const list: Case[] = KIND_NAMES.map((kind) => ({
    name: `${kind} full`,
    missing: kindMissing(kind),
    mount: (at) => {
      makeImage(kind, image, null, at);
      mount(kind, image, at);
    },
    fill: fillSpace,
  }));
  const root = process.getuid?.() === 0 ? null : 'mounting needs root';
  list.push({ name: 'tmpfs full', missing: root, mount: (at) => mountTmpfs(at, 'size=4m'), fill: fillSpace });
  list.push({
    name: 'tmpfs out of inodes',
    missing: root,
    mount: (at) => mountTmpfs(at, 'size=16m,nr_inodes=400'),
    fill: fillInodes,
  });
  list.push({
    name: 'ext4 out of inodes',
    missing: kindMissing('ext4'),
    mount: (at) => {
      makeImage('ext4', image, null, at, ['-N', '512']);
      mount('ext4', image, at);
    },
    fill: fillInodes,
  });
  return list;
}

/** Commands until one fails, at most `most`: a full file system may have room for a few small files yet. */
function changeUntilFull(app: App, dir: string, most: number): { made: number; status: number; stderr: string } {
  for (let made = 0; ; made++) {
    const { status, stderr } = cfs(app, dir, ['volume', 'set', 'vol01', '--weight', String(1000 + made), '--json']);
    if (status !== 0 || made === most) return { made, status: status ?? -1, stderr };
  }
}

async function tryCase(app: App, { name, mount: mountIt, fill }: Case, work: string, garbage: boolean): Promise<Row> {
  const at = path.join(work, 'mnt');
  const dir = path.join(at, 'c');
  const problems: string[] = [];
  mountIt(at);
  await withHistory(app, dir, garbage);
  fill(at);
  const full = changeUntilFull(app, dir, 200);
  const error =
    full.stderr === ''
      ? null
      : (JSON.parse(full.stderr) as { error: { code: string; errno?: string; message: string } }).error;
  if (full.status !== 1 || error?.code !== 'NO_SPACE' || error.errno !== 'ENOSPC') {
    problems.push(`a change on a full file system: exit ${full.status}: ${full.stderr}`);
  } else if (!error.message.includes(dir)) problems.push(`the message names no path: ${error.message}`);
  const state = await stateOf(dir);
  const check = cfs(app, dir, ['db', 'check']);
  if (check.status !== 0) problems.push(`db check there: exit ${check.status}: ${check.stderr}`);
  const again = cfs(app, dir, ['volume', 'set', 'vol02', '--weight', '9999']);
  if (again.status !== 1) problems.push(`a second change: exit ${again.status}: ${again.stderr}`);
  if ((await stateOf(dir)) !== state) problems.push('a change that failed changed something');
  const compact = cfs(app, dir, ['db', 'compact', '--keep', '100', '--keep-for', '0s', '--json']);
  const report = compact.status === 0 ? (JSON.parse(compact.stdout) as { manifests: number; bytes: number }) : null;
  if (report === null) problems.push(`db compact: exit ${compact.status}: ${compact.stderr}`);
  const after = cfs(app, dir, ['volume', 'set', 'vol01', '--weight', '77']);
  // Without anything dead there is nothing to remove: raising the floor needs room for a commit itself (G2).
  if (garbage && after.status !== 0) problems.push(`a change after db compact: exit ${after.status}: ${after.stderr}`);
  mustCfs(app, dir, ['db', 'check']);
  await setImmediate();
  unmount(at);
  if (problems.length > 0) fail(name, problems);
  return {
    case: name,
    garbage: garbage ? 'yes' : 'no',
    'changes until full': full.made,
    exit: full.status,
    'removed by compact': report === null ? '' : report.manifests,
    bytes: report?.bytes ?? '',
    'change after': after.status ?? '',
    problems: problems.length,
  };
}

const work = workDirectory('full');
const app = copyApp(work);
const rows: Row[] = [];
for (const one of cases(work)) {
  if (one.missing !== null) {
    console.log(`skipped ${one.name}: ${one.missing}`);
    continue;
  }
  for (const garbage of [true, false]) {
    const row = await tryCase(app, one, work, garbage);
    rows.push(row);
    keepRow(TABLE, row);
  }
}
printTable(TABLE, rows);
finish();
