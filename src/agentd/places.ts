/** Whom an agent serves, which cluster, and where its state is: from what was typed, the environment and the configuration. */
import { spawnSync } from 'node:child_process';
import { chooseDir, chooseNode } from '../cli/where.js';
import { CfsError, type ErrorCode } from '../core/errors.js';
import { parseName } from '../core/model/names.js';
import type { AgentConfig } from './config.js';
import type { Served } from './served.js';
import { chooseStateDir } from './state-dir.js';

export interface PlaceRequest {
  dir: string | undefined;
  node: string | undefined;
  client: string | undefined;
  stateDir: string | undefined;
}

/** One agent: whom it serves, and where. Found without touching the shared directory (but for the name of the cluster, the first time). */
export interface AgentPlace extends Served {
  dir: string;
  stateDir: string;
}

/**
 * Who is named: by --node and --client; where neither is given, by CFS_NODE, CFS_CLIENT and the configuration, which may name a node,
 * a client or both. None: nobody is named.
 * @throws CfsError BAD_NAME
 */
export function namedServed(flags: Pick<PlaceRequest, 'node' | 'client'>, config: AgentConfig): Served[] {
  const isTyped = flags.node !== undefined || flags.client !== undefined;
  const node = isTyped ? flags.node : process.env.CFS_NODE || config.node;
  const client = isTyped ? flags.client : process.env.CFS_CLIENT || config.client?.name;
  const served: Served[] = [];
  // An empty flag is a name that is none; an empty variable is as good as none.
  if (node !== undefined && node !== null) served.push({ role: 'node', name: parseName('node', node) });
  if (client !== undefined && client !== null) served.push({ role: 'client', name: parseName('client', client) });
  return served;
}

/**
 * Where a client's agent keeps its state when a directory is given for a node, too: below it. So do two agents that are started each by
 * itself with one configuration.
 */
export function isBesideNode(
  { role }: Served,
  { all, flag, config }: { all: readonly Served[]; flag: string | undefined; config: AgentConfig },
): boolean {
  if (role === 'node') return false;
  return all.some((other) => other.role === 'node') || (flag === undefined && config.node !== null);
}

/**
 * The agents that a process is to be: one or two. Where nobody is named, that of the node by the name of the host.
 * @throws CfsError NO_CLUSTER_CHOSEN, BAD_NAME, and what the cluster cannot be opened for
 */
export function placesOf(request: PlaceRequest, config: AgentConfig): AgentPlace[] {
  const named = namedServed(request, config);
  const all: Served[] = named.length > 0 ? named : [{ role: 'node', name: parseName('node', chooseNode()) }];
  const { dir } = chooseDir(request.dir ?? (process.env.CFS_DIR || config.dir) ?? undefined);
  const flag = request.stateDir;
  let known: string | undefined;
  const clusterName = () => {
    known ??= askClusterName(dir);
    return known;
  };
  return all.map((served) => {
    const beside = isBesideNode(served, { all, flag, config });
    const wish = { flag, configured: config.stateDir, served, isBesideNode: beside, dir, clusterName };
    return { ...served, dir, stateDir: chooseStateDir(wish) };
  });
}

/** Of `cfs cluster show --json`. */
interface ClusterShown {
  settings?: { name: string; value: string }[];
  error?: { code: ErrorCode; message: string; hint?: string };
}

/** Asked in another process, which may hang where this one must not. */
function askClusterName(dir: string): string {
  const argv = [process.argv[1]!, 'cluster', 'show', '--json', '--dir', dir];
  const { status, stdout } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 30_000 });
  try {
    const told = JSON.parse(stdout) as ClusterShown;
    if (told.error !== undefined) throw new CfsError(told.error.code, told.error.message, told.error);
    const name = told.settings?.find((setting) => setting.name === 'name')?.value;
    if (status === 0 && name !== undefined) return name;
  } catch (error) {
    if (error instanceof CfsError) throw error;
  }
  throw new CfsError('IO_ERROR', `The name of the cluster in ${dir} could not be read within 30 s`, {
    hint: 'See whether the shared volume answers; or name the state directory: --state-dir DIR.',
  });
}
