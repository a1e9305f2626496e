/**
 * The sentences in `membership.reason`, which `cfs watch`, `cfs history` and `cfs status` show: the cause, and the time that was
 * measured. What a person or a program wrote is cut, since a reason is one line of at most 500 characters.
 */
import { freezeOf } from '../config/settings.js';
import { formatDuration } from '../model/units.js';
import type { Snapshot } from '../store/store.js';

/** Measured times are shown to a tenth of a second: more would pretend to be exact. */
function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** What a program or a person said, as one line of at most `max` UTF-16 units; null when that is nothing. */
export function oneLine(text: string | null, max = 300): string | null {
  const line = (text ?? '').toWellFormed().replace(CONTROLS, ' ').trim();
  if (line === '') return null;
  if (line.length <= max) return line;
  // Never half a surrogate pair.
  return `${line.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Of a node whose lease lapsed. @param by the node that watched it; null: a command */
export function quietReason(quietMs: number, by: string | null): string {
  return `lease quiet for ${seconds(quietMs)}${by === null ? '' : `, confirmed by ${by}`}`;
}

/** Of a node whose agent ended in order and did not come back. */
export function leftReason(quietMs: number): string {
  return `its agent left and did not come back for ${seconds(quietMs)}`;
}

/** Of a node whose agent lives, but did not acknowledge in time (FIG. 10C, process 1092). */
export function unreleasedReason(generation: number, timeoutMs: number): string {
  return `did not release what generation ${generation} took from it within ${formatDuration(timeoutMs)}`;
}

/** Of a node that is back after a failure, held for failback.hold. */
export function heldReason(holdMs: number): string {
  return `back; volumes return when it has been up for ${formatDuration(holdMs)}`;
}

/** Why an agent's decision is not made now: the cluster is frozen. Null: it is not. @param nowMs wall-clock time */
export function frozenReason(snapshot: Snapshot, nowMs: number): string | null {
  const freeze = freezeOf(snapshot, nowMs);
  if (freeze === null) return null;
  const until = freeze.until === null ? '' : ` until ${freeze.until}`;
  return `the cluster is frozen${until}${freeze.reason === null ? '' : `: ${freeze.reason}`}`;
}
