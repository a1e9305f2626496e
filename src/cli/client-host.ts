/**
 * Which client a command acts for, whether that has an agent, and with which driver this host mounts for it. Loaded by the commands
 * that need it alone.
 */
import { join } from 'node:path';
import { type AgentConfig, readAgentConfig } from '../agentd/config.js';
import { chooseStateDir, readIdentity } from '../agentd/state-dir.js';
import { lockHolder } from '../agentd/state-lock.js';
import type { MountDriver } from '../core/access/agent/ports.js';
import { mountingHost } from '../core/access/look.js';
import { type Presence, presenceOf } from '../core/access/presence.js';
import type { Log } from '../core/agent/ports.js';
import { CfsError } from '../core/errors.js';
import { clientLeasesOf } from '../core/membership/agents.js';
import { requireClient } from '../core/model/find.js';
import { parseName } from '../core/model/names.js';
import { settingOf } from '../core/model/settings.js';
import type { DirectoryCluster } from '../open.js';

/** --client and --config. */
export interface ClientWish {
  client?: string | undefined;
  config?: string | undefined;
}

export interface ClientHost extends Presence {
  /** As in the tables. */
  client: string;
  /** This host's configuration is of this client. */
  isHere: boolean;
  /** This host's configuration is of another client. */
  isOfAnother: boolean;
  /** The other host on which commands mount for it (LogonRecord.host), where it has no agent; null: there is none. */
  elsewhere: string | null;
  /** `record`, which touches nothing, where `isHere` is false. To be used only where `hasAgent` is false. */
  driver: MountDriver;
  /** Where commands that mount for this client exclude one another; on this host. */
  locksDir: string;
}

/** Touches nothing. */
const RECORD: MountDriver = {
  name: 'record',
  mount: async () => {},
  unmount: async () => {},
  mounted: async () => [],
  written: async () => null,
};

/** --client > CFS_CLIENT > `client.name` of this host's configuration; null: none of them. Not checked against the tables. */
export function chooseClient(wish: ClientWish): string | null {
  return wish.client ?? (process.env.CFS_CLIENT || ownName(readAgentConfig(wish.config)));
}

/** Like chooseClient. @throws CfsError USAGE, what readAgentConfig throws */
export function needClient(wish: ClientWish): string {
  const client = chooseClient(wish);
  if (client !== null) return client;
  throw new CfsError('USAGE', 'Which client is meant is not said', {
    hint: 'Name it with --client C or CFS_CLIENT, or as "client": {"name": "C"} in the configuration of this host\'s agent.',
  });
}

/** The client that is meant. @throws CfsError USAGE, CLIENT_NOT_FOUND, what readAgentConfig and mountDriverOf throw */
export async function clientHost(cluster: DirectoryCluster, wish: ClientWish): Promise<ClientHost> {
  const [host] = await clientHosts(cluster, [needClient(wish)], wish.config);
  return host!;
}

/** The same of several clients. @throws CfsError CLIENT_NOT_FOUND, what readAgentConfig and mountDriverOf throw */
export async function clientHosts(
  cluster: DirectoryCluster,
  clients: readonly string[],
  configPath: string | undefined,
): Promise<ClientHost[]> {
  const snapshot = cluster.snapshot();
  const names = clients.map((input) => requireClient(snapshot, input));
  const config = readAgentConfig(configPath);
  const name = ownName(config);
  const own = name === null ? null : parseName('client', name);
  const { platform, paths } = cluster.store.place;
  const leases = clientLeasesOf(platform, paths.leases);
  return Promise.all(
    names.map(async (client): Promise<ClientHost> => {
      const isHere = client === own;
      const presence = presenceOf(platform, paths.leases, snapshot, client, leases.get(client));
      const stateDir = stateDirOf(cluster, config, client);
      const locksDir = join(stateDir, 'commands');
      // Between two of its workers an agent has a lease whose process is gone; its supervisor is there.
      const hasAgent = presence.hasAgent || (isHere && hasSupervisor(stateDir, cluster, client));
      const driver = isHere ? await driverOf(config, cluster, client, locksDir) : RECORD;
      const host = mountingHost(snapshot, client);
      return {
        client,
        isHere,
        isOfAnother: own !== null && !isHere,
        lease: presence.lease,
        hasAgent,
        elsewhere: hasAgent || (driver !== RECORD && host === platform.processes.host()) ? null : host,
        driver,
        locksDir,
      };
    }),
  );
}

function ownName(config: AgentConfig): string | null {
  return config.client?.name ?? null;
}

/** Programs that it runs bear marks in `locksDir`: whoever mounts next ends what a killed command has left running. */
async function driverOf(
  config: AgentConfig,
  { dir }: DirectoryCluster,
  client: string,
  locksDir: string,
): Promise<MountDriver> {
  if (config.client === null || config.client.driver.type === 'record') return RECORD;
  const { mountDriverOf } = await import('../agentd/mounts/index.js');
  const { Programs } = await import('../agentd/programs.js');
  const programs = new Programs({ stateDir: locksDir, outside: [dir] });
  return mountDriverOf(config.client, { client, dir, programs, stateDir: null, log: SILENT });
}

/** What matters to whoever typed the command comes as an error. */
const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Beside what the client's agent keeps there, or would. */
function stateDirOf({ dir, snapshot }: DirectoryCluster, { stateDir, node }: AgentConfig, client: string): string {
  return chooseStateDir({
    flag: undefined,
    configured: stateDir,
    served: { role: 'client', name: client },
    isBesideNode: node !== null,
    dir,
    clusterName: () => settingOf(snapshot(), 'name'),
  });
}

function hasSupervisor(stateDir: string, { dir, store }: DirectoryCluster, client: string): boolean {
  const identity = readIdentity(stateDir);
  const isOfClient = identity?.role === 'client' && identity.name === client && identity.dir === dir;
  return isOfClient && lockHolder(stateDir, store.place.platform.processes) !== null;
}
