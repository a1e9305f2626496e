/**
 * The status socket, STATE/agentd.sock: one line of JSON asks (`{"get":"status"}`), one line answers. For its owner alone, from the
 * moment it exists. The supervisor answers, also while the worker hangs.
 */
import { rmSync } from 'node:fs';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { CfsError } from '../core/errors.js';

/** What the kernel takes (108 bytes with the final null). */
const MAX_PATH_BYTES = 107;
const MAX_REQUEST = 1024;
const IDLE_MS = 10_000;

export function socketPath(stateDir: string): string {
  return join(stateDir, 'agentd.sock');
}

/**
 * Serves until closed. The caller has the state directory (state-lock.ts): a socket that is there was left behind.
 * @throws CfsError BAD_VALUE when the path is too long for a socket; SystemCallError
 */
export async function serveStatus(stateDir: string, status: () => unknown): Promise<Server> {
  const path = socketPath(stateDir);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new CfsError('BAD_VALUE', `The path of the state directory is too long for a socket in it: ${path}`, {
      hint: `Choose one of at most ${MAX_PATH_BYTES - 12} bytes.`,
    });
  }
  rmSync(path, { force: true });
  const server = createServer((connection) => {
    let request = '';
    connection.setEncoding('utf8');
    connection.setTimeout(IDLE_MS, () => connection.destroy());
    connection.on('error', () => {});
    connection.on('data', (text: string) => {
      request += text;
      if (request.length > MAX_REQUEST) connection.destroy();
      else if (request.includes('\n')) connection.end(`${JSON.stringify(answer(request, status))}\n`);
    });
  });
  // It exists from bind on, which listen calls at once.
  const before = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  return server;
}

function answer(request: string, status: () => unknown): unknown {
  try {
    const { get } = JSON.parse(request) as { get?: unknown };
    if (get === 'status') return status();
  } catch {
    // Falls through.
  }
  return { error: 'ask {"get":"status"}' };
}

/**
 * Asks the agent of a state directory.
 * @returns undefined when none answers
 * @throws CfsError ACCESS_DENIED; WAIT_TIMEOUT when there is one that does not answer
 */
export function askStatus(stateDir: string, timeoutMs = 5000): Promise<unknown> {
  const path = socketPath(stateDir);
  return new Promise((resolve, reject) => {
    let text = '';
    const connection = createConnection(path);
    connection.setEncoding('utf8');
    connection.setTimeout(timeoutMs, () => {
      connection.destroy();
      reject(
        new CfsError('WAIT_TIMEOUT', `The agent does not answer (${path})`, {
          hint: 'Its supervisor may be stopped: look at the process, and at its log.',
        }),
      );
    });
    connection.on('connect', () => connection.write('{"get":"status"}\n'));
    connection.on('data', (piece: string) => {
      text += piece;
    });
    connection.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES' || error.code === 'EPERM') {
        reject(
          new CfsError('ACCESS_DENIED', `The agent's socket ${path} cannot be opened: ${error.code}`, {
            hint: 'Only the user that the agent runs as (usually root) may ask it.',
            errno: error.code,
          }),
        );
      } else resolve(undefined);
    });
    connection.on('end', () => {
      try {
        resolve(JSON.parse(text));
      } catch {
        resolve(undefined);
      }
    });
  });
}
