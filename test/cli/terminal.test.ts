import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CFS, cfs, cfsJson, cleanEnv, needsProgram, runCfs, sampleCluster, tempDir } from '../kit/cli.js';

/** Runs cfs on a terminal of 80 columns and types answers; gives what was shown and the exit status. */
function onTerminal(
  args: string[],
  answers: string[],
  options: { dir?: string; cwd?: string; env?: Record<string, string> } = {},
) {
  const words = [process.execPath, CFS, ...args].map((word) => `{${word}}`).join(' ');
  const script = [
    'set timeout 20',
    'log_user 1',
    `set stty_init "rows 24 cols 80"`,
    `spawn -noecho ${words}`,
    ...answers,
    'expect eof',
    'catch wait result',
    'exit [lindex $result 3]',
  ].join('\n');
  const env = cleanEnv({ ...(options.dir ? { dir: options.dir } : {}), env: { TERM: 'xterm', ...options.env } });
  const { stdout, status } = spawnSync('expect', ['-c', script], {
    cwd: options.cwd ?? tempDir('cwd'),
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { shown: stdout.replaceAll('\r\n', '\n'), status };
}

describe('a destructive command', () => {
  const prepared = () => {
    const dir = sampleCluster();
    cfs(['group', 'add', 'spare'], { dir });
    return dir;
  };
  const groups = (dir: string) => cfs(['group', 'list', '-o', 'name'], { dir }).trim().split('\n');

  it('asks on a terminal, and goes on when the answer is yes', function () {
    needsProgram(this, 'expect');
    const dir = prepared();
    const { status } = onTerminal(['group', 'remove', 'spare'], ['expect -re {\\(y/N\\)}', 'send "y\\r"'], { dir });
    assert.equal(status, 0);
    assert.ok(!groups(dir).includes('spare'));
  });

  it('that is declined changes nothing, says so, and exits 9', function () {
    needsProgram(this, 'expect');
    const dir = prepared();
    const { status, shown } = onTerminal(['group', 'remove', 'spare'], ['expect -re {\\(y/N\\)}', 'send "n\\r"'], {
      dir,
    });
    assert.equal(status, 9);
    assert.match(shown, /Declined; nothing was changed/);
    assert.ok(groups(dir).includes('spare'));
  });

  it('that is interrupted at the question changes nothing and exits 130', function () {
    needsProgram(this, 'expect');
    const dir = prepared();
    const { status } = onTerminal(['group', 'remove', 'spare'], ['expect -re {\\(y/N\\)}', 'send "\\003"'], { dir });
    assert.equal(status, 130);
    assert.ok(groups(dir).includes('spare'));
  });

  it('needs --yes where nobody can be asked, and exits 2 without', () => {
    const dir = prepared();
    const { status, stderr } = runCfs(['group', 'remove', 'spare'], { dir, input: 'y\n' });
    assert.equal(status, 2);
    assert.match(stderr, /needs a confirmation.*\n.*--yes/);
    assert.equal(runCfs(['group', 'remove', 'spare', '--yes'], { dir }).status, 0);
  });
});

describe('cfs init on a terminal', () => {
  it('asks for what it needs, and makes the cluster', function () {
    needsProgram(this, 'expect');
    this.timeout(60_000);
    const cwd = tempDir('cwd');
    const answers = [
      ['Name of the cluster', 'paper'],
      ['Names of the nodes', 'a1,a2'],
      ['Groups', 'eng'],
      ['Domains', 'main'],
      ['How many volumes', '2'],
      ['Clients', 'c1,c2'],
    ].flatMap(([question, answer]) => [`expect {${question}}`, 'after 200', `send "${answer}\\r"`]);
    const { status, shown } = onTerminal(['init'], answers, { cwd });
    assert.equal(status, 0, shown);
    assert.ok(existsSync(join(cwd, '.cfs/cluster.json')));
    assert.match(cfs(['node', 'list', '-o', 'name'], { cwd }), /a1\n/);
    assert.equal(cfs(['client', 'list', '-o', 'name'], { cwd }), 'c1\nc2\n');
  });
});

describe('a table on a terminal', () => {
  const dir = sampleCluster();

  it('fits 80 columns, has colours, and says what -o wide adds', function () {
    needsProgram(this, 'expect');
    const { shown, status } = onTerminal(['node', 'list'], [], { dir });
    assert.equal(status, 0);
    assert.match(shown, /\u001b\[1m/);
    assert.match(shown, /-o wide adds .*RC/);
    const plain = shown.replace(/\u001b\[[0-9;]*m/g, '');
    for (const line of plain.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('has no colours with NO_COLOR', function () {
    needsProgram(this, 'expect');
    assert.doesNotMatch(onTerminal(['node', 'list'], [], { dir, env: { NO_COLOR: '1' } }).shown, /\u001b\[/);
  });
});

describe('standard output', () => {
  const dir = sampleCluster();
  const inShell = (line: string) =>
    spawnSync('bash', ['-o', 'pipefail', '-c', line], {
      env: cleanEnv({ dir }),
      encoding: 'utf8',
      timeout: 60_000,
      maxBuffer: 1 << 28,
    });
  const command = `'${process.execPath}' '${CFS}'`;

  it('whose reader went away ends quietly', () => {
    const { status, stderr } = inShell(
      `${command} init --sample 3x20000 --yes --dir '${dir}-big' >&2 && ${command} volume list --dir '${dir}-big' | head -n 1`,
    );
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /EPIPE|Error/);
  }).timeout(60_000);

  it('that is full is an error of its own, with status 1', function () {
    if (!existsSync('/dev/full')) this.skip();
    const { status, stderr } = inShell(`${command} node list > /dev/full`);
    assert.equal(status, 1);
    assert.match(stderr, /Cannot write to standard output: ENOSPC/);
  });

  it('gets everything through a slow pipe', () => {
    const slow = inShell(`${command} volume list --dir '${dir}-big' -o json | (sleep 0.5; cat)`);
    assert.equal((JSON.parse(slow.stdout) as { volumes: unknown[] }).volumes.length, 20_000);
    assert.equal((cfsJson(['volume', 'list'], { dir: `${dir}-big` }).volumes as unknown[]).length, 20_000);
  }).timeout(60_000);
});
