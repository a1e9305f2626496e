/**
 * The node's own fencing command: any `fence_*` agent (Debian: fence-agents) or script. It reads lines `key=value` on standard
 * input, as every fence agent does, and exits with 0 when the node is off or cut off from the storage for certain.
 *
 *   action=off          (`status` or `monitor` for cfs fence test)
 *   nodename=n2         (the client's name, where a client is fenced)
 *   …                   the configured options, those of the node or client over those for all
 *
 * Variables: CFS_FENCE_NODE or CFS_FENCE_CLIENT (who is fenced), CFS_FENCE_ACTION, CFS_NODE or CFS_CLIENT (who fences), CFS_DIR. Nodes are
 * fenced by the agents of nodes, clients by those of clients and nodes.
 */
import type { Fencing } from '../core/agent/ports.js';
import { CfsError } from '../core/errors.js';
import { quoteName } from '../core/model/names.js';
import type { FencingConfig } from './config.js';
import type { Programs } from './programs.js';
import { type RunResult, saidLast } from './run-program.js';
import { type Role, type Served, servedVariables } from './served.js';

export const FENCE_TESTS = ['status', 'monitor'] as const;
export type FenceTest = (typeof FENCE_TESTS)[number];

export interface FencingParts {
  /** Who fences. */
  served: Served;
  /** Whether the names are those of nodes or of clients, which may be the same; default: as who fences. */
  fences?: Role;
  dir: string;
  programs: Pick<Programs, 'run'>;
}

/** What a test found. */
export interface FenceAnswer {
  command: string;
  /** The lines given on standard input, secrets hidden. */
  input: string[];
  /** As fence agents say it by their status; null where the command could not tell. */
  power: 'on' | 'off' | null;
  /** Null: the command works. */
  failure: string | null;
  status: number | null;
  durationMs: number;
  /** What it printed last. */
  said: string;
}

/** Fence agents end `status` with this when the node is off. */
const STATUS_OFF = 2;
const SECRET = /pass|secret|token|key$|snmp_priv|community/i;

export class NodeFencing implements Fencing {
  constructor(
    private readonly config: FencingConfig,
    private readonly parts: FencingParts,
  ) {}

  /** How long it may take, ms. */
  get timeoutMs(): number {
    return this.config.timeoutMs;
  }

  private get role(): Role {
    return this.parts.fences ?? this.parts.served.role;
  }

  async fence(node: string): Promise<string> {
    const { served } = this.parts;
    if (this.role === served.role && node === served.name) throw new Error(`${quoteName(node)} does not fence itself`);
    const result = await this.run(node, 'off');
    const said = saidLast(result);
    const told = said === '' ? '' : `: ${said}`;
    if (result.failure !== null) throw new Error(`the fencing command ${result.failure}${told}`);
    return said === '' ? 'the fencing command ended with 0' : said;
  }

  /** Asks the command about a node, changing nothing. @throws CfsError PROGRAM_NOT_TRUSTED */
  async test(node: string, action: FenceTest): Promise<FenceAnswer> {
    const result = await this.run(node, action);
    const isOff = action === 'status' && result.status === STATUS_OFF;
    return {
      command: this.config.command,
      input: this.lines(node, action).map(([key, value]) => `${key}=${SECRET.test(key) ? '***' : value}`),
      power: action !== 'status' ? null : isOff ? 'off' : result.status === 0 ? 'on' : null,
      failure: isOff ? null : result.failure,
      status: result.status,
      durationMs: Math.round(result.durationMs),
      said: saidLast(result),
    };
  }

  private lines(node: string, action: string): [key: string, value: string][] {
    const known = this.role === 'client' ? this.config.clients : this.config.nodes;
    const own = Object.hasOwn(known, node) ? known[node] : {};
    const options: Record<string, string> = { nodename: node, ...this.config.options, ...own };
    // What is asked for is never the configuration's; of two lines with one key fence agents take the last.
    delete options.action;
    return [...Object.entries(options), ['action', action]];
  }

  private run(node: string, action: string): Promise<RunResult> {
    const { programs, served, dir } = this.parts;
    const whom = this.role === 'client' ? { CFS_FENCE_CLIENT: node } : { CFS_FENCE_NODE: node };
    const input = this.lines(node, action).map(([key, value]) => `${key}=${value}\n`);
    return programs.run('fencing command', {
      program: this.config.command,
      input: input.join(''),
      variables: { ...whom, CFS_FENCE_ACTION: action, ...servedVariables(served), CFS_DIR: dir },
      timeoutMs: this.config.timeoutMs,
    });
  }
}

/** Null: this host has no fencing command. */
export function fencingOf(config: FencingConfig | null, parts: FencingParts): NodeFencing | null {
  return config === null ? null : new NodeFencing(config, parts);
}

/** @throws CfsError FENCING_NOT_CONFIGURED */
export function requireFencing(fencing: NodeFencing | null, node: string): NodeFencing {
  if (fencing !== null) return fencing;
  throw new CfsError('FENCING_NOT_CONFIGURED', `Node ${quoteName(node)} has no fencing command`, {
    hint: 'Name one in the agent\'s configuration, /etc/cfs/agent.json: {"fencing": {"command": "/usr/sbin/fence_…"}}',
    details: { node },
  });
}
