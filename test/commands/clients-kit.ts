/** A cluster with clients, for tests of the commands about them. */
import { respond } from '../../src/core/access/answers.js';
import { clientAdd } from '../../src/core/access/clients.js';
import { clientLogon } from '../../src/core/access/logon.js';
import { requestWrite } from '../../src/core/access/requests.js';
import { volumeAllow } from '../../src/core/access/rights.js';
import { clientHolder, type LeaseInfo } from '../../src/core/membership/leases.js';
import { type DirectoryCluster, openCluster } from '../../src/open.js';
import { sampleCluster } from '../kit/cli.js';
import { copyOf, fileOf } from '../kit/commands.js';
import { renewLease } from '../kit/leases.js';

let made: string | undefined;

/** Clients c1 to c4 and volumes v1 to v3: c1 writes v1, for which c2 and then c3 wait; all three read v2; c4 may do nothing. None has an agent. */
export async function withClients(): Promise<string> {
  if (made === undefined) {
    const dir = sampleCluster();
    const cluster = await openCluster({ dir });
    await cluster.change(clientAdd, { clients: ['c1', 'c2', 'c3', 'c4'].map((name) => ({ name })) });
    await cluster.change(volumeAllow, { volume: ['v1', 'v2'], client: ['c1', 'c2', 'c3'] });
    for (const client of ['c1', 'c2', 'c3']) await cluster.change(clientLogon, { client });
    await cluster.change(requestWrite, { volume: 'v1', client: 'c1' });
    await cluster.change(requestWrite, { volume: 'v1', client: 'c2', message: 'new titles' });
    await cluster.change(requestWrite, { volume: 'v1', client: 'c3' });
    made = dir;
  }
  return copyOf(made);
}

/** The writer agrees to the request of whoever has waited longest, and its agent has not given the right up yet. */
export async function agree(dir: string, volume: string): Promise<void> {
  const cluster = await openCluster({ dir });
  await cluster.change(respond, { volume, client: null, grant: true, by: null, readOnly: false });
}

/** A lease as the client's agent would leave it. */
export function clientLease(
  dir: string,
  client: string,
  { seq = 5, applied = 1 as number | null, released = 1 } = {},
  info: Partial<LeaseInfo> | null = {},
): void {
  renewLease(dir, { node: clientHolder(client), seq, released, applied }, info);
}

/** Configuration of the host of a client, with a driver that mounts nothing. */
export function configOfClient(name: string, more: object = {}): string {
  return fileOf(JSON.stringify({ client: { name, ...more } }), 'agent.json');
}

/** The writer of a volume, by the tables. */
export async function writerIn(dir: string, volume: string): Promise<string | null> {
  const cluster: DirectoryCluster = await openCluster({ dir });
  return cluster.snapshot().table('writers').get(volume)?.writer ?? null;
}
