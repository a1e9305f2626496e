/**
 * Clusters of real agents for tests: plain processes on this machine, or hosts of the lab where it can be built. Everything is
 * ended when the test's process ends; CFS_KEEP=1 keeps states and logs.
 */
import { join } from 'node:path';
import { type ClusterOptions, LabCluster } from '../../scripts/lab/cluster.js';
import { whyNoNetlab } from '../../scripts/lab/hosts.js';
import { localSurroundings, netlabSurroundings, type Surroundings } from '../../scripts/lab/surroundings.js';
import { tempDir } from './cli.js';

export { monotonicMs } from '../../scripts/lab/proc.js';
export { holdingsOf, takeoverOf } from '../../scripts/lab/takeover.js';
export { verdictOf } from '../../scripts/lab/verdict.js';
export { waitFor } from '../../scripts/lab/wait.js';
export { LabCluster };

/**
 * Quick, and yet slow enough for a busy machine: a renewal may be late by a second before anybody stops anything.
 */
export const TEST_SETTINGS = { 'lease.timeout': '2s', 'lease.interval': '300ms', 'join.settle': '300ms' } as const;

const open = new Set<() => void>();
// Before the directories are removed.
process.prependListener('exit', () => {
  for (const close of open) close();
});

export type TestClusterOptions = Partial<Omit<ClusterOptions, 'hosts' | 'base' | 'dir'>> & { nodes?: number };

/** Agents as plain processes, n1, n2 …; the database is made, nothing is started. */
export async function localCluster(options: TestClusterOptions = {}): Promise<LabCluster> {
  const { nodes = 3, volumes = 6, ...rest } = options;
  const { hosts, base, shared } = localSurroundings(tempDir('agents'), nodes);
  return made(
    new LabCluster({
      base,
      dir: join(shared, 'cfs'),
      hosts,
      volumes,
      ...rest,
      settings: { ...TEST_SETTINGS, ...rest.settings },
    }),
  );
}

/** A lab of this process alone; remove() it. Null: it cannot be built here, and the reason was printed. */
export async function testLab(test: Mocha.Context, hosts: number): Promise<Surroundings> {
  const why = whyNoNetlab();
  if (why !== null) {
    console.error(`skipped, because ${why}: ${test.test?.fullTitle() ?? ''}`);
    test.skip();
  }
  const surroundings = await netlabSurroundings(`t${process.pid % 10_000_000}`, hosts, 'ext4');
  open.add(surroundings.remove);
  return surroundings;
}

/** A cluster in a lab; the database is made, nothing is started. */
export async function labCluster(
  surroundings: Surroundings,
  name: string,
  options: TestClusterOptions = {},
): Promise<LabCluster> {
  const { volumes = 6, ...rest } = options;
  const { hosts, base, shared } = surroundings;
  return made(
    new LabCluster({
      base: join(base, name),
      dir: join(shared, name),
      hosts,
      volumes,
      ...rest,
      settings: { ...TEST_SETTINGS, ...rest.settings },
    }),
  );
}

async function made(cluster: LabCluster): Promise<LabCluster> {
  open.add(() => cluster.killAll());
  await cluster.create();
  return cluster;
}
