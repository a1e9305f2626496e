import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killLeftPrograms } from '../../src/agentd/programs.js';
import { KEPT_OUTPUT_BYTES, PROGRAM_PATH, runProgram, saidLast } from '../../src/agentd/run-program.js';
import { ROOT, tempDir } from '../kit/cli.js';
import { refusalOf } from '../kit/memory.js';
import { eventually, script, somePrograms } from './kit.js';

const run = (lines: string, options: Partial<Parameters<typeof runProgram>[0]> = {}) =>
  runProgram({ program: script(lines), timeoutMs: 10_000, ...options });

/** Whether a process lives; one that only waits to be collected does not. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a program that the node runs', () => {
  it('gets its input, its arguments as they are, and nothing of our environment but the documented variables', async () => {
    process.env.CFS_SECRET_OF_TESTS = 'x';
    const result = await run('cat; printf "%s|" "$@"; env | sort', {
      args: ['a b', '$HOME', '*'],
      input: 'given\n',
      variables: { CFS_VOLUME: 'v 1' },
    });
    delete process.env.CFS_SECRET_OF_TESTS;
    const lines = result.stdout.split('\n').filter((line) => !/^(PWD|_|SHLVL|OLDPWD)=/.test(line));
    assert.deepEqual(lines, [
      'given',
      'a b|$HOME|*|CFS_VOLUME=v 1',
      `HOME=${process.env.HOME}`,
      'LANG=C.UTF-8',
      `PATH=${PROGRAM_PATH}`,
      '',
    ]);
    assert.equal(result.failure, null);
    assert.equal(result.status, 0);
  });

  it('fails with its status or signal, and what it said last is the reason', async () => {
    const failed = await run('echo to stdout; echo first >&2; echo "disk is busy" >&2; exit 3');
    assert.equal(failed.failure, 'ended with 3');
    assert.equal(failed.status, 3);
    assert.equal(saidLast(failed, 1), 'disk is busy');
    assert.equal(saidLast(failed), 'first; disk is busy');
    assert.equal((await run('kill -9 $$')).failure, 'was killed by SIGKILL');
  });

  it('that cannot be started is a failure and nothing more', async () => {
    const path = join(tempDir('not'), 'program');
    assert.match((await runProgram({ program: path, timeoutMs: 1000 })).failure!, /^could not be started: .*ENOENT/);
    writeFileSync(path, '#!/nowhere/sh\n', { mode: 0o755 });
    assert.match((await runProgram({ program: path, timeoutMs: 1000 })).failure!, /^could not be started: /);
  });

  it('need not read its input, however much that is', async () => {
    assert.equal((await run('exec true', { input: 'x'.repeat(1 << 20) })).failure, null);
  });

  it('may print without end: the last of it is kept', async () => {
    const result = await run('yes 0123456789 | head -c 3000000; echo the end');
    assert.ok(result.stdout.length <= KEPT_OUTPUT_BYTES);
    assert.match(result.stdout, /0123456789\nthe end\n$|the end\n$/);
  });

  it('that takes too long is told to end, with all it has started', async () => {
    const dir = tempDir('late');
    const result = await run(`sleep 100 & echo $! > ${dir}/pid; trap 'echo told; exit 0' TERM; wait`, {
      timeoutMs: 300,
    });
    assert.equal(result.failure, 'took longer than 0.3 s');
    assert.deepEqual([result.timedOut, result.ended, result.status], [true, true, null]);
    assert.match(result.stdout, /told/);
    const child = Number(readFileSync(join(dir, 'pid'), 'utf8'));
    await eventually(() => !lives(child), 'the child is gone too');
  });

  it('that does not listen is killed', async () => {
    const result = await run("trap '' TERM; while :; do sleep 0.05; done", { timeoutMs: 200, graceMs: 100 });
    assert.equal(result.failure, 'took longer than 0.2 s');
    assert.ok(result.ended);
    assert.ok(result.durationMs < 3000, `${result.durationMs} ms`);
  });

  it('that leaves a service behind is not waited for, and the service goes on', async () => {
    const dir = tempDir('service');
    const result = await run(`sleep 60 & echo $! > ${dir}/pid`);
    const service = Number(readFileSync(join(dir, 'pid'), 'utf8'));
    try {
      assert.equal(result.failure, null);
      assert.ok(result.durationMs < 5000);
      assert.ok(lives(service));
    } finally {
      process.kill(service, 'SIGKILL');
    }
  });
});

describe('the programs of a process', () => {
  it('are refused in the cluster directory', async () => {
    const dir = tempDir('shared');
    const programs = somePrograms(null, [dir]);
    const program = script('true', join(dir, 'hooks/program'));
    await refusalOf(
      () => programs.run('hook', { program, timeoutMs: 1000 }),
      'PROGRAM_NOT_TRUSTED',
      /^The hook .* lies in the cluster directory$/,
    );
  });

  it('end all at once when they are killed', async () => {
    const stateDir = tempDir('state');
    const programs = somePrograms(stateDir);
    const both = [1, 2].map(() => programs.run('driver', { program: script('sleep 60'), timeoutMs: 60_000 }));
    await eventually(() => readdirSync(join(stateDir, 'runs')).length === 2, 'two marks');
    programs.killAll();
    for (const result of await Promise.all(both)) assert.equal(result.failure, 'was killed by SIGKILL');
    assert.deepEqual(readdirSync(join(stateDir, 'runs')), []);
  });

  it('are found and killed when their process was, while the services that ended ones left behind live on', async () => {
    const stateDir = tempDir('state');
    const out = tempDir('out');
    const service = script(`sleep 60 > ${out}/log 2>&1 & echo $! > ${out}/service`);
    // It starts another process in a session of its own, as a driver may.
    const begun = script(`setsid sh -c 'echo $$ > ${out}/inner; sleep 60' & echo $$ > ${out}/begun; wait`);
    const code = `
      import { Programs } from ${JSON.stringify(join(ROOT, 'src/agentd/programs.ts'))};
      const programs = new Programs({ stateDir: ${JSON.stringify(stateDir)}, outside: [] });
      await programs.run('driver', { program: ${JSON.stringify(service)}, timeoutMs: 60000 });
      await programs.run('driver', { program: ${JSON.stringify(begun)}, timeoutMs: 60000 });`;
    const worker = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], { cwd: ROOT });
    const pidIn = (name: string) =>
      eventually(() => existsSync(join(out, name)) && Number(readFileSync(join(out, name), 'utf8')), name);
    const [inner, outer, left] = [await pidIn('inner'), await pidIn('begun'), await pidIn('service')];
    const gone = new Promise((resolve) => worker.on('exit', resolve));
    worker.kill('SIGKILL');
    await gone;
    try {
      assert.ok(lives(inner) && lives(outer), 'a killed worker leaves what it had begun');
      assert.deepEqual(await killLeftPrograms(stateDir, worker.pid! + 1_000_000), [], 'nobody else is touched');
      assert.ok(lives(inner));
      assert.deepEqual(await killLeftPrograms(stateDir, worker.pid!), []);
      assert.deepEqual([lives(inner), lives(outer), lives(left)], [false, false, true]);
      assert.deepEqual(readdirSync(join(stateDir, 'runs')), []);
    } finally {
      process.kill(left, 'SIGKILL');
    }
  });
});
