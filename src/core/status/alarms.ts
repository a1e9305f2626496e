/** What no table tells: alarms of the shared directory itself, for `cfs status`, `cfs check` and `cfs metrics`. Reads only. */
import { type BallastPlace, ballastState } from '../ballast/ballast.js';
import { SPACE_TO_MAKE_BYTES, spaceOf } from '../ballast/keeper.js';
import { listLeases } from '../membership/leases.js';
import { systemError } from '../store/system-error.js';

export interface Alarm {
  health: 'WARNING' | 'CRITICAL';
  /** A sentence without its full stop. */
  message: string;
}

/** @throws CfsError of the system */
export function directoryAlarms(place: BallastPlace): Alarm[] {
  // Where no agent ever ran nobody makes a ballast, and nobody depends on it.
  if (!hasAgents(place)) return [];
  if (ballastState(place).state === 'whole') return [];
  if (spaceOf(place).freeBytes < SPACE_TO_MAKE_BYTES) {
    return [{ health: 'CRITICAL', message: 'the shared volume is full: the ballast was freed' }];
  }
  return [{ health: 'WARNING', message: 'the ballast is missing: no agent has made it' }];
}

/** Whether some agent runs, or ended out of order. */
function hasAgents({ platform, paths }: BallastPlace): boolean {
  try {
    return [...listLeases(platform, paths.leases).values()].some(({ applied }) => applied !== null);
  } catch (error) {
    throw systemError(error, 'list', paths.leases);
  }
}
