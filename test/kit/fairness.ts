/** Many clients that ask for one volume at once, as real processes of the built cfs, and what history says of it afterwards. */

import { HistoryWalk } from '../../scripts/access/history-steps.js';
import { clientAdd, clientLogon, volumeAllow } from '../../src/index.js';
import { openCluster } from '../../src/open.js';
import { runBeside } from './commands.js';
import type { Right } from './writers-check.js';

export interface FairnessRun {
  /** The rights, in the order in which history gave them. */
  rights: Right[];
  /** Violations of the rule of one writer, and of the order of asking, a sentence each. */
  violations: string[];
  /** Processes that failed, with what they said. */
  failures: string[];
  /** From the first process to the end of the last one. */
  tookMs: number;
}

/** Makes clients (c1, c2 …) of the cluster, allowed to mount the volume and logged on. */
export async function manyClients(dir: string, volume: string, count: number, prefix = 'c'): Promise<string[]> {
  const cluster = await openCluster({ dir });
  const clients = Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
  await cluster.change(clientAdd, { clients: clients.map((name) => ({ name })) });
  await cluster.change(volumeAllow, { volume, client: clients });
  for (const client of clients) await cluster.change(clientLogon, { client });
  return clients;
}

/**
 * Each client asks and waits (`cfs volume request-write --wait`), holds the volume for `holdMs` and releases it, all at once.
 * @param waitFor of each request, as on the command line
 */
export async function askAtOnce(
  dir: string,
  volume: string,
  clients: readonly string[],
  { holdMs, waitFor }: { holdMs: number; waitFor: string },
): Promise<FairnessRun> {
  const failures: string[] = [];
  const run = async (args: string[]): Promise<void> => {
    const { status, stderr } = await runBeside(args, dir);
    if (status !== 0) failures.push(`cfs ${args.join(' ')} ended with ${status}: ${stderr.trim()}`);
  };
  const began = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      await run(['volume', 'request-write', volume, '--client', client, '--wait', waitFor]);
      await new Promise((done) => setTimeout(done, holdMs));
      await run(['volume', 'release-write', volume, '--client', client]);
    }),
  );
  const tookMs = performance.now() - began;
  const { rights, violations } = new HistoryWalk(await openCluster({ dir })).follow();
  return {
    rights: rights.filter((right) => right.volume === volume),
    violations: violations.map(({ kind, generation, says }) => `${kind}: generation ${generation}: ${says}`),
    failures,
    tookMs,
  };
}

/** What is wrong with the order: whoever asked before somebody else was granted before. A sentence each. */
export function disorder(rights: readonly Right[]): string[] {
  const asked = rights.filter((right) => right.asked !== null);
  return asked.slice(1).flatMap((right, i) => {
    const before = asked[i]!;
    if (before.asked! < right.asked!) return [];
    return [
      `${right.client} asked at generation ${right.asked}, before ${before.client} (${before.asked}), and got it later`,
    ];
  });
}
