/** What can be wrong with a file that is applied, imported or started from. Told with line and column; nothing changes. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '../../src/core/errors.js';
import { runCfs, tempDir } from '../kit/cli.js';
import { contents, fileOf, refuses, smallCluster } from '../kit/commands.js';

/** A text, the words of the message, and the code where it is not BAD_FILE. */
type Case = [what: string, text: string | Uint8Array, says: RegExp, name?: string | undefined, code?: ErrorCode];

const DOCUMENTS: Case[] = [
  ['an unclosed bracket', 'nodes:\n  - name: a\n    weight: [1\n', /input\.yaml, line 4, column 1: /],
  ['a bad indentation', 'nodes:\n  - name: a\n   weight: 1\n', /input\.yaml, line 3, column \d+: /],
  ['a tab for indentation', 'nodes:\n\t- name: a\n', /input\.yaml, line 2, column \d+: .*tab/],
  ['a key twice', 'nodes: []\nnodes: []\n', /input\.yaml, line 2, column \d+: duplicated mapping key/],
  ['an unknown tag', 'nodes: !!js/function "x"\n', /line 1, column \d+: unknown tag/],
  ['an unclosed brace in JSON', '{"nodes": [', /x\.json, line 1, column 12: it ends too early/, 'x.json'],
  [
    'a key twice in JSON',
    '{"nodes": [],\n "nodes": []}',
    /x\.json, line 2, column 2: the key "nodes" .* twice/,
    'x.json',
  ],
  ['a comma too many in JSON', '{"nodes": [],}', /x\.json, line 1, column \d+: /, 'x.json'],
  ['nothing', '', /input\.yaml: it is empty/],
  ['blanks only', ' \n\n', /it is empty/],
  ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x41]), /it is not text in UTF-8/],
  ['a NUL', 'nodes:\n  - name: "a\0"\n', /line 2, column 13: it holds a NUL/],
  ['a section that is no list', 'nodes: 3\n', /nodes: 3 is not a list/],
  ['a document that is a list', '- a\n- b\n', /a cluster is a record with groups, domains, nodes, volumes/],
  ['an unknown section', 'nods: []\n', /no field "nods"; did you mean "nodes"\?/],
  ['an unknown field', 'nodes:\n  - {name: a, weigth: 3}\n', /nodes\[0\] "a": .*"weigth"; did you mean "weight"\?/],
  ['an unknown setting', 'cluster: {name: x, colour: red}\n', /cluster: there is no field "colour"; fields: name, /],
  ['a record that is a number', 'volumes: [7]\n', /volumes\[0\]: 7 is not a record with a name/],
  ['a record without a name', 'volumes: [{weight: 1}]\n', /volumes\[0\]: it has no name/],
  ['a number for a name', 'volumes: [{name: 7}]\n', /volumes\[0\], name: 7 is not text; .* needs quotes/],
  ['text for a weight', 'volumes: [{name: a, weight: "3"}]\n', /"a", weight: "3" is not allowed: a weight is/],
  ['a negative weight', 'volumes: [{name: a, weight: -1}]\n', /"a", weight: -1 is not allowed/],
  ['a weight that is no number', 'volumes: [{name: a, weight: .nan}]\n', /"a", weight: NaN is not allowed/],
  ['an infinite weight', 'volumes: [{name: a, weight: .inf}]\n', /"a", weight: Infinity is not allowed/],
  ['a weight beyond 2^53', 'volumes: [{name: a, weight: 9007199254740993}]\n', /"a", weight: 9007199254740992 is not/],
  ['a list for a group', 'volumes: [{name: a, group: [eng]}]\n', /"a", group: .* is not text/],
  ['text for a truth value', 'volumes: [{name: a, canGroupMigrate: "no"}]\n', /"a", canGroupMigrate: "no" is not/],
  ['a duration without a unit', 'nodes: [{name: a, updateInterval: 5}]\n', /"a", updateInterval: 5 has no unit/],
  ['a state that no node begins in', 'nodes: [{name: a, state: failed}]\n', /"a", state: "failed" is not allowed/],
  [
    'a name twice',
    'volumes: [{name: a}, {name: b}, {name: a}]\n',
    /volumes\[2\]: "a" is listed already, as volumes\[0\]/,
  ],
  [
    'a name in two Unicode forms',
    'nodes: [{name: "\u00e9"}, {name: "e\u0301"}]\n',
    /nodes\[1\]: .* listed already, as nodes\[0\]/,
  ],
  ['groups that differ in letter case', 'groups: [New, NEW]\n', /groups\[1\]: "NEW" is listed already, as groups\[0\]/],
  ['a path for a name', 'volumes: [{name: "../x"}]\n', /volumes\[0\].*"\.\.\/x" cannot be the name of a volume/],
  ['a control character in a name', 'volumes: [{name: "a\\u0007"}]\n', /"a\\u0007" cannot be the name/],
  ['a reserved name', 'nodes: [{name: ALL}]\n', /"ALL" is a reserved word/],
  ['__proto__ for a field', '{"nodes":[{"name":"a","__proto__":{"weight":9}}]}', /no field "__proto__"/, 'x.json'],
  [
    'a node that does not exist',
    'volumes: [{name: v9, preferredNode: n7}]\n',
    /Volume "v9": There is no node "n7"/,
    undefined,
    'NODE_NOT_FOUND',
  ],
  ['a YAML bomb', bomb(), /./],
  ['lists in lists', `nodes: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, /line 1, column \d+: nesting exceeded/],
];

function bomb(): string {
  const lines = ['a0: &a0 [x, x]'];
  for (let i = 1; i < 30; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}, *a${i - 1}]`);
  return `${lines.join('\n')}\nnodes: *a29\n`;
}

describe('a file that is wrong', function () {
  this.timeout(60_000);
  let dir: string;
  before(() => {
    dir = smallCluster();
  });

  for (const [what, text, says, name, code = 'BAD_FILE'] of DOCUMENTS) {
    it(`with ${what} is refused by apply, which changes nothing`, () => {
      const error = refuses(dir, ['apply', '-f', fileOf(text, name)], {
        status: code === 'BAD_FILE' ? 2 : 3,
        code,
        says,
        hint: /./,
      });
      assert.ok(error.message.length < 4000, 'the message is short');
    });
  }

  it('is told with all of its problems, up to twenty', () => {
    const text = `volumes:\n${Array.from({ length: 50 }, (_, i) => `  - {name: x${i}, weight: -${i + 1}}`).join('\n')}\n`;
    const { message } = refuses(dir, ['apply', '-f', fileOf(text)], {
      status: 2,
      code: 'BAD_FILE',
      says: /has at least 20 problems:\n {2}volumes\[0\] "x0", weight: -1/,
    });
    assert.equal(message.split('\n').length, 21);
  });

  it('is refused by init too, and no directory is made', () => {
    const cwd = tempDir('init');
    const file = fileOf('cluster: {name: x}\nnodes: [{name: a, weight: -1}]\n');
    const { status, stderr } = runCfs(['init', '--from', file, '--dir', 'new'], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /nodes\[0\] "a", weight: -1 is not allowed/);
    assert.deepEqual(contents(cwd), {});
  });

  it('without the name of the cluster is refused by init, which says what to add', () => {
    const cwd = tempDir('init');
    const { status, stderr } = runCfs(['init', '--from', fileOf('nodes: [{name: a}]\n')], { cwd });
    assert.equal(status, 2);
    assert.match(stderr, /does not name the cluster\nAdd to it: cluster: \{name: NAME\}/);
    assert.deepEqual(contents(cwd), {});
  });

  it('that is missing, a directory or unreadable is refused (3, 2, 5)', () => {
    refuses(dir, ['apply', '-f', '/nowhere/x.yaml'], {
      status: 3,
      code: 'FILE_NOT_FOUND',
      says: /"\/nowhere\/x\.yaml": there is no such file/,
    });
    const folder = join(tempDir('folder'), 'x.yaml');
    mkdirSync(folder);
    refuses(dir, ['apply', '-f', folder], { status: 2, code: 'BAD_FILE', says: /it is a directory/ });
    refuses(dir, ['volume', 'create', '-f', folder], { status: 2, code: 'BAD_FILE', says: /it is a directory/ });
  });

  it('with JSON lines names the line and the column', () => {
    const lines = '{"name":"a"}\n{"name":"b","weight":1}\n{"name":"c","weight":}\n';
    refuses(dir, ['volume', 'create', '-f', fileOf(lines, 'x.jsonl')], {
      status: 2,
      code: 'BAD_FILE',
      says: /x\.jsonl, line 3, column 22: /,
    });
    refuses(
      dir,
      ['volume', 'create', '-f', '-'],
      {
        status: 2,
        code: 'BAD_FILE',
        says: /^Standard input, line 3, column 22: /,
      },
      { input: lines },
    );
  });

  it('with one bad volume among many makes none of them, and names it', () => {
    const lines = Array.from({ length: 50 }, (_, i) =>
      JSON.stringify({ name: `x${i}`, group: i === 37 ? 'gone' : 'eng' }),
    );
    refuses(
      dir,
      ['volume', 'create', '-f', '-'],
      {
        status: 3,
        code: 'GROUP_NOT_FOUND',
        says: /^Volume "x37": There is no group "gone"$/,
        hint: /cfs group add gone/,
      },
      { input: lines.join('\n') },
    );
  });

  it('with a name of 10 MB is refused in a line', () => {
    for (const file of [
      fileOf(`volumes:\n  - name: ${'a'.repeat(10_000_000)}\n`),
      fileOf(`{"volumes":[{"name":"${'a'.repeat(10_000_000)}"}]}`, 'x.json'),
    ]) {
      const { message } = refuses(dir, ['apply', '-f', file], {
        status: 2,
        code: 'BAD_FILE',
        says: /longer than 80 bytes/,
      });
      assert.ok(message.length < 1000, `${message.length} characters`);
    }
  });

  it('larger than 64 MiB is refused before it is read to its end', () => {
    refuses(dir, ['apply', '-f', '/dev/zero'], { status: 2, code: 'BAD_FILE', says: /larger than 64MiB/ });
  });

  it('on a closed standard input is an empty one', () => {
    refuses(dir, ['volume', 'create', '-f', '-'], {
      status: 2,
      code: 'BAD_FILE',
      says: /^Standard input: it is empty/,
    });
  });
});
