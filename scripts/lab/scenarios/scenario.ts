/** What a scenario of the lab is: a fault, done to a healthy cluster again and again, and what must come of it. */
import type { AgentOptions } from '../agent.js';
import type { LabCluster } from '../cluster.js';
import type { Disk } from '../hosts.js';
import type { Takeover } from '../takeover.js';

export interface Lab {
  cluster: LabCluster;
  /** The file system of the shared directory; null: it is none that can be filled or frozen. */
  disk: Disk | null;
  /** Mounts the file system again in hosts that were booted. */
  repair(): Promise<void>;
  /** Hangs the shared directory of one host, and lets it go on; null: the file system cannot. */
  hang: { one(host: string): Promise<void>; end(host: string): Promise<void> } | null;
}

export interface Round {
  /** Null where nothing may move. */
  takeover: Takeover | null;
  /** What else was seen, a few words each. */
  notes: string[];
  /** What must not have been seen. */
  wrong?: string[];
}

export interface Scenario {
  name: string;
  /** The row of the table. */
  title: string;
  /** What the shared directory must be able to do. */
  needs?: 'disk' | 'hang' | 'namespaces';
  settings?: Record<string, string>;
  hasPreferences?: boolean;
  agent?: (node: string, base: string, lab: { fenceCommand: string }) => Partial<Omit<AgentOptions, 'dir' | 'base'>>;
  /** Two owners are expected, and the document says so. */
  mayOverlap?: boolean;
  /** Every round begins with a new cluster whose agents are not started yet. */
  startsCold?: boolean;
  /** Does the fault to `victim` and waits for what comes of it. */
  round(lab: Lab, victim: string): Promise<Round>;
  /** Undoes the fault; agents that do not run are started afterwards, hosts that are off are booted. */
  heal?(lab: Lab, victim: string): Promise<void>;
}
