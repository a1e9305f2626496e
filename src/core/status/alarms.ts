/** Alarms of the shared directory itself, of the agents, and of rights to write that nobody uses, for `cfs status`, `cfs check` and `cfs metrics`. Reads only. */
import { BALLAST_BYTES, type BallastPlace, ballastState } from '../ballast/ballast.js';
import { SPACE_TO_MAKE_BYTES, spaceOf } from '../ballast/keeper.js';
import { listLeases } from '../membership/leases.js';
import { countOf } from '../model/find.js';
import type { Place } from '../store/place.js';
import type { Snapshot } from '../store/store.js';
import { systemError } from '../store/system-error.js';
import { accessAlarms } from './access.js';
import { agentAlarms } from './agent-alarms.js';

export interface Alarm {
  health: 'WARNING' | 'CRITICAL';
  /** A sentence without its full stop. */
  message: string;
}

/** With fewer inodes free the shared volume is nearly full; 0 of 0 means that it has no fixed number. */
const FEW_INODES = 16;

/** Everything that clusterStatus does not tell. @throws CfsError of the system */
export function alarmsOf(place: Place, snapshot: Snapshot): Alarm[] {
  const alarms = accessAlarms(snapshot, place.platform.clock.nowMs());
  // Where no agent ever ran nobody makes a ballast, and nobody depends on it.
  return hasAgents(place) ? [...alarms, ...directoryAlarms(place), ...agentAlarms(place, snapshot)] : alarms;
}

function directoryAlarms(place: BallastPlace): Alarm[] {
  const { freeBytes, freeInodes, totalInodes } = spaceOf(place);
  if (ballastState(place).state === 'whole') {
    const hasFewInodes = totalInodes > 0 && freeInodes < FEW_INODES;
    if (freeBytes >= BALLAST_BYTES && !hasFewInodes) return [];
    const left = hasFewInodes ? countOf(freeInodes, 'inode') : `${Math.floor(freeBytes / 1024)} KiB`;
    return [{ health: 'WARNING', message: `the shared volume is nearly full: ${left} left beside the ballast` }];
  }
  if (freeBytes < SPACE_TO_MAKE_BYTES) {
    return [{ health: 'CRITICAL', message: 'the shared volume is full: there is no ballast (any more)' }];
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
