import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { askStatus, serveStatus, socketPath } from '../../src/agentd/socket.js';
import { chooseStateDir, makeStateDir, readIdentity, writeIdentity } from '../../src/agentd/state-dir.js';
import { isAlive, lockHolder, lockState, processId } from '../../src/agentd/state-lock.js';
import { NodeProcesses } from '../../src/node/processes.js';
import { tempDir } from '../kit/cli.js';

const processes = new NodeProcesses();

describe('the state directory', () => {
  it('is made for its owner alone, and refused where others could write it or in the cluster directory', () => {
    const dir = join(tempDir('state'), 'a/b');
    makeStateDir(dir, '/shared/cfs');
    assert.equal(statSync(dir).mode & 0o7777, 0o700);
    makeStateDir(dir, '/shared/cfs');
    chmodSync(dir, 0o770);
    assert.throws(() => makeStateDir(dir, '/shared/cfs'), { code: 'UNSAFE_DIRECTORY' });
    assert.throws(() => makeStateDir('/shared/cfs/n1', '/shared/cfs'), { code: 'BAD_VALUE' });
    assert.throws(() => makeStateDir('/etc/passwd/n1', '/shared/cfs'), /cannot be made: ENOTDIR/);
  });

  it('is the one given, else the configured one, else named after cluster and node, with names encoded', () => {
    const wish = { served: { role: 'node', name: 'n 1' } as const, dir: '/shared/cfs', clusterName: () => 'a/b' };
    assert.equal(chooseStateDir({ ...wish, flag: '/x', configured: '/y' }), '/x');
    assert.equal(chooseStateDir({ ...wish, flag: undefined, configured: '/y' }), '/y');
    assert.equal(chooseStateDir({ ...wish, flag: undefined, configured: null }), '/var/lib/cfs/a%2Fb/n%201');
    const client = { ...wish, served: { role: 'client', name: 'n 1' } as const, flag: undefined };
    assert.equal(chooseStateDir({ ...client, configured: null }), '/var/lib/cfs/a%2Fb/client~n%201');
    assert.equal(chooseStateDir({ ...client, configured: '/y' }), '/y');
    assert.equal(chooseStateDir({ ...client, configured: '/y', isBesideNode: true }), '/y/client~n%201');
  });

  it('remembers whose it is', () => {
    const dir = tempDir('state');
    assert.equal(readIdentity(dir), null);
    const supervisor = processId(processes, process.pid);
    for (const role of ['node', 'client'] as const) {
      const identity = { role, name: 'x1', dir: '/shared/cfs', supervisor, worker: null };
      writeIdentity(dir, identity);
      assert.deepEqual(readIdentity(dir), identity);
      assert.equal(JSON.parse(readFileSync(join(dir, 'agentd.json'), 'utf8'))[role], 'x1');
    }
    writeFileSync(join(dir, 'agentd.json'), '{"no');
    assert.equal(readIdentity(dir), null);
  });
});

describe('the lock of the state directory', () => {
  it('is refused while its holder lives, and given back', () => {
    const dir = tempDir('lock');
    const unlock = lockState(dir, processes);
    assert.equal(lockHolder(dir, processes)?.pid, process.pid);
    assert.throws(() => lockState(dir, processes), { code: 'AGENT_RUNNING' });
    unlock();
    assert.equal(lockHolder(dir, processes), null);
    lockState(dir, processes)();
    assert.deepEqual(
      ['agentd.lock'].filter((name) => existsSync(join(dir, name))),
      [],
    );
  });

  it('that was left behind is taken over: gone, another process of that number, before the last boot, damaged', () => {
    const dir = tempDir('lock');
    const mine = processId(processes, process.pid);
    const leftBehind = [
      JSON.stringify({ ...mine, pid: 2 ** 22 + 1 }),
      JSON.stringify({ ...mine, startTime: '1' }),
      JSON.stringify({ ...mine, bootId: 'another' }),
      '{"pid":1',
      '',
    ];
    for (const text of leftBehind) {
      writeFileSync(join(dir, 'agentd.lock'), text);
      assert.equal(lockHolder(dir, processes), null, text);
      const unlock = lockState(dir, processes);
      assert.deepEqual(JSON.parse(readFileSync(join(dir, 'agentd.lock'), 'utf8')), mine);
      unlock();
    }
  });

  it('does not take a process for living that has ended and was not waited for', async () => {
    // The shell is stopped before it can wait for its child, which is a zombie then.
    const shell = spawn('/bin/sh', ['-c', 'sleep 0.01 & echo $!; kill -STOP $$'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = await new Promise<number>((resolve) => shell.stdout.on('data', (text) => resolve(Number(text))));
    const id = processId(processes, pid);
    for (let i = 0; i < 500 && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')); i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(processes.startTime(pid), id.startTime, 'it is there');
    assert.equal(isAlive(processes, id), false, 'and does not live');
    shell.kill('SIGKILL');
  });
});

describe('the status socket', () => {
  it('answers a line with a line, and belongs to its owner alone from the beginning', async () => {
    const dir = tempDir('socket');
    writeFileSync(socketPath(dir), 'left behind');
    const umask = process.umask();
    const server = await serveStatus(dir, () => ({ it: 'works' }));
    assert.equal(statSync(socketPath(dir)).mode & 0o777, 0o600);
    assert.equal(process.umask(), umask);
    assert.deepEqual(await askStatus(dir), { it: 'works' });
    server.close();
    assert.equal(await askStatus(dir), undefined);
    assert.equal(await askStatus(join(dir, 'none')), undefined);
  });

  it('of somebody who does not answer is given up', async () => {
    const dir = tempDir('socket');
    const server = await serveStatus(dir, () => ({}));
    server.removeAllListeners('connection');
    await assert.rejects(askStatus(dir, 50), { code: 'WAIT_TIMEOUT' });
    server.close();
  });

  it('is refused where its path is too long', async () => {
    const dir = join(tempDir('socket'), 'x'.repeat(120));
    mkdirSync(dir);
    await assert.rejects(
      serveStatus(dir, () => ({})),
      { code: 'BAD_VALUE' },
    );
  });
});
