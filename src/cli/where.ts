/** Which cluster directory and which node a command means (DESIGN.md, "Command conventions"). */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CfsError } from '../core/errors.js';

/** Keys of the configuration files; others are for other parts and ignored here. */
interface ConfigFile {
  dir?: string;
  node?: string;
}

/** A directory and what named it, for messages. */
export interface Where {
  dir: string;
  source: '--dir' | 'CFS_DIR' | 'config' | 'upward';
}

// Asked for seldom, and not loaded with node itself.
const os = () => process.getBuiltinModule('node:os');

const SYSTEM_CONFIG = '/etc/cfs/config.json';

function readConfig(path: string): ConfigFile {
  let bytes: Buffer;
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return {};
    bytes = readFileSync(path);
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    // Where the caller may not look, or nothing is a directory on the way, no configuration is meant for them.
    if (errno === 'EACCES' || errno === 'ENOTDIR' || errno === 'ENOENT') return {};
    throw new CfsError('BAD_FILE', `${path} cannot be read: ${errno}`, { hint: 'Repair or remove it.', cause: error });
  }
  try {
    const config: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof config !== 'object' || config === null) throw new SyntaxError('it is not an object');
    for (const key of ['dir', 'node'] as const) {
      const value = (config as ConfigFile)[key];
      if (value !== undefined && typeof value !== 'string') throw new SyntaxError(`"${key}" is not text`);
    }
    return config as ConfigFile;
  } catch (error) {
    throw new CfsError('BAD_FILE', `${path} is not a valid configuration file: ${(error as Error).message}`, {
      hint: 'It must be a JSON object such as {"dir": "/srv/cluster", "node": "node1"}.',
      cause: error,
    });
  }
}

/** The user's configuration over the system's: what stands in ~/.config/cfs/config.json outranks /etc/cfs/config.json. */
function configured(key: keyof ConfigFile): string | undefined {
  const home = process.env.HOME || os().homedir();
  return readConfig(join(home, '.config/cfs/config.json'))[key] ?? readConfig(SYSTEM_CONFIG)[key];
}

/** The nearest `.cfs` directory upward from the working directory. */
function upward(start: string): string | undefined {
  for (let at = start; ; at = dirname(at)) {
    const candidate = join(at, '.cfs');
    if (statSync(candidate, { throwIfNoEntry: false })?.isDirectory()) return candidate;
    if (dirname(at) === at) return undefined;
  }
}

/** The working directory; it may have been removed under us. @throws CfsError FILE_NOT_FOUND */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new CfsError('FILE_NOT_FOUND', 'The working directory does not exist any more', {
      hint: 'Change to another directory, or name the cluster with --dir and an absolute path.',
      cause: error,
    });
  }
}

/** Where the cluster is, or undefined: --dir, CFS_DIR, configuration files, the nearest .cfs upward. */
export function findDir(flag?: string): Where | undefined {
  if (flag !== undefined) return { dir: absolute(flag, '--dir'), source: '--dir' };
  const env = process.env.CFS_DIR;
  if (env) return { dir: absolute(env, 'CFS_DIR'), source: 'CFS_DIR' };
  const config = configured('dir');
  if (config) return { dir: absolute(config, 'the configuration file'), source: 'config' };
  const found = upward(workingDirectory());
  return found === undefined ? undefined : { dir: found, source: 'upward' };
}

function absolute(path: string, source: string): string {
  if (path === '' || path.includes('\0')) {
    throw new CfsError('BAD_VALUE', `${source} names no directory`, { hint: 'Give a path, such as /srv/cluster.' });
  }
  return path.startsWith('/') ? resolve(path) : resolve(workingDirectory(), path);
}

/** Like findDir. @throws CfsError NO_CLUSTER_CHOSEN */
export function chooseDir(flag?: string): Where {
  const where = findDir(flag);
  if (where) return where;
  throw new CfsError('NO_CLUSTER_CHOSEN', 'No cluster was named and none was found here or above', {
    hint: 'Start one with "cfs init", or name one with --dir DIR or CFS_DIR.',
  });
}

/** Where a new cluster goes: as findDir, but nothing upward: `.cfs` in the working directory. */
export function chooseNewDir(flag?: string): string {
  const where = findDir(flag);
  return where === undefined || where.source === 'upward' ? join(workingDirectory(), '.cfs') : where.dir;
}

/** Which node this is: --node, CFS_NODE, configuration files (the agent's first, where it is given), the name of the host. */
export function chooseNode(flag?: string, ofAgent?: string | null): string {
  return flag ?? (process.env.CFS_NODE || ofAgent || configured('node') || os().hostname());
}
