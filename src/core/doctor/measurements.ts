/**
 * What `cfs doctor` measures in a directory: plain data, made by src/node/doctor*.ts, judged by verdict.ts, kept as fixtures of
 * real file systems in fixtures/doctor. A field that could not be measured is null.
 */
import type { Mount } from './mount.js';
import type { NetworkSettings } from './network.js';

/** One name, wanted by several at the same instant, many times over. */
export interface Race {
  tries: number;
  /** Names that exactly one was told to have got, that nobody was, that several were. */
  oneWinner: number;
  noWinner: number;
  severalWinners: number;
  /** How many names each contender was told to have got: a race was one where nobody got them all. */
  wins: number[];
  /** Names whose content is not the winner's, or that the winner was told to have lost (a lost answer of the server). */
  wrongOwner: number;
  /** What the losers were told: errno name -> how often. */
  errors: Record<string, number>;
}

/** How long until the other node sees something; half of there and back again, so that no clocks are compared. */
export interface Delay {
  seen: number;
  /** Not seen within limitMs; nothing is tried after the first. */
  missed: number;
  p50Ms: number | null;
  maxMs: number | null;
  limitMs: number;
  /** Seen, but with a content that nobody had written under that name. */
  wrongContent: number;
}

export interface Timing {
  count: number;
  p50Ms: number;
  maxMs: number;
}

/** A call that may be refused altogether. */
export type Timed = Timing | { refused: string };

/** What the second who wants a lock is told while the first has it. */
export type LockAnswer = 'refused' | 'given-to-both' | 'unsupported' | 'no-program';

export interface LockTest {
  answer: LockAnswer;
  /** Whether the second got it once the first had let it go; null where that was not tried. */
  afterRelease: boolean | null;
}

/** What a call answered that had to fail, or `done` where it did not fail. */
export interface ErrnoTest {
  call: string;
  expected: string;
  got: string;
}

/** `readable`, or the errno of the read. */
export interface OpenUnlinked {
  own: string;
  /** Unlinked by the other node; null in a test by one node alone. */
  other: string | null;
  /** The file system keeps a name of its own for it meanwhile (.nfs…, .fuse_hidden…). */
  hiddenName: boolean;
}

export interface Renames {
  replacements: number;
  reads: number;
  /** Reads that found no file, and reads that found a content nobody wrote. */
  missing: number;
  torn: number;
  errors: Record<string, number>;
}

/** What one node says of itself. */
export interface NodeFacts {
  host: string;
  /** Changes with each boot of the kernel: two nodes with the same one are one machine. */
  bootId: string;
  mount: Mount | null;
  network: NetworkSettings | null;
  /** Effective user, and the owner that a file made by it has in the directory. */
  uid: number;
  fileOwner: number;
  /** Permission bits that a file made with 0600 has. */
  fileMode: number;
  link: Timed;
  fsyncFile: Timed;
  fsyncDirectory: Timed;
  /** Of the clock of the file server against that of this node, ms: mtime of a new file less the time it was made at. */
  serverClockMs: number | null;
  inotifyOwn: boolean;
}

export interface Measurements {
  directory: string;
  /** `alone`: what one node can test. `two`: from two nodes. */
  mode: 'alone' | 'two';
  /** Both ran under one kernel: caches of different machines were not tested, unless each has a mount of its own. */
  sameMachine: boolean;
  nodes: NodeFacts[];
  races: { link: Race; exclusiveOpen: Race; mkdir: Race };
  visible: { listed: Delay; found: Delay; foundAfterMiss: Delay; replaced: Delay; mtime: Delay } | null;
  locks: { flock: LockTest; fcntl: LockTest };
  /** Whether a notification comes for what the other node makes; null in a test by one node alone. */
  inotifyOther: boolean | null;
  /** Links made to one file, of as many as were tried, and the errno that ended it. */
  hardLinks: { made: number; tried: number; error: string | null };
  openUnlinked: OpenUnlinked;
  renames: Renames;
  names: { caseSensitive: boolean; bytes255: string; utf8: string };
  errnos: ErrnoTest[];
  /** Wall clock of the second node less that of the first, ms, and how far that may be wrong. */
  clock: { offsetMs: number; errorMs: number } | null;
  space: { freeBytes: number; freeFiles: number | null };
}

/** Whether both nodes sit on one machine and even share one mount, so that caches between hosts were not tested at all. */
export function sharesOneMount(measured: Measurements): boolean {
  const [a, b] = measured.nodes;
  return measured.sameMachine && (b === undefined || a?.mount?.id === b.mount?.id);
}
