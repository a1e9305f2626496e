/** All scenarios, in the order of the table. */
import { chaos } from './chaos.js';
import { clockJumps, flapping, joinAtOnce, rollingRestart } from './churn.js';
import { stopAllFenced, stopAllUnfenced, stopWorker } from './freeze.js';
import { killBoth, killSupervisor, killWorker, powerOff } from './kill.js';
import type { Scenario } from './scenario.js';
import { fullDisk, hangAll, hangOne, hideDirectory } from './storage.js';

export const SCENARIOS: readonly Scenario[] = [
  killWorker,
  killSupervisor,
  killBoth,
  powerOff,
  stopWorker,
  stopAllFenced,
  stopAllUnfenced,
  hideDirectory,
  hangOne,
  hangAll,
  clockJumps,
  fullDisk,
  flapping,
  rollingRestart,
  joinAtOnce,
  chaos,
];
