/** Measurements as rows for people: test, result, meaning. Pure: the same measurements always give the same rows. */
import { type Delay, type LockTest, type Measurements, type Race, sharesOneMount, type Timed } from './measurements.js';

/**
 * `good`: as cfs needs it. `info`: good to know. `limit`: cfs works, something is slower or does not reach across nodes.
 * `bad`: not for a cluster directory.
 */
export type Level = 'good' | 'info' | 'limit' | 'bad';

export interface Finding {
  /** Stable, for scripts. */
  id: string;
  test: string;
  result: string;
  level: Level;
  meaning: string;
}

/** A name that takes longer than this to be seen delays failover and waiting commands noticeably, ms. */
const SLOW_MS = 500;
/** A lock whose holder renews it every 2 s must not look 10 s old (lock.stale): so late may its mtime be seen, ms. */
const LATE_MTIME_MS = 2_000;
const LEAST_FREE_BYTES = 64 * 1024 * 1024;

export function ms(value: number): string {
  return `${value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ms`;
}

export function findingsOf(measured: Measurements): Finding[] {
  const { races, visible, locks } = measured;
  const rows: Finding[] = [
    race('link', 'exclusive link', races.link, 'one committer per generation, whatever happens'),
    race('exclusive-open', 'exclusive create', races.exclusiveOpen, 'leases and tickets under a name of their own'),
    race('mkdir', 'mkdir as a lock', races.mkdir, 'the lock of cfs'),
    timed(measured, 'link-time', 'time of a link', (node) => node.link, 'a commit takes two flushes and one of these'),
    timed(measured, 'fsync', 'fsync of a file', (node) => node.fsyncFile, 'what is committed survives a power failure'),
    timed(measured, 'fsync-directory', 'fsync of a directory', (node) => node.fsyncDirectory, 'its name survives too'),
  ];
  if (visible !== null) {
    rows.push(
      delay('listed', 'new name listed', visible.listed, 'leases, generations and mail are found by listing'),
      delay('found', 'new name opened', visible.found, 'the next generation is found by its name'),
      delay(
        'found-after-miss',
        'new name after a miss',
        visible.foundAfterMiss,
        'a name that was missing is found once it is there',
      ),
      replaced('replaced', 'file replaced by rename', visible.replaced, SLOW_MS),
      replaced('mtime', 'new mtime', visible.mtime, LATE_MTIME_MS),
    );
  }
  rows.push(
    lock('flock', 'flock', locks.flock),
    lock('fcntl', 'fcntl lock', locks.fcntl),
    notification(measured),
    ...basics(measured),
    clock(measured),
    space(measured),
  );
  return rows;
}

function race(id: string, test: string, r: Race, use: string): Finding {
  const wrong = Object.entries(r.errors).filter(([errno]) => errno !== 'EEXIST');
  const told = Object.entries(r.errors).map(([errno, count]) => `${errno} ${count}`);
  const result = `one winner in ${r.oneWinner} of ${r.tries}${told.length > 0 ? `; others got ${told.join(', ')}` : ''}`;
  const row = { id, test, result };
  const bad = (meaning: string): Finding => ({ ...row, level: 'bad', meaning });
  if (r.severalWinners > 0)
    return bad(`${r.severalWinners} names were given to more than one: two changes could overwrite each other`);
  if (r.oneWinner === 0)
    return bad(`nobody can have a name this way (${wrong.map(([errno]) => errno).join(', ') || 'no answer'})`);
  if (wrong.length > 0)
    return bad(
      `who comes too late is told ${wrong[0]![0]} instead of EEXIST: cfs cannot tell a lost race from a failure`,
    );
  if (r.noWinner > 0) return bad(`${r.noWinner} names were refused to everybody`);
  if (r.wrongOwner > 0)
    return {
      ...row,
      level: 'limit',
      meaning: `${r.wrongOwner} winners were told that they had lost: cfs looks again in such a case`,
    };
  return { ...row, level: 'good', meaning: use };
}

function timed(
  m: Measurements,
  id: string,
  test: string,
  of: (node: Measurements['nodes'][0]) => Timed,
  use: string,
): Finding {
  const all = m.nodes.map((node) => of(node));
  const refused = all.find((t): t is { refused: string } => 'refused' in t);
  const result = all.map((t) => ('refused' in t ? t.refused : `${ms(t.p50Ms)} (longest ${ms(t.maxMs)})`)).join('; ');
  if (refused === undefined) return { id, test, result, level: 'good', meaning: use };
  return { id, test, result, level: 'bad', meaning: `${test} is refused (${refused.refused}): commits fail` };
}

function delayText(d: Delay): string {
  if (d.seen === 0) return `not within ${ms(d.limitMs)}`;
  const missed = d.missed > 0 ? `; then not within ${ms(d.limitMs)}` : '';
  return `${ms(d.p50Ms ?? 0)} (longest ${ms(d.maxMs ?? 0)})${missed}`;
}

function delay(id: string, test: string, d: Delay, use: string): Finding {
  const row = { id, test, result: delayText(d) };
  if (d.wrongContent > 0)
    return { ...row, level: 'bad', meaning: `${d.wrongContent} new files were read with a wrong or half content` };
  if (d.missed > 0)
    return { ...row, level: 'bad', meaning: 'the other node does not see what is new: no agreement is possible' };
  if ((d.maxMs ?? 0) > SLOW_MS)
    return { ...row, level: 'limit', meaning: `${use}, late: every step of a failover waits this long` };
  return { ...row, level: 'good', meaning: use };
}

/** cfs replaces nothing that others read; only its lock, a courtesy, has an mtime that counts. */
function replaced(id: string, test: string, d: Delay, lateMs: number): Finding {
  const row = { id, test, result: delayText(d) };
  const late = d.missed > 0 || (d.maxMs ?? 0) > lateMs;
  if (id === 'mtime') {
    if (late)
      return {
        ...row,
        level: 'limit',
        meaning: 'the lock of a living writer looks stale: writers work in vain, nothing is lost',
      };
    return { ...row, level: 'good', meaning: "the lock's age is seen by others" };
  }
  if (d.wrongContent > 0)
    return { ...row, level: 'limit', meaning: 'a replaced file is read half: cfs replaces none, other programs may' };
  if (late)
    return { ...row, level: 'info', meaning: 'cfs publishes under new names only, so it does not matter to it' };
  return { ...row, level: 'info', meaning: 'cfs does not need it' };
}

const LOCK_TEXT: Record<LockTest['answer'], string> = {
  refused: 'refused while held',
  'given-to-both': 'given to both',
  unsupported: 'not supported',
  'no-program': 'not tested',
};

function lock(id: string, test: string, l: LockTest): Finding {
  const program = id === 'flock' ? 'flock (util-linux)' : 'perl';
  const row = { id, test, result: LOCK_TEXT[l.answer] };
  if (l.answer === 'no-program') return { ...row, level: 'info', meaning: `the program ${program} is missing here` };
  if (l.answer === 'given-to-both')
    return { ...row, level: 'limit', meaning: 'cfs uses none of these; programs on two nodes must not rely on them' };
  if (l.answer === 'unsupported')
    return { ...row, level: 'info', meaning: 'cfs uses none of these; other programs cannot either' };
  if (l.afterRelease === false)
    return {
      ...row,
      result: `${row.result}, and after`,
      level: 'limit',
      meaning: 'a lock stays when its holder lets it go',
    };
  return { ...row, level: 'info', meaning: 'cfs uses none of these; other programs may' };
}

function notification(m: Measurements): Finding {
  const row = { id: 'inotify', test: m.inotifyOther === null ? 'inotify' : 'inotify from the other node' };
  if (m.inotifyOther === null) {
    const own = m.nodes.every((node) => node.inotifyOwn);
    return {
      ...row,
      result: own ? 'yes, of this node' : 'none',
      level: 'info',
      meaning: 'from another node was not tested',
    };
  }
  if (!m.inotifyOther)
    return { ...row, result: 'none', level: 'limit', meaning: 'agents find what is new by looking (polling)' };
  const meaning = sharesOneMount(m)
    ? 'both nodes share one mount; elsewhere it would not come'
    : 'agents are woken at once';
  return { ...row, result: 'yes', level: 'good', meaning };
}

function basics(m: Measurements): Finding[] {
  const { hardLinks, openUnlinked, renames, names, errnos } = m;
  const wrong = errnos.filter((e) => e.got !== e.expected);
  const grave = wrong.filter((e) => e.expected === 'EEXIST');
  const unreadable =
    openUnlinked.own !== 'readable' || (openUnlinked.other !== null && openUnlinked.other !== 'readable');
  const renameFaults = renames.missing + renames.torn + Object.values(renames.errors).reduce((sum, n) => sum + n, 0);
  const foreign = m.nodes.find((node) => node.fileOwner !== node.uid);
  const open = m.nodes.find((node) => (node.fileMode & 0o077) !== 0);
  const rows: Finding[] = [
    {
      id: 'errno',
      test: 'errors of calls',
      result:
        wrong.length === 0
          ? `${errnos.length} right`
          : wrong.map((e) => `${e.call}: ${e.got}, not ${e.expected}`).join('; '),
      level: grave.length > 0 ? 'bad' : wrong.length > 0 ? 'limit' : 'good',
      meaning: wrong.length === 0 ? 'a conflict is told from a failure' : 'a conflict looks like a failure',
    },
    {
      id: 'hard-links',
      test: 'hard links of a file',
      result: hardLinks.error === null ? `${hardLinks.made} and more` : `${hardLinks.made}, then ${hardLinks.error}`,
      level: hardLinks.made < 3 ? 'bad' : hardLinks.made < hardLinks.tried ? 'info' : 'good',
      meaning: hardLinks.made < 3 ? 'cfs commits by links' : 'cfs needs 3 at a time',
    },
    {
      id: 'open-unlinked',
      test: 'removed while open',
      result: [
        openUnlinked.own,
        ...(openUnlinked.other === null ? [] : [`by the other node: ${openUnlinked.other}`]),
      ].join('; '),
      level: unreadable ? 'limit' : 'good',
      meaning: unreadable
        ? 'a reader may have to begin again while old files are collected'
        : 'readers are not disturbed by collecting',
    },
    {
      id: 'rename',
      test: 'replacing by rename',
      result: `${renames.reads} reads during ${renames.replacements}: ${renameFaults === 0 ? 'never absent, never half' : faults(renames)}`,
      level: renames.torn > 0 ? 'limit' : renameFaults > 0 ? 'info' : 'good',
      meaning:
        renameFaults === 0 ? 'a reader sees the old file or the new one' : 'cfs replaces nothing that others read',
    },
    {
      id: 'names',
      test: 'names',
      result: `${names.caseSensitive ? 'upper and lower case differ' : 'case is ignored'}; 255 bytes ${names.bytes255}; UTF-8 ${names.utf8}`,
      level: !names.caseSensitive || names.bytes255 !== 'kept' || names.utf8 !== 'kept' ? 'bad' : 'good',
      meaning: 'names of nodes stand in file names',
    },
    {
      id: 'owner',
      test: 'owner and mode of files',
      result: foreign
        ? `user ${foreign.uid} makes files of user ${foreign.fileOwner}`
        : open
          ? `0600 becomes 0${open.fileMode.toString(8)}`
          : 'kept',
      level: foreign || open ? 'bad' : 'good',
      meaning: foreign
        ? 'cfs refuses a directory of another user (export with no_root_squash)'
        : open
          ? 'others could read the cluster'
          : 'only its owner can write the cluster',
    },
  ];
  return rows;
}

function faults(r: Measurements['renames']): string {
  const errors = Object.entries(r.errors).map(([errno, count]) => `${errno} ${count}`);
  return [`absent ${r.missing}`, `half ${r.torn}`, ...errors].join(', ');
}

function clock(m: Measurements): Finding {
  const server = m.nodes.map((node) => node.serverClockMs).filter((value): value is number => value !== null);
  const between = m.clock === null ? [] : [`between the nodes ${ms(m.clock.offsetMs)} ± ${ms(m.clock.errorMs)}`];
  const result = [
    ...between,
    ...(server.length > 0 ? [`file server against them ${server.map(ms).join(' and ')}`] : []),
  ].join('; ');
  return {
    id: 'clock',
    test: 'clocks',
    result: result || 'not measured',
    level: 'info',
    meaning: 'cfs compares no clocks; times in history are those of the writer',
  };
}

function space(m: Measurements): Finding {
  const { freeBytes, freeFiles } = m.space;
  const mib = Math.floor(freeBytes / 1024 / 1024);
  const few = freeBytes < LEAST_FREE_BYTES || (freeFiles !== null && freeFiles < 1000);
  return {
    id: 'space',
    test: 'free space',
    result: `${mib >= 10_240 ? `${Math.floor(mib / 1024)} GiB` : `${mib} MiB`}${freeFiles === null ? '' : `, ${freeFiles} files`}`,
    level: few ? 'limit' : 'good',
    meaning: few ? 'little: a full file system stops every change' : 'enough for a cluster',
  };
}
