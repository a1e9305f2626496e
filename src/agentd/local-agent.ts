/** Which agents of this host are meant, found without touching the shared directory: by their state directories. */
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CfsError } from '../core/errors.js';
import { clientOfHolder } from '../core/membership/leases.js';
import { quoteName } from '../core/model/names.js';
import type { Processes } from '../core/platform/processes.js';
import { escapeText } from '../render/format.js';
import { type AgentConfig, readAgentConfig } from './config.js';
import { namedServed } from './places.js';
import { isSameServed, ROLES, type Role } from './served.js';
import { knownStateDirs, readIdentity, type StateIdentity } from './state-dir.js';
import { lockHolder } from './state-lock.js';

export interface LocalAgentRequest {
  stateDir: string | undefined;
  config: string | undefined;
  /** --node, --client, --dir (absolute). */
  node: string | undefined;
  client: string | undefined;
  dir: string | undefined;
}

export interface LocalAgent {
  stateDir: string;
  config: AgentConfig;
  /** Null: no agent has ever used the directory. */
  identity: StateIdentity | null;
}

/**
 * All that are meant: one of a node and one of a client at most; none where none has ever run here, as far as can be told.
 * @throws CfsError BAD_FILE …; USAGE when several could be meant
 */
export function findLocalAgents(request: LocalAgentRequest, processes: Processes): LocalAgent[] {
  const config = readAgentConfig(request.config);
  const given = request.stateDir ?? (process.env.CFS_STATE_DIR || config.stateDir);
  if (given) return inDirectory(resolve(given), request, config);
  const named = namedServed(request, config);
  const dir = request.dir ?? config.dir;
  const isMeant = ({ identity }: { identity: StateIdentity }) =>
    (named.length === 0 || named.some((served) => isSameServed(served, identity))) && (!dir || identity.dir === dir);
  const known = knownStateDirs().filter(isMeant);
  const agents = ROLES.map((role) => known.filter(({ identity }) => identity.role === role)).map((ofRole) => {
    const alive = ofRole.filter(({ stateDir }) => lockHolder(stateDir, processes) !== null);
    return alive.length > 0 ? alive : ofRole;
  });
  for (const found of agents) if (found.length > 1) refuseSeveral(found.map(({ identity }) => identity));
  return agents.flat().map((agent) => ({ ...agent, config }));
}

/** Those of a directory that was given: whose it is, and the client that is served beside that node. Of those the ones that were typed. */
function inDirectory(given: string, request: LocalAgentRequest, config: AgentConfig): LocalAgent[] {
  const dirs = [given, ...clientsBelow(given)];
  const found = dirs.map((stateDir) => ({ stateDir, config, identity: readIdentity(stateDir) }));
  if (request.node === undefined && request.client === undefined) return found;
  const typed = namedServed(request, config);
  return found.filter(({ identity }) => identity !== null && typed.some((served) => isSameServed(served, identity)));
}

function clientsBelow(given: string): string[] {
  try {
    const names = readdirSync(given).filter((name) => clientOfHolder(name) !== null);
    return names.map((name) => join(given, name)).filter((stateDir) => readIdentity(stateDir) !== null);
  } catch {
    // Not there, or not ours to read.
    return [];
  }
}

function refuseSeveral(found: readonly StateIdentity[]): never {
  const list = found.map(({ name, dir }) => `${quoteName(name)} of ${escapeText(dir)}`).join(', ');
  const role: Role = found[0]!.role;
  throw new CfsError('USAGE', `Several agents${role === 'client' ? ' of clients' : ''} could be meant: ${list}`, {
    hint: `Say which: --${role} ${role.toUpperCase()}, --dir DIR or --state-dir DIR.`,
  });
}
