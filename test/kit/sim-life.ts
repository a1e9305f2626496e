/** One life of a simulated worker, and what it is made of. */
import type { StopRequest, WorkerEnd } from '../../src/core/agent/options.js';
import type { Platform } from '../../src/core/platform/platform.js';
import type { SharedDirectoryStore } from '../../src/core/store/index.js';
import type { HostFiles } from './sim-host-files.js';
import type { SimClock, SimProcess } from './sim-world.js';

/** What runs in the worker's process: an agent of a node, or of a client. */
export interface SimWorker {
  run(signal: AbortSignal): Promise<WorkerEnd>;
  stop(request: StopRequest): void;
}

/** What a worker is made of in one life. */
export interface WorkerParts {
  process: SimProcess;
  platform: Platform;
  store: SharedDirectoryStore;
  /** With which it decides. */
  deciding: SharedDirectoryStore;
}

/** One life of the worker: its process, and what belongs to it. */
export interface Life {
  process: SimProcess;
  files: HostFiles;
  worker: SimWorker;
  clock: SimClock;
  /** Ends the worker as SIGTERM would. */
  abort: AbortController;
}
