/** The platform of a real process. */
import type { Platform } from '../core/platform/platform.js';
import { NodeClock } from './clock.js';
import { NodeFiles } from './files.js';
import { NodeInterrupts } from './interrupts.js';
import { NodeProcesses } from './processes.js';
import { NodeRandom } from './random.js';

let platform: Platform | undefined;

/** One per process: signal listeners and caches are shared. */
export function nodePlatform(): Platform {
  platform ??= {
    clock: new NodeClock(),
    random: new NodeRandom(),
    files: new NodeFiles(),
    processes: new NodeProcesses(),
    interrupts: new NodeInterrupts(),
  };
  return platform;
}
