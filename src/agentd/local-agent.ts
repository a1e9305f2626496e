/** Which agent of this host is meant, found without touching the shared directory: by its state directory. */
import { resolve } from 'node:path';
import { CfsError } from '../core/errors.js';
import { quoteName } from '../core/model/names.js';
import type { Processes } from '../core/platform/processes.js';
import { escapeText } from '../render/format.js';
import { type AgentConfig, readAgentConfig } from './config.js';
import { knownStateDirs, readIdentity, type StateIdentity } from './state-dir.js';
import { lockHolder } from './state-lock.js';

export interface LocalAgentRequest {
  stateDir: string | undefined;
  config: string | undefined;
  /** --node, --dir (absolute). */
  node: string | undefined;
  dir: string | undefined;
}

export interface LocalAgent {
  stateDir: string;
  config: AgentConfig;
  /** Null: no agent has ever used the directory. */
  identity: StateIdentity | null;
}

/**
 * The one that is meant; null: none has ever run here, as far as can be told.
 * @throws CfsError BAD_FILE …; USAGE when several could be meant
 */
export function findLocalAgent(request: LocalAgentRequest, processes: Processes): LocalAgent | null {
  const config = readAgentConfig(request.config);
  const given = request.stateDir ?? (process.env.CFS_STATE_DIR || config.stateDir);
  if (given) {
    const stateDir = resolve(given);
    return { stateDir, config, identity: readIdentity(stateDir) };
  }
  const node = request.node ?? (process.env.CFS_NODE || config.node);
  const dir = request.dir ?? config.dir;
  const known = knownStateDirs().filter(
    ({ identity }) => (!node || identity.node === node) && (!dir || identity.dir === dir),
  );
  const alive = known.filter(({ stateDir }) => lockHolder(stateDir, processes) !== null);
  const found = alive.length > 0 ? alive : known;
  if (found.length > 1) {
    const list = found.map(({ identity }) => `${quoteName(identity.node)} of ${escapeText(identity.dir)}`).join(', ');
    throw new CfsError('USAGE', `Several agents could be meant: ${list}`, {
      hint: 'Say which: --node NODE, --dir DIR or --state-dir DIR.',
    });
  }
  return found[0] === undefined ? null : { ...found[0], config };
}
