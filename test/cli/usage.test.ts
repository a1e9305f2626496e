import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, cfsJson, cleanEnv, ROOT, runCfs, sampleCluster, tempDir } from '../kit/cli.js';

const dir = sampleCluster();

/** A failed run: status, and the two lines on standard error. */
function refusal(args: string[], env?: Record<string, string>) {
  const { status, stdout, stderr } = runCfs(args, { dir, ...(env ? { env } : {}) });
  assert.equal(stdout, '', 'standard output stays empty');
  return { status, lines: stderr.trimEnd().split('\n') };
}

describe('wrong usage', () => {
  const cases: [title: string, args: string[], happened: RegExp, hint: RegExp][] = [
    ['an unknown command', ['nonsense'], /no command "nonsense"/, /cfs help/],
    ['a mistyped topic', ['nod', 'list'], /no command "nod"/, /Did you mean "cfs node"/],
    ['a mistyped verb', ['node', 'lst'], /no command "node lst"/, /Did you mean "cfs node list"/],
    ['a mistyped flag', ['node', 'set', 'n1', '--weigth', '2'], /no flag --weigth/, /Did you mean --weight/],
    ['an unknown flag', ['node', 'list', '--zzzzzz'], /no flag --zzzzzz/, /--help/],
    ['a flag without its value', ['node', 'set', 'n1', '--weight'], /--weight expects a value/, /--help/],
    ['a flag given twice', ['node', 'set', 'n1', '--weight', '1', '--weight', '2'], /only be specified once/, /--help/],
    ['a missing argument', ['node', 'show'], /needs NAME/, /--help/],
    ['one argument too many', ['node', 'show', 'n1', 'n2'], /does not take "n2"/, /--help/],
    [
      'a value that is no number',
      ['node', 'set', 'n1', '--weight', 'x'],
      /"x" is no number for --weight/,
      /2 or 0\.75/,
    ],
    ['NaN', ['node', 'set', 'n1', '--weight', 'NaN'], /"NaN" is no number/, /decimal/],
    ['a generation that is none', ['node', 'list', '--at', '-1'], /--at/, /./],
    ['a wrong format', ['node', 'list', '-o', 'xml'], /--output=xml to be one of/, /--help/],
    ['a filter that is none', ['node', 'list', '--filter', 'x'], /"x" is no condition/, /KEY=VALUE/],
    ['a filter on an unknown field', ['node', 'list', '--filter', 'x=1'], /names "x"/, /Its fields are name/],
    ['an order by an unknown field', ['node', 'list', '--sort', '-x'], /--sort names "x"/, /Its fields are name/],
    ['a duration without a unit', ['node', 'set', 'n1', '--weight', '1', '--wait', '5'], /--wait/, /30s/],
    ['a flag before any command', ['--zzz'], /no flag --zzz/, /command comes first/],
  ];
  for (const [title, args, happened, hint] of cases) {
    it(`${title} exits 2 and says what to do`, () => {
      const { status, lines } = refusal(args);
      assert.equal(status, 2);
      assert.equal(lines.length, 2, lines.join('\n'));
      assert.match(lines[0]!, happened);
      assert.match(lines[1]!, hint);
    });

    it(`${title} is an object on standard error under --json`, () => {
      const { status, lines } = refusal([...args, '--json']);
      const { error } = JSON.parse(lines.join('\n')) as { error: Record<string, unknown> };
      assert.equal(status, 2);
      assert.match(String(error.message), happened);
      assert.equal(typeof error.code, 'string');
    });
  }

  it('changes nothing', () => {
    assert.equal(cfsJson(['node', 'list'], { dir }).generation, 1);
  });

  it('shows names from outside with their control characters escaped', () => {
    const { lines } = refusal(['node', 'show', 'a\u001b[2J\u202eb']);
    assert.doesNotMatch(lines.join('\n'), /[\u001b\u202e]/);
  });

  it('does not repeat a very long argument', () => {
    const { status, lines } = refusal(['node', 'show', 'x'.repeat(100_000)]);
    assert.equal(status, 2);
    assert.ok(lines.join('').length < 1000);
  });

  it('is not read from standard input: an argument that is missing stays missing', () => {
    assert.equal(runCfs(['node', 'show'], { dir, input: 'n1\n' }).status, 2);
  });
});

describe('an error', () => {
  it('has the status of its kind', () => {
    assert.equal(refusal(['node', 'show', 'nx']).status, 3);
    assert.equal(refusal(['node', 'set', 'n1', '--weight', '5', '--expect-generation', '99']).status, 4);
    assert.equal(runCfs(['node', 'list'], { dir: join(tempDir('no'), 'x') }).status, 3);
  });

  it('that is a bug asks for a report, with a stack only on request', () => {
    const program = `
      const { reportError } = await import(${JSON.stringify(join(ROOT, 'src/cli/report.ts'))});
      process.exitCode = reportError(new TypeError('x is not a function\\nmore'), 'cfs', false);
    `;
    const run = (env: Record<string, string>) =>
      spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
        cwd: ROOT,
        env: cleanEnv({ env }),
        encoding: 'utf8',
      });
    const plain = run({});
    assert.equal(plain.status, 1);
    assert.match(
      plain.stderr,
      /^This is a bug in cfs: TypeError: x is not a function\. Please report it.*CFS_DEBUG=1.*\n$/,
    );
    assert.match(run({ CFS_DEBUG: '1' }).stderr, /^\s+at /m);
  });
});

describe('which cluster is meant', () => {
  it('is told by --dir before CFS_DIR before configuration before the nearest .cfs upward', () => {
    const home = tempDir('home');
    const cwd = tempDir('cwd');
    const make = (name: string, at: string) => cfs(['init', '--name', name, '--yes'], { dir: at });
    for (const [name, at] of [
      ['flag', join(cwd, 'flag')],
      ['env', join(cwd, 'env')],
      ['config', join(home, 'cluster')],
      ['upward', join(cwd, '.cfs')],
    ] as const) {
      make(name, at);
    }
    const below = join(cwd, 'a/b');
    mkdirSync(below, { recursive: true });
    mkdirSync(join(home, '.config/cfs'), { recursive: true });
    const config = join(home, '.config/cfs/config.json');
    writeFileSync(config, JSON.stringify({ dir: join(home, 'cluster') }));
    const name = (args: string[], env: Record<string, string>) =>
      /^Cluster: +(\S+)/m.exec(cfs(['status', ...args], { cwd: below, env: { HOME: home, ...env } }))?.[1];
    assert.equal(name(['--dir', join(cwd, 'flag')], { CFS_DIR: join(cwd, 'env') }), 'flag');
    assert.equal(name([], { CFS_DIR: join(cwd, 'env') }), 'env');
    assert.equal(name([], {}), 'config');
    rmSync(config);
    assert.equal(name([], {}), 'upward');
  });

  it('is refused with the file and the reason where a configuration file is malformed', () => {
    const home = tempDir('home');
    mkdirSync(join(home, '.config/cfs'), { recursive: true });
    writeFileSync(join(home, '.config/cfs/config.json'), '{"dir": 7}');
    const { status, stderr } = runCfs(['status'], { env: { HOME: home } });
    assert.equal(status, 2);
    assert.match(stderr, /config\.json is not a valid configuration file: "dir" is not text/);
  });

  it('may stand before the command', () => {
    assert.equal(cfs(['--dir', dir, 'node', 'list', '-o', 'name']), 'n1\nn2\nn3\n');
    assert.equal(cfs([`--dir=${dir}`, 'node', 'list', '-o', 'name']), 'n1\nn2\nn3\n');
  });

  it('is not known in an empty folder: cfs tells how to begin, a command how to go on', () => {
    const { stdout, status } = runCfs([]);
    assert.equal(status, 0);
    assert.match(stdout, /cfs init/);
    assert.match(runCfs([], { dir }).stdout, /cfs status/);
    const { stderr, status: refused } = runCfs(['status']);
    assert.equal(refused, 2);
    assert.match(stderr, /No cluster was named.*\n.*cfs init/);
  });
});
