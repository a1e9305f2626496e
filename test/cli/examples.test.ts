import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { commandDocs } from '../../scripts/command-docs.js';
import { CFS, cleanEnv, runCfs, tempDir } from '../kit/cli.js';
import { exampleDirectory, SPECIAL } from '../kit/examples.js';

const docs = await commandDocs();

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** What is never the same twice: directories, times, process numbers, identifiers, sizes of what holds them. */
function stable(text: string, cwd: string): string {
  return text
    .replaceAll(cwd, 'CWD')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UUID')
    .replace(/\b[0-9a-f]{16,}\b/g, 'HASH')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?/g, 'TIME')
    .replace(/\b\d+(\.\d+)? (ms|s)\b/g, 'DURATION')
    .replace(/("durationMs": )\d+/g, '$1DURATION')
    .replace(/("pid": ?|pid |process )\d+/g, '$1PID')
    .replace(/\d+(\.\d+)?(KiB|MiB|B)\b/g, 'SIZE')
    .replace(/("(?:\w*[bB]ytes|size)": )\d+/g, '$1SIZE');
}

/** Runs a line as a user's shell does, with cfs in the path. */
async function runLine(line: string, entry: 'fast' | 'full'): Promise<Ended> {
  const state = SPECIAL[line] ?? {};
  const cwd = exampleDirectory(state);
  const bin = join(tempDir('bin'), 'bin');
  mkdirSync(bin);
  symlinkSync(CFS, join(bin, 'cfs'));
  const env = cleanEnv(entry === 'full' ? { env: { CFS_ENTRY: 'full' } } : {});
  const typed = state.path === undefined ? line : line.replaceAll(state.path, cwd);
  const child = spawn('bash', ['-c', typed], { cwd, env: { ...env, PATH: `${bin}:${env.PATH}` }, detached: true });
  const ended: Ended = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    ended.stdout += text;
    // The whole group: bash and cfs.
    if (state.until?.test(ended.stdout)) process.kill(-child.pid!, 'SIGTERM');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    ended.stderr += text;
    if (state.until?.test(ended.stderr)) process.kill(-child.pid!, 'SIGTERM');
  });
  child.stdin.end(state.input ?? '');
  const closed = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  for (let n = 2; state.meanwhile && child.exitCode === null && n < 100; n++) {
    runCfs([...state.meanwhile, String(n)], { cwd });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const status = await closed;
  return {
    status: state.until ? 0 : status,
    stdout: stable(ended.stdout, cwd),
    stderr: stable(ended.stderr, cwd),
  };
}

describe('the examples of every help', () => {
  for (const { name, examples } of docs) {
    for (const { command } of examples) {
      const state = SPECIAL[command] ?? {};
      it(`${name}: ${command}`, async () => {
        const fast = await runLine(command, 'fast');
        assert.equal(fast.status, state.status ?? 0, fast.stderr);
        // The same through the whole of oclif: the short way must not behave differently. What somebody else changes
        // meanwhile and what is measured is never the same twice.
        if (state.meanwhile === undefined && !state.varies) assert.deepEqual(await runLine(command, 'full'), fast);
      });
    }
  }

  it('are all there that a special state is declared for', () => {
    const known = new Set(docs.flatMap((doc) => doc.examples.map((example) => example.command)));
    for (const command of Object.keys(SPECIAL)) assert.ok(known.has(command), `no help shows: ${command}`);
  });
});
