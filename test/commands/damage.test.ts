/** Damage in the directory: refused with 8, the file and what to do next; reading never changes anything; repair works. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '../../src/core/errors.js';
import { FORMAT } from '../../src/core/model/format.js';
import { type CfsResult, cfs, runCfs, tempDir } from '../kit/cli.js';
import {
  changesNothing,
  contents,
  copyOf,
  database,
  errorOf,
  generationOf,
  inTurns,
  refuses,
  runBeside,
  smallCluster,
  tenNodes,
} from '../kit/commands.js';

const NEWEST = 'manifests/0000000002.json';

function damaged(change: (dir: string) => void): string {
  const dir = smallCluster();
  change(dir);
  return dir;
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 4;
  writeFileSync(path, bytes);
}

/** The manifest with its first line changed and a checksum that fits. */
function rewrite(path: string, change: (line: string) => string): void {
  const line = `${change(readFileSync(path, 'utf8').split('\n')[0]!)}\n`;
  writeFileSync(path, `${line}{"sum":"${createHash('sha256').update(line).digest('hex')}"}\n`);
}

const size = (path: string): number => readFileSync(path).length;

type Damage = [
  what: string,
  damage: (dir: string) => void,
  status: number,
  code: ErrorCode,
  says: RegExp,
  hint: RegExp,
];

const REPAIR = /cfs db check.*cfs db repair/;

const DAMAGES: Damage[] = [
  [
    'a manifest cut off',
    (d) => truncateSync(join(d, NEWEST), 100),
    8,
    'MANIFEST_DAMAGED',
    /0000000002\.json is not two whole lines/,
    REPAIR,
  ],
  [
    'an empty manifest',
    (d) => truncateSync(join(d, NEWEST), 0),
    8,
    'MANIFEST_DAMAGED',
    /0000000002\.json is not two whole lines/,
    REPAIR,
  ],
  [
    'a manifest without its last byte',
    (d) => truncateSync(join(d, NEWEST), size(join(d, NEWEST)) - 1),
    8,
    'MANIFEST_DAMAGED',
    /0000000002\.json/,
    REPAIR,
  ],
  ['a flipped bit in the data', (d) => flip(join(d, NEWEST), 300), 8, 'MANIFEST_DAMAGED', /checksum/, REPAIR],
  [
    'a flipped bit in the checksum',
    (d) => flip(join(d, NEWEST), size(join(d, NEWEST)) - 10),
    8,
    'MANIFEST_DAMAGED',
    /checksum/,
    REPAIR,
  ],
  [
    'no manifest at all',
    (d) => {
      rmSync(join(d, 'manifests'), { recursive: true });
      mkdirSync(join(d, 'manifests'));
    },
    8,
    'MANIFEST_DAMAGED',
    /no generation at all/,
    REPAIR,
  ],
  [
    'a newer format',
    (d) => rewrite(join(d, NEWEST), (line) => line.replace(`"format":${FORMAT}`, `"format":${FORMAT + 1}`)),
    4,
    'FORMAT_TOO_NEW',
    new RegExp(`Generation 2 is written in format ${FORMAT + 1}`),
    /newer cfs/,
  ],
  [
    'an empty cluster.json',
    (d) => writeFileSync(join(d, 'cluster.json'), ''),
    8,
    'CLUSTER_DAMAGED',
    /cluster\.json/,
    /backup/,
  ],
  [
    'a cluster.json of another program',
    (d) => writeFileSync(join(d, 'cluster.json'), '{"cluster":7}'),
    8,
    'CLUSTER_DAMAGED',
    /cluster\.json/,
    /backup/,
  ],
  [
    'no cluster.json',
    (d) => rmSync(join(d, 'cluster.json')),
    3,
    'CLUSTER_NOT_FOUND',
    /no cluster in .*cluster\.json/,
    /cfs init/,
  ],
];

const READ_AND_WRITE = [
  ['status', '--json'],
  ['node', 'list', '--json'],
  ['history', '--json'],
  ['node', 'set', 'n1', '--weight', '9', '--json'],
  ['rebalance', '--json'],
  ['undo', '--json'],
];

describe('a damaged database', function () {
  this.timeout(60_000);

  // What looks damaged may not have arrived yet: each command looks again for more than a second. All wait together.
  const found = new Map<string, { errors: CfsResult[]; check: CfsResult; isUntouched: boolean }>();
  before(async () => {
    const tried = DAMAGES.map(([what, damage]) => ({ what, dir: damaged(damage) }));
    const befores = tried.map(({ dir }) => database(dir));
    const work = tried.flatMap(({ dir }) => [...READ_AND_WRITE, ['check']].map((args) => () => runBeside(args, dir)));
    const results = await inTurns(work, 16);
    tried.forEach(({ what, dir }, i) => {
      const own = results.slice(i * (READ_AND_WRITE.length + 1), (i + 1) * (READ_AND_WRITE.length + 1));
      const isUntouched = JSON.stringify(database(dir)) === JSON.stringify(befores[i]);
      found.set(what, { errors: own.slice(0, -1), check: own.at(-1)!, isUntouched });
    });
  });

  for (const [what, , status, code, says, hint] of DAMAGES) {
    it(`with ${what} is refused by readers and writers alike (${status}, ${code})`, () => {
      const { errors, check, isUntouched } = found.get(what)!;
      for (const result of errors) {
        assert.equal(result.status, status, result.stdout + result.stderr);
        const error = errorOf(result);
        assert.equal(error.code, code);
        assert.match(error.message, says);
        assert.match(error.hint ?? '', hint);
      }
      assert.equal(check.status, 3);
      assert.match(check.stdout, /^CFS UNKNOWN - [^\n]+\n$/);
      assert.ok(isUntouched, 'nothing was changed');
    });
  }

  it('with a table file that is cut off, flipped or missing names the file', async () => {
    const dir = join(tempDir('tables'), 'cfs');
    cfs(['init', '--sample', '20x3000', '--yes'], { dir });
    const file = readdirSync(join(dir, 'tables')).find((name) => name.startsWith('volumes.'));
    assert.ok(file !== undefined, 'the volumes stand in table files');
    const table = join('tables', file);
    for (const damage of [
      (d: string) => truncateSync(join(d, table), 50),
      (d: string) => flip(join(d, table), 500),
      (d: string) => rmSync(join(d, table)),
    ]) {
      const copy = copyOf(dir);
      damage(copy);
      const before = database(copy);
      const results = await inTurns(
        [
          ['volume', 'list', '--json'],
          ['rebalance', '--json'],
          ['export', '--json'],
          ['db', 'check', '--json'],
        ].map((args) => () => runBeside(args, copy)),
      );
      for (const result of results) {
        assert.equal(result.status, 8, result.stderr);
        const error = errorOf(result);
        assert.equal(error.code, 'TABLE_DAMAGED');
        assert.match(error.message + JSON.stringify(error.details), new RegExp(file.replaceAll('.', '\\.')));
        assert.match(error.hint ?? '', /cfs db (check|repair)/);
      }
      assert.deepEqual(database(copy), before);
      // What does not need the file goes on.
      assert.match(changesNothing(copy, ['history']).stdout, /init/);
    }
  });

  it('can be looked at, rehearsed and repaired to the newest whole generation', () => {
    const dir = tenNodes();
    cfs(['node', 'set', 'CFN1', '--weight', '7'], { dir });
    truncateSync(join(dir, 'manifests/0000000003.json'), 100);
    assert.match(changesNothing(dir, ['db', 'check'], { status: 8 }).stdout, /0000000003\.json is not/);
    const rehearsed = changesNothing(dir, ['db', 'repair', '--dry-run']);
    assert.match(rehearsed.stdout, /generation 3 is given up; the database goes back to generation 2\./);
    refuses(dir, ['db', 'repair'], { status: 2, code: 'CONFIRMATION_NEEDED', says: /generation 3 is given up/ });
    assert.match(
      cfs(['db', 'repair', '--yes', '-m', 'disk'], { dir }),
      /Repaired: generation 3 is given up.*\nGeneration \d+\.\n$/,
    );
    assert.equal(runCfs(['check'], { dir }).status, 2);
    assert.match(cfs(['node', 'show', 'CFN1'], { dir }), /Weight: +2\n/);
    const before = generationOf(dir);
    cfs(['node', 'set', 'CFN1', '--weight', '4'], { dir });
    assert.equal(generationOf(dir), before + 1);
  });

  it('that is whole needs no repair', () => {
    const { stdout } = changesNothing(smallCluster(), ['db', 'repair', '--yes']);
    assert.match(stdout, /nothing to repair/);
  });

  it('whose cluster.json was lost is not taken for the beginning of another cluster (4)', () => {
    const dir = damaged((d) => rmSync(join(d, 'cluster.json')));
    refuses(dir, ['init', '--name', 'other', '--yes'], {
      status: 4,
      code: 'CLUSTER_EXISTS',
      says: /holds generation \d+ of a cluster whose cluster\.json is missing/,
      hint: /repeat what began it: cfs init .*another directory/,
    });
  });

  it('a backup that is cut off or flipped is refused (8), and an existing file is never overwritten (4)', () => {
    const dir = smallCluster();
    const file = join(tempDir('backup'), 'b.cfs');
    cfs(['db', 'backup', file], { dir });
    refuses(dir, ['db', 'backup', file], { status: 4, code: 'FILE_EXISTS', says: /b\.cfs/ });
    const cut = join(tempDir('backup'), 'cut.cfs');
    writeFileSync(cut, readFileSync(file).subarray(0, 500));
    refuses(dir, ['db', 'restore', cut, '--yes'], { status: 8, code: 'BACKUP_DAMAGED', says: /cut\.cfs/ });
    flip(file, 400);
    refuses(dir, ['db', 'restore', file, '--yes'], { status: 8, code: 'BACKUP_DAMAGED', says: /b\.cfs/ });
    const fresh = join(tempDir('fresh'), 'new');
    const { status } = runCfs(['db', 'restore', file, '--new', fresh, '--yes'], { dir });
    assert.equal(status, 8);
    assert.equal(existsSync(fresh) && contents(fresh)['cluster.json'] !== undefined, false);
  });
});
