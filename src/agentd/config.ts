/**
 * The node's own configuration of its agent: /etc/cfs/agent.json, or --config FILE. Never in the shared directory: who can write
 * there must not be able to run code as root. Every key may be left out. Durations are text (`30s`).
 *
 *   { "node": "n1", "dir": "/shared/cfs", "stateDir": "/var/lib/cfs/main/n1",
 *     "driver": {"type": "exec", "command": "/etc/cfs/driver", "timeout": "60s"},
 *     "fencing": {"command": "/usr/sbin/fence_ipmilan", "options": {"username": "admin"},
 *                 "nodes": {"n2": {"plug": "2"}}, "clients": {"c2": {"plug": "7"}}, "timeout": "30s"},
 *     "selfFence": "/etc/cfs/self-fence", "hooksDir": "/etc/cfs/hooks.d", "drainOnStop": false,
 *     "log": "lines", "logLevel": "info", "client": {"name": "c1" …} }
 *
 * The key `client` is described in client-config.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as v from 'valibot';
import { CfsError } from '../core/errors.js';
import { escapeText } from '../render/format.js';
import { type ClientConfig, clientConfigOf, clientSchema } from './client-config.js';
import { absolutePath, duration } from './config-values.js';
import { trustedFile } from './trusted-program.js';

export type { ClientConfig };

export const CONFIG_PATH = '/etc/cfs/agent.json';
export const HOOKS_DIR = '/etc/cfs/hooks.d';

export const LOG_FORMATS = ['lines', 'json'] as const;
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];
export type LogLevel = (typeof LOG_LEVELS)[number];

export type DriverConfig = { type: 'record' } | { type: 'exec'; command: string; timeoutMs: number };

export interface FencingConfig {
  command: string;
  /** For every node: `key=value` lines on the command's standard input. */
  options: Record<string, string>;
  /** By node: more of them, over the common ones. A node that is not named is fenced with the common ones alone. */
  nodes: Record<string, Record<string, string>>;
  /** The same by client, for the agents of clients. */
  clients: Record<string, Record<string, string>>;
  timeoutMs: number;
}

/** What holds, with the defaults filled in. Plain JSON: it crosses from the supervisor to the worker. */
export interface AgentConfig {
  node: string | null;
  dir: string | null;
  stateDir: string | null;
  driver: DriverConfig;
  fencing: FencingConfig | null;
  /** Run when a volume cannot be stopped in time; null: none. */
  selfFence: string | null;
  hooksDir: string;
  drainOnStop: boolean;
  log: LogFormat | null;
  logLevel: LogLevel;
  /** Null: this host is no client. */
  client: ClientConfig | null;
}

/** Ends a line of a fencing command's input early, or starts another: never. */
const oneLine = v.pipe(
  v.union([v.string(), v.number(), v.boolean()]),
  v.transform(String),
  v.check((text) => !/[\n\r\0]/.test(text), 'holds a line end'),
);
const options = v.record(v.pipe(v.string(), v.regex(/^[A-Za-z_][\w-]*$/, 'is no name of an option')), oneLine);

const schema = v.strictObject({
  node: v.optional(v.string()),
  dir: v.optional(absolutePath),
  stateDir: v.optional(absolutePath),
  driver: v.optional(
    v.variant('type', [
      v.strictObject({ type: v.literal('record') }),
      v.strictObject({ type: v.literal('exec'), command: absolutePath, timeout: v.optional(duration, '60s') }),
    ]),
  ),
  fencing: v.optional(
    v.strictObject({
      command: absolutePath,
      options: v.optional(options, {}),
      nodes: v.optional(v.record(v.string(), options), {}),
      clients: v.optional(v.record(v.string(), options), {}),
      timeout: v.optional(duration, '30s'),
    }),
  ),
  selfFence: v.optional(absolutePath),
  hooksDir: v.optional(absolutePath),
  drainOnStop: v.optional(v.boolean()),
  log: v.optional(v.picklist(LOG_FORMATS)),
  logLevel: v.optional(v.picklist(LOG_LEVELS)),
  client: v.optional(clientSchema),
});

/** The configuration of a node that has no file. */
export function defaultConfig(): AgentConfig {
  return configOf({});
}

function configOf(file: v.InferOutput<typeof schema>): AgentConfig {
  const { driver, fencing } = file;
  return {
    node: file.node ?? null,
    dir: file.dir ?? null,
    stateDir: file.stateDir ?? null,
    driver:
      driver?.type === 'exec'
        ? { type: 'exec', command: driver.command, timeoutMs: driver.timeout }
        : { type: 'record' },
    fencing:
      fencing === undefined
        ? null
        : {
            command: fencing.command,
            options: fencing.options,
            nodes: fencing.nodes,
            clients: fencing.clients,
            timeoutMs: fencing.timeout,
          },
    selfFence: file.selfFence ?? null,
    hooksDir: file.hooksDir ?? HOOKS_DIR,
    drainOnStop: file.drainOnStop ?? false,
    log: file.log ?? null,
    logLevel: file.logLevel ?? 'info',
    client: clientConfigOf(file.client),
  };
}

/**
 * Reads and checks the configuration file. Where no file was named, the usual one may be missing.
 * @param given --config; undefined: /etc/cfs/agent.json
 * @throws CfsError BAD_FILE, PROGRAM_NOT_TRUSTED (it is missing, or others could write it)
 */
export function readAgentConfig(given?: string): AgentConfig {
  const path = given ?? CONFIG_PATH;
  if (given === undefined && !existsSync(path)) return defaultConfig();
  let text: string;
  try {
    text = readFileSync(trustedFile(resolve(path), { what: 'configuration' }).path, 'utf8');
  } catch (error) {
    if (error instanceof CfsError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new CfsError('BAD_FILE', `${escapeText(path)} cannot be read: ${code}`, {
      hint: 'Name the configuration of the agent with --config FILE.',
      cause: error,
    });
  }
  return parseAgentConfig(text, path);
}

/** @throws CfsError BAD_FILE with the place and what is wrong there */
export function parseAgentConfig(text: string, path: string): AgentConfig {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw bad(path, (error as Error).message);
  }
  if (Array.isArray(data)) throw bad(path, 'it is a list, not an object');
  const result = v.safeParse(schema, data);
  if (result.success) return configOf(result.output);
  const [issue] = result.issues;
  const where = issue.path?.map((item) => String(item.key)).join('.') ?? '';
  const input = JSON.stringify(issue.input) ?? 'nothing';
  throw bad(
    path,
    where === '' ? issue.message : `"${escapeText(where)}" (${escapeText(input.slice(0, 60))}): ${issue.message}`,
  );
}

function bad(path: string, why: string): CfsError {
  return new CfsError('BAD_FILE', `${escapeText(path)} is not a valid configuration of the agent: ${escapeText(why)}`, {
    hint: 'The keys are listed by: cfs agentd --help',
    details: { path },
  });
}
