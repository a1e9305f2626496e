/** Everything the core takes from the machine it runs on. Implementations: src/node, and the test kit. */
import type { Clock } from './clock.js';
import type { Files } from './files.js';
import type { Interrupts } from './interrupts.js';
import type { Processes } from './processes.js';
import type { Random } from './random.js';

export interface Platform {
  clock: Clock;
  random: Random;
  files: Files;
  processes: Processes;
  interrupts: Interrupts;
}
