/** -o table|wide|json|yaml|csv|name, --filter, --sort, --json, and names that are strange but allowed. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { CORE_SCHEMA, load } from 'js-yaml';
import stringWidth from 'string-width';
import { cfs, cfsJson, runCfs, tempDir } from '../kit/cli.js';
import { errorOf, refuses, smallCluster, tenNodes } from '../kit/commands.js';

type Row = Record<string, unknown>;
const LISTS: [args: string[], key: string][] = [
  [['node', 'list'], 'nodes'],
  [['volume', 'list'], 'volumes'],
  [['group', 'list'], 'groups'],
  [['domain', 'list'], 'domains'],
  [['cluster', 'show'], 'settings'],
  [['history'], 'history'],
];

/** RFC 4180 without line ends in cells. */
function parseCsvLine(line: string): string[] {
  const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g)!.map((cell) => cell.replace(/,$/, ''));
  if (!line.endsWith(',')) cells.pop();
  return cells.map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell));
}

describe('the formats of a list', function () {
  this.timeout(60_000);
  let dir: string;
  before(() => {
    dir = tenNodes();
  });

  for (const [args, key] of LISTS) {
    it(`cfs ${args.join(' ')} says the same in every format`, () => {
      const json = JSON.parse(cfs([...args, '-o', 'json'], { dir })) as Row;
      assert.deepEqual(json, cfsJson(args, { dir }), '-o json is --json');
      assert.equal(json.schemaVersion, 1);
      const rows = json[key] as Row[];
      assert.ok(rows.length > 0);
      assert.deepEqual(load(cfs([...args, '-o', 'yaml'], { dir }), { schema: CORE_SCHEMA }), json);
      const csv = cfs([...args, '-o', 'csv'], { dir })
        .trimEnd()
        .split('\n')
        .map(parseCsvLine);
      assert.deepEqual(csv[0], Object.keys(rows[0]!));
      assert.equal(csv.length, rows.length + 1);
      const first = Object.keys(rows[0]!)[0]!;
      assert.deepEqual(
        csv.slice(1).map(([cell]) => cell),
        rows.map((row) => String(row[first])),
      );
      const names = cfs([...args, '-o', 'name'], { dir })
        .trimEnd()
        .split('\n');
      assert.deepEqual(
        names,
        rows.map((row) => String(row[first])),
      );
      const table = cfs(args, { dir }).trimEnd().split('\n');
      assert.equal(table.length, rows.length + 1);
      assert.ok(
        table.every((line) => line === line.trimEnd()),
        'no trailing blanks',
      );
      const wide = cfs([...args, '-o', 'wide'], { dir })
        .trimEnd()
        .split('\n');
      assert.ok(wide[0]!.length >= table[0]!.length);
    });
  }

  it('filters and sorts by any column, shown or not', () => {
    const names = (...args: string[]) =>
      cfs([...args, '-o', 'name'], { dir })
        .trimEnd()
        .split('\n');
    assert.deepEqual(names('node', 'list', '--filter', 'state=online', '--filter', 'weight!=1'), [
      'CFN1',
      'CFN5',
      'CFN7',
      'CFN8',
      'CFN9',
    ]);
    assert.deepEqual(names('node', 'list', '--filter', 'groups=G&A', '--filter', 'state=ONLINE'), ['CFN4']);
    assert.deepEqual(names('volume', 'list', '--filter', 'currentNode='), ['e7', 'g4', 'm4', 'm5']);
    assert.deepEqual(names('volume', 'list', '--filter', 'canGroupMigrate=no'), ['m5']);
    assert.deepEqual(names('volume', 'list', '--filter', 'unplaced~common'), ['e7', 'g4', 'm4']);
    assert.deepEqual(names('volume', 'list', '--sort', '-weight').slice(0, 4), ['o1', 'o2', 'o3', 'm1']);
    assert.deepEqual(names('node', 'list', '--sort', 'name').slice(0, 3), ['CFN1', 'CFN2', 'CFN3']);
    assert.equal(names('node', 'list', '--sort', '-remainingCapacity')[0], 'CFN7');
    assert.deepEqual(names('history', '--filter', 'operation=init'), ['1']);
    assert.match(runCfs(['node', 'list', '--filter', 'name=nobody'], { dir }).stderr, /^No nodes\.\n$/);
    assert.deepEqual(cfsJson(['node', 'list', '--filter', 'name=nobody'], { dir }).nodes, []);
    assert.equal(cfs(['node', 'list', '--filter', 'name=nobody', '-o', 'name'], { dir }), '');
  });

  it('-o wide has the columns of the Tables 7 to 12', () => {
    const [head, first] = cfs(['node', 'list', '-o', 'wide'], { dir }).split('\n');
    assert.match(head!, /^NAME +STATE +RC +IC +WEIGHT +DOMAINS +GROUPS .*TOTAL +VOLUMES$/);
    assert.match(first!, /^CFN1 +online +-5\.13 +18\.88 +2 +CA,NY +eng,sal,ops .* 24 +e1,o2$/);
  });

  it('errors are JSON under --json wherever it stands, and nothing else is on either stream', () => {
    for (const args of [
      ['node', 'show', 'nobody', '--json'],
      ['--json', 'node', 'show', 'nobody'],
    ]) {
      const result = runCfs(args, { dir });
      assert.equal(result.status, 3);
      errorOf(result);
    }
    const done = runCfs(['rebalance', '--json', '--explain'], { dir });
    assert.equal(done.stderr, '');
    JSON.parse(done.stdout);
  });
});

/** Names that break programs: prototypes, markup, digits, other scripts, wide letters, formulas. */
const STRANGE = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '007',
  'true',
  'null',
  '<b>&amp;',
  '$(reboot)',
  '*',
  "it's",
  'say "hi"',
  'back\\slash',
  'a b',
  '日本語ボリューム',
  'שלום',
  'عربي',
  '🚀🛰',
  'Ünïcödé',
];

describe('strange names that are allowed', function () {
  this.timeout(60_000);

  it('go through every table, format and command as they are', () => {
    const dir = join(tempDir('strange'), 'cfs');
    const document = {
      cluster: { name: STRANGE[14] },
      groups: STRANGE,
      domains: STRANGE,
      nodes: STRANGE.map((name) => ({ name, groups: [name], domains: [name], state: 'online' })),
      volumes: STRANGE.map((name) => ({ name, group: name, domains: [name], preferredNode: name, weight: 2 })),
    };
    cfs(['init', '--from', '-'], { dir, input: JSON.stringify(document) });
    const { assignment, unassigned } = cfsJson(['rebalance'], { dir }) as { assignment: Row; unassigned: unknown[] };
    assert.deepEqual(unassigned, []);
    assert.deepEqual(Object.entries(assignment).sort(), STRANGE.map((name) => [name, name]).sort());
    const { nodes } = cfsJson(['node', 'list'], { dir }) as { nodes: Row[] };
    for (const row of nodes) assert.deepEqual(row.volumes, [row.name]);
    const { volumes } = load(cfs(['volume', 'list', '-o', 'yaml'], { dir }), { schema: CORE_SCHEMA }) as {
      volumes: Row[];
    };
    assert.deepEqual(volumes.map((row) => row.currentNode).sort(), [...STRANGE].sort());
    assert.deepEqual(cfs(['node', 'list', '-o', 'name'], { dir }).trimEnd().split('\n').sort(), [...STRANGE].sort());
    const again = join(tempDir('again'), 'cfs');
    cfs(['init', '--from', '-'], { dir: again, input: cfs(['export'], { dir }) });
    assert.equal(cfs(['export', '--json'], { dir: again }), cfs(['export', '--json'], { dir }));
    const { tables } = cfsJson(['show'], { dir }) as { tables: Row };
    assert.equal(tables.nodes, STRANGE.length);
    const { records } = cfsJson(['show', 'volumes'], { dir }) as { records: Row };
    assert.deepEqual(Object.keys(records).sort(), [...STRANGE].sort());
    for (const name of ['__proto__', '007', '*', '🚀🛰']) {
      assert.equal((cfsJson(['volume', 'show', name], { dir }).volume as Row).group, name);
      assert.ok(cfs(['why', name], { dir }).startsWith(`${name} is on ${name}, `));
      cfs(['node', 'set', name, '--weight', '3'], { dir });
      cfs(['failover', name], { dir });
      cfs(['failback', name], { dir });
      cfs(['volume', 'rename', name, `${name} 2`], { dir });
      cfs(['undo'], { dir });
    }
    refuses(dir, ['node', 'show', 'valueOf'], { status: 3, code: 'NODE_NOT_FOUND', says: /"valueOf"/ });
    refuses(dir, ['volume', 'create', '__proto__'], { status: 4, code: 'VOLUME_EXISTS', says: /"__proto__"/ });
    assert.equal(runCfs(['db', 'check'], { dir }).status, 0);
  });

  it('stand in columns of a table, wide letters counted as two', () => {
    const dir = smallCluster();
    for (const name of ['日本語', '🚀', 'é']) cfs(['node', 'add', name, '--weight', '5'], { dir });
    const lines = cfs(['node', 'list'], { dir }).trimEnd().split('\n');
    const column = stringWidth(lines[0]!.slice(0, lines[0]!.indexOf('WEIGHT'))) + 'WEIGHT'.length;
    for (const line of lines.slice(1)) {
      const digit = line.search(/ [1-9] /) + 2;
      assert.equal(stringWidth(line.slice(0, digit)), column, line);
    }
  });
});
