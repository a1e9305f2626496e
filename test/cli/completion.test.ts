import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bounded, MAX_NAMES } from '../../src/cli/complete.js';
import { quoteForBash, splitLine } from '../../src/cli/shell-words.js';
import { CFS, cfs, cleanEnv, needsProgram, runCfs, sampleCluster, tempDir } from '../kit/cli.js';

/** A directory with a `cfs` in it, for PATH. */
function binDirectory(): string {
  const bin = tempDir('bin');
  symlinkSync(CFS, join(bin, 'cfs'));
  return bin;
}

const bin = binDirectory();
const dir = sampleCluster();
cfs(['node', 'add', 'my node'], { dir });
cfs(['node', 'add', "o'hara"], { dir });
cfs(['node', 'add', '"quoted" $x'], { dir });
const odd = ['my node', "o'hara", '"quoted" $x'];

function shell(program: string, argv: string[], input = ''): string[] {
  const env = cleanEnv({ dir });
  const { stdout, stderr, status } = spawnSync(program, argv, {
    env: { ...env, PATH: `${bin}:${env.PATH}`, TERM: 'xterm' },
    cwd: tempDir('cwd'),
    input,
    encoding: 'utf8',
    timeout: 30_000,
  });
  assert.equal(status, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

/** The replies of bash to a line with the cursor at its end. */
function inBash(line: string): string[] {
  const words = line.split(' ');
  const script = [
    'source <(cfs completion bash)',
    `COMP_LINE=${JSON.stringify(line).replaceAll('$', '\\$')}`,
    'COMP_POINT=${#COMP_LINE}',
    `COMP_WORDS=(${words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')})`,
    `COMP_CWORD=${words.length - 1}`,
    '_cfs_complete',
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  return shell('bash', ['--norc', '-c', script]);
}

/** The candidates of fish, without their descriptions. */
function inFish(line: string): string[] {
  const quoted = `'${line.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const lines = shell('fish', ['--no-config', '-c', `cfs completion fish | source\ncomplete -C ${quoted}`]);
  return lines.map((candidate) => candidate.split('\t')[0]!);
}

/** What zsh makes of a line when the tabulator is typed at its end: a terminal within zsh plays the user. */
function inZsh(line: string): string {
  const home = tempDir('zsh');
  writeFileSync(
    join(home, '.zshrc'),
    'autoload -Uz compinit; compinit -u -D; PS1="> "; source <(cfs completion zsh); print READY\n',
  );
  const driver = `
    zmodload zsh/zpty
    zpty shell ZDOTDIR=${home} zsh -i
    zpty -r -m shell text '*READY*'
    zpty -w shell "show() { print -r -- \\"BUFFER[\\$BUFFER]\\"; BUFFER=; zle accept-line }; zle -N show; bindkey '^X' show; print SET"
    zpty -r -m shell text '*SET*SET*'
    zpty -w -n shell ${`'${line.replaceAll("'", "'\\''")}'`}$'\\t\\t'
    zpty -w -n shell $'\\C-x'
    zpty -r -m shell text '*BUFFER\\[*\\]*'
    print -r -- "$text"
  `;
  const text = shell('zsh', ['-f', '-c', driver]).join('\n');
  return /BUFFER\[([\s\S]*?)\]/.exec(text)?.[1] ?? text;
}

describe('the words of a line that is being typed', () => {
  it('are split at blanks outside quotes, and unquoted', () => {
    const cases: [string, string[], string, string][] = [
      ['cfs node ', ['cfs', 'node'], '', ''],
      ['cfs node li', ['cfs', 'node'], 'li', ''],
      ['cfs node show my\\ no', ['cfs', 'node', 'show'], 'my no', ''],
      ['cfs node show "my no', ['cfs', 'node', 'show'], 'my no', '"'],
      ["cfs show 'it is", ['cfs', 'show'], 'it is', "'"],
      ['cfs x "a\\"b" c', ['cfs', 'x', 'a"b'], 'c', ''],
      ['cfs a\\', ['cfs'], 'a', ''],
    ];
    for (const [line, before, current, quote] of cases) {
      const { before: gotBefore, current: gotCurrent, quote: gotQuote } = splitLine(line);
      assert.deepEqual([gotBefore, gotCurrent, gotQuote], [before, current, quote], line);
    }
  });

  it('come back from bash as they were, whatever is in them', () => {
    for (const name of [...odd, 'a$(x)`y`', 'ünïcode 名', '~x', 'semi;colon & more', '*?[x]']) {
      for (const open of ['', '"', "'"] as const) {
        const quoted = quoteForBash(name, { before: [], current: '', raw: open, quote: open });
        const { stdout } = spawnSync('bash', ['-c', `printf %s ${open}${quoted}${open}`], { encoding: 'utf8' });
        assert.equal(stdout, name, `${open}${quoted}${open}`);
      }
    }
  });
});

describe('completion', () => {
  const ask = (...words: string[]) =>
    runCfs(['__complete', 'zsh', ...words], { dir })
      .stdout.split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split('\t')[0]);

  it('offers topics and commands, then the verbs of a topic', () => {
    const first = ask('');
    for (const word of ['node', 'volume', 'status', 'help']) assert.ok(first.includes(word), word);
    assert.ok(!first.some((word) => word!.startsWith('__')));
    assert.deepEqual(ask('node', 'l'), ['list']);
    assert.deepEqual(ask('help', 'node', 'sh'), ['show']);
    assert.deepEqual(ask('nonsense', ''), []);
  });

  it('offers live names where a name is wanted', () => {
    assert.deepEqual(ask('node', 'show', 'n'), ['n1', 'n2', 'n3']);
    assert.deepEqual(ask('volume', 'show', ''), ['v1', 'v2', 'v3']);
    assert.deepEqual(ask('volume', 'set', 'v1', 'v'), ['v1', 'v2', 'v3'], 'an argument that may be repeated');
    assert.deepEqual(ask('cluster', 'set', 'history.keepF'), ['history.keepFor']);
    assert.deepEqual(ask('node', 'show', 'n1', ''), [], 'no second name');
  });

  it('offers generations, the newest first', () => {
    assert.deepEqual(ask('node', 'list', '--at', ''), ['4', '3', '2', '1']);
  });

  it('offers flags, but not twice, and their values', () => {
    assert.ok(ask('node', 'list', '--').includes('--output'));
    assert.ok(!ask('node', 'list', '-o', 'wide', '--').includes('--output'));
    assert.ok(ask('node', 'list', '--filter', 'a=b', '--').includes('--filter'), 'may be repeated');
    assert.deepEqual(ask('node', 'list', '-o', 'w'), ['wide']);
    assert.deepEqual(ask('node', 'list', '--output=w'), ['--output=wide']);
    assert.deepEqual(ask('volume', 'create', 'v9', '--group', 'e'), ['eng']);
    assert.deepEqual(ask('node', 'set', 'n1', '--groups', 'eng,o'), ['eng,ops'], 'behind the comma');
  });

  it('asks for paths where a file or directory is wanted', () => {
    assert.deepEqual(ask('node', 'add', '-f', ''), [':files']);
    assert.deepEqual(ask('node', 'list', '--dir', ''), [':directories']);
  });

  it('reads the cluster that --dir names, before or behind the command', () => {
    const words = (argv: string[]) => runCfs(['__complete', 'zsh', ...argv]).stdout.split('\n')[0];
    assert.equal(words(['node', 'show', '--dir', dir, 'n']), 'n1');
    assert.equal(words(['--dir', dir, 'node', 'show', 'n']), 'n1');
  });

  it('keeps silent where there is no cluster, or a damaged one', () => {
    const { stdout, stderr, status } = runCfs(['__complete', 'bash', 'cfs node show '], { dir: tempDir('none') });
    assert.deepEqual([stdout, stderr, status], ['', '', 0]);
  });

  it('offers beginnings where there are too many names, each the longest that its names share', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => ({ value: `vol${String(i).padStart(6, '0')}` }));
    const first = bounded(names, 'v');
    assert.ok(first.isCut);
    assert.deepEqual(
      first.names.map(({ value }) => value),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((digit) => `vol0${digit}`),
    );
    const last = bounded(names.slice(0, MAX_NAMES), 'v');
    assert.deepEqual([last.isCut, last.names.length], [false, MAX_NAMES]);
  });

  it('answers in bounded time and space at 100,000 volumes', () => {
    const big = join(tempDir('big'), 'cfs');
    cfs(['init', '--sample', '10x100000', '--yes'], { dir: big, timeoutMs: 120_000 });
    const { stdout, status } = runCfs(['__complete', 'bash', 'cfs volume show vol'], { dir: big });
    assert.equal(status, 0);
    assert.ok(stdout.startsWith(':nospace\n') && stdout.length < 1000, stdout.slice(0, 200));
    const few = runCfs(['__complete', 'bash', 'cfs volume show vol00001'], { dir: big }).stdout.split('\n');
    assert.equal(few.filter((line) => line !== '').length, 10);
  }).timeout(120_000);
});

describe('completion in bash', () => {
  it('completes commands, flags and names', () => {
    assert.deepEqual(inBash('cfs node sh'), ['show']);
    assert.deepEqual(inBash('cfs node show n'), ['n1', 'n2', 'n3']);
    assert.deepEqual(inBash('cfs node list --output=w'), ['wide'], 'bash replaces what stands behind =');
  });

  it('quotes names as the line needs it', () => {
    assert.deepEqual(inBash('cfs node show my'), ['my\\ node']);
    assert.deepEqual(inBash('cfs node show "my'), ['my node']);
    assert.deepEqual(inBash('cfs node show o'), ["o\\'hara"]);
  });

  it('completes paths where a file is wanted', () => {
    mkdirSync(join(bin, 'sub'));
    assert.deepEqual(inBash(`cfs node add -f ${bin}/su`), [`${bin}/sub`]);
  });
});

describe('completion in fish', () => {
  it('completes commands, flags and names', function () {
    needsProgram(this, 'fish');
    assert.deepEqual(inFish('cfs node sh'), ['show']);
    assert.deepEqual(inFish('cfs node show n'), ['n1', 'n2', 'n3']);
    assert.deepEqual(inFish('cfs node list -o w'), ['wide']);
  });

  it('offers names with blanks and quotes', function () {
    needsProgram(this, 'fish');
    assert.deepEqual(
      inFish('cfs node show my').map((name) => name.replaceAll('\\', '')),
      ['my node'],
    );
  });
});

describe('completion in zsh', () => {
  it('completes a verb, a name, and a name with a blank', function () {
    needsProgram(this, 'zsh');
    this.timeout(60_000);
    assert.equal(inZsh('cfs node sho').trimEnd(), 'cfs node show');
    assert.equal(inZsh('cfs volume show --at 1 v').trimEnd(), 'cfs volume show --at 1 v1');
    assert.equal(inZsh('cfs node show my').trimEnd(), 'cfs node show my\\ node');
  });
});
