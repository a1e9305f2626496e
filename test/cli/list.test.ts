import assert from 'node:assert/strict';
import { load } from 'js-yaml';
import { csvText, itemsOf, selectRows } from '../../src/render/list.js';
import { type Column, layoutTable } from '../../src/render/table.js';
import { cfs, cfsJson, runCfs, sampleCluster } from '../kit/cli.js';

interface Row {
  name: string;
  weight: number | null;
  groups: string[];
}

const COLUMNS: Column<Row>[] = [
  { key: 'name', value: (row) => row.name },
  { key: 'weight', value: (row) => row.weight },
  { key: 'groups', value: (row) => row.groups },
];
const ROWS: Row[] = [
  { name: 'n10', weight: 2, groups: ['eng', 'Ops'] },
  { name: 'n9', weight: null, groups: [] },
  { name: 'n1', weight: 10, groups: ['eng'] },
];
const names = (filters: string[], sort?: string) => selectRows(COLUMNS, ROWS, filters, sort).map((row) => row.name);

describe('--filter', () => {
  it('takes rows that are equal, unequal, or contain, whatever the letter case', () => {
    assert.deepEqual(names(['name=N9']), ['n9']);
    assert.deepEqual(names(['name!=n9']), ['n10', 'n1']);
    assert.deepEqual(names(['name~1']), ['n10', 'n1']);
    assert.deepEqual(names(['WEIGHT=10']), ['n1']);
  });

  it('looks into lists, and finds what has nothing', () => {
    assert.deepEqual(names(['groups=ops']), ['n10']);
    assert.deepEqual(names(['groups!=eng']), ['n9']);
    assert.deepEqual(names(['groups=']), ['n9']);
    assert.deepEqual(names(['weight=']), ['n9']);
  });

  it('given several times takes rows that meet all', () => {
    assert.deepEqual(names(['groups=eng', 'name~10']), ['n10']);
  });
});

describe('--sort', () => {
  it('puts numbers by size and names in natural order, nothing last both ways', () => {
    assert.deepEqual(names([], 'name'), ['n1', 'n9', 'n10']);
    assert.deepEqual(names([], '-name'), ['n10', 'n9', 'n1']);
    assert.deepEqual(names([], 'weight'), ['n10', 'n1', 'n9']);
    assert.deepEqual(names([], '-weight'), ['n1', 'n10', 'n9']);
  });
});

describe('a list in CSV', () => {
  it('quotes what needs it and nothing else', () => {
    const odd: Row[] = [{ name: 'a,"b"\nc', weight: 1, groups: ['x', 'y'] }];
    assert.equal(csvText(COLUMNS, odd), 'name,weight,groups\n"a,""b""\nc",1,"x,y"\n');
    assert.equal(csvText(COLUMNS, ROWS.slice(1, 2)), 'name,weight,groups\nn9,,\n');
  });
});

describe('a table', () => {
  it('is as wide as its widest cells, wide letters counted as two columns', async () => {
    const { lines } = await layoutTable(
      ['NAME', 'N'],
      [
        ['名前', '1'],
        ['ab', '22'],
      ],
      { right: [false, true] },
    );
    assert.deepEqual(lines, ['NAME   N', '名前   1', 'ab    22']);
  });

  it('drops columns from the right until it fits, the first never', async () => {
    const { lines, dropped } = await layoutTable(['AAAA', 'BBBB', 'CCCC'], [['1', '2', '3']], { width: 11 });
    assert.deepEqual([lines, dropped], [['AAAA  BBBB', '1     2'], ['CCCC']]);
    assert.deepEqual((await layoutTable(['AAAA', 'B'], [['1', '2']], { width: 2 })).dropped, ['B']);
  });
});

describe('cfs node list', () => {
  const dir = sampleCluster();

  it('gives the same rows in every format', () => {
    const json = cfsJson(['node', 'list'], { dir }) as { schemaVersion: number; nodes: { name: string }[] };
    assert.equal(json.schemaVersion, 1);
    assert.deepEqual(JSON.parse(cfs(['node', 'list', '-o', 'json'], { dir })), json);
    assert.deepEqual(load(cfs(['node', 'list', '-o', 'yaml'], { dir })), json);
    const expected = json.nodes.map((node) => node.name);
    assert.deepEqual(cfs(['node', 'list', '-o', 'name'], { dir }).trimEnd().split('\n'), expected);
    for (const format of ['table', 'wide', 'csv']) {
      const lines = cfs(['node', 'list', '-o', format], { dir }).trimEnd().split('\n').slice(1);
      assert.deepEqual(
        lines.map((line) => line.split(/[ ,]/)[0]),
        expected,
        format,
      );
    }
  });

  it('is without colours, control characters and talk when it is piped', () => {
    const { stdout, stderr } = runCfs(['node', 'list'], { dir });
    assert.doesNotMatch(stdout, /\u001b/);
    assert.equal(stderr, '');
  });

  it('says on standard error that nothing was found, with status 0', () => {
    const { stdout, stderr, status } = runCfs(['node', 'list', '--filter', 'name=zzz'], { dir });
    assert.deepEqual([stdout, stderr, status], ['', 'No nodes.\n', 0]);
  });

  it('has every column in JSON, under the names of --filter', () => {
    assert.deepEqual(itemsOf(COLUMNS, ROWS.slice(1, 2)), [{ name: 'n9', weight: null, groups: [] }]);
  });
});
