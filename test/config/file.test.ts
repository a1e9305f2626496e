import assert from 'node:assert/strict';
import { parseDocument, parseRecords, readDocument } from '../../src/core/config/file.js';
import { MAX_FILE_BYTES, parseText } from '../../src/core/config/parse-text.js';
import { refusalOf } from '../kit/memory.js';

const YAML = `
cluster:
  name: example
  lease.interval: 1s
groups: [Eng., {name: Sales, description: 'those who sell'}]
domains: [CA]
nodes:
  - name: n1
    weight: 2.5
    groups: [Eng.]
    domains: [CA]
    threshold: 0.75
    updateInterval: 1m
    state: online
volumes:
  - {name: v1, weight: 3, group: Any, domains: [ALL], preferredNode: n1, currentNode: null, canGroupMigrate: false}
`;

const DOCUMENT = {
  settings: { name: 'example', 'lease.interval': 1000 },
  groups: [{ name: 'Eng.' }, { name: 'Sales', description: 'those who sell' }],
  domains: [{ name: 'CA' }],
  nodes: [
    {
      name: 'n1',
      weight: 2.5,
      groups: ['Eng.'],
      domains: ['CA'],
      threshold: 0.75,
      updateIntervalMs: 60_000,
      state: 'online',
    },
  ],
  volumes: [
    {
      name: 'v1',
      weight: 3,
      group: 'Any',
      domains: ['ALL'],
      preferredNode: 'n1',
      currentNode: null,
      canGroupMigrate: false,
    },
  ],
};

const refuse = (text: string | Uint8Array, message: RegExp, source = 'c.yaml') =>
  refusalOf(() => parseDocument(text, source), 'BAD_FILE', message);

describe('a document', () => {
  it('reads the same from YAML and from JSON', async () => {
    assert.deepEqual(await parseDocument(YAML, 'c.yaml'), DOCUMENT);
    const json = JSON.stringify(await parseText(YAML, 'c.yaml'), null, 2);
    assert.deepEqual(await parseDocument(json, 'c.json'), DOCUMENT);
    assert.deepEqual(await parseDocument(json, 'standard input'), DOCUMENT);
    assert.deepEqual(await parseDocument(Buffer.from(`\ufeff${YAML}`), 'standard input'), DOCUMENT);
    assert.deepEqual(await parseDocument('{cluster: {name: x}}', 'standard input'), { settings: { name: 'x' } });
  });

  it('says nothing of a section that is absent or not filled in', async () => {
    assert.deepEqual(await parseDocument('cluster: {name: x}\nnodes:\n', 'c.yaml'), { settings: { name: 'x' } });
  });

  it('is refused with line and column where it is malformed', async () => {
    await refuse('nodes:\n  - name: n1\n   weight: 2\n', /^c\.yaml, line 3, column \d+: bad indentation/);
    await refuse('nodes: [\n', /^c\.yaml, line 2, column 1/);
    await refuse('a: 1\n---\nb: 2\n', /single document/);
    await refuse('nodes: !!js/function "x"\n', /unknown tag/);
    await refuse(
      '{"nodes": [\n  {"name": n1}\n]}',
      /^c\.json, line 2, column 12: "n" is not expected here, but a value$/,
      'c.json',
    );
    await refuse('{"nodes": [1,]}', /line 1, column 14: "\]" is not expected here, but a value/, 'c.json');
    await refuse('{"nodes": [1', /ends too early: expected a comma or the closing bracket/, 'c.json');
    await refuse('{"nodes": "x', /no closing quote/, 'c.json');
    await refuse('{"a": 1} {"b": 2}', /"\{" is not expected here, but the end/, 'c.json');
    await refuse('{"a": 01}', /"1" is not expected here/, 'c.json');
    await refuse('{"a": NaN}', /"N" is not expected here/, 'c.json');
  });

  it('is refused when a key stands twice, in YAML and in JSON', async () => {
    await refuse('cluster: {name: x}\ncluster: {name: y}\n', /^c\.yaml, line 2, column 1: duplicated mapping key/);
    await refuse(
      '{"cluster": {"name": "x",\n "n\\u0061me": "y"}}',
      /^c\.json, line 2, column 2: the key .* twice/,
      'c.json',
    );
  });

  it('is refused when it is empty, binary, too large or nested too deeply', async () => {
    await refuse('', /^c\.yaml: it is empty/);
    await refuse('  \n', /it is empty/);
    await refuse('# nothing\n', /not nothing|not null/);
    await refuse(Uint8Array.of(0xff, 0xfe, 0x41), /it is not text in UTF-8/);
    await refuse('nodes: a\0b', /line 1, column 9: it holds a NUL character/);
    await refuse(new Uint8Array(MAX_FILE_BYTES + 1), /larger than 64MiB/);
    await refuse('['.repeat(100_000), /nest/i);
    await refuse('['.repeat(100_000), /nested more than 64 deep/, 'c.json');
    await refuse('{"a":'.repeat(100_000), /nested more than 64 deep/, 'c.json');
    await refuse(`${'- '.repeat(100_000)}x`, /nest/i);
  });

  it('is not blown up by references within itself', async () => {
    const lines = ['a0: &a0 [x]'];
    for (let i = 1; i < 40; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      );
    await refuse(`${lines.join('\n')}\n`, /at least 20 problems/);
    await refuse(`x: &x [n]\nnodes: [*x, *x]\n`, /nodes\[0\]: a list is not a record/);
  });

  it('is refused with every unknown field and the nearest known one', async () => {
    const error = await refuse(
      'cluster: {nmae: x}\nnods: []\nnodes: [{name: n1, wieght: 2, foo: 1}]\nvolumes: [{name: v1, cangroupmigrate: true}]\n',
      /^c\.yaml has 5 problems:/,
    );
    assert.deepEqual(error.details?.problems, [
      'cluster: there is no field "nmae"; did you mean "name"?',
      'there is no field "nods"; did you mean "nodes"?',
      'nodes[0] "n1": there is no field "wieght"; did you mean "weight"?',
      'nodes[0] "n1": there is no field "foo"; fields: name, weight, groups, domains, threshold, updateInterval, state',
      'volumes[0] "v1": there is no field "cangroupmigrate"; did you mean "canGroupMigrate"?',
    ]);
  });

  it('is refused with every bad value, by place, name and field', async () => {
    const cases: [string, RegExp][] = [
      [
        'nodes: [{name: n1, weight: -1}]',
        /^c\.yaml: nodes\[0\] "n1", weight: -1 is not allowed: a weight is a decimal/,
      ],
      ['nodes: [{name: n1, weight: .nan}]', /weight: NaN is not allowed/],
      ['nodes: [{name: n1, weight: .inf}]', /weight: Infinity is not allowed/],
      ['nodes: [{name: n1, weight: "2"}]', /weight: "2" is not allowed/],
      ['nodes: [{name: n1, weight: ~}]', /weight: null is not allowed/],
      ['nodes: [{name: n1, weight: 0x10000000000000000}]', /weight: 18446744073709552000 is not allowed/],
      ['nodes: [{name: n1, threshold: 80}]', /threshold: 80 is not allowed: a threshold is a number from 0 to 1/],
      ['nodes: [{name: n1, updateInterval: 10}]', /updateInterval: 10 has no unit; write it like 10s/],
      ['nodes: [{name: n1, updateInterval: 2h}]', /updateInterval: 7200000 is not allowed/],
      ['nodes: [{name: n1, state: failed}]', /state: "failed" is not allowed: a node begins online or offline/],
      ['nodes: [{name: n1, groups: Eng}]', /groups: "Eng" is not a list/],
      ['nodes: [{name: n1, groups: [1]}]', /groups: 1 is not text; a name that looks like a number/],
      ['nodes: [{name: 007}]', /name: 7 is not text/],
      ['nodes: [{weight: 1}]', /nodes\[0\]: it has no name/],
      ['nodes: [n1]', /nodes\[0\]: "n1" is not a record with a name/],
      ['nodes: {n1: {}}', /nodes: an object is not a list/],
      ['nodes: [{name: "../x"}]', /name: "\.\.\/x" cannot be the name of a node: it contains "\/"/],
      ['nodes: [{name: "a\\u001b[2Jb"}]', /"a\\u001b\[2Jb" cannot be/],
      ['nodes: [{name: none}]', /reserved word/],
      ['nodes: [{name: n1}, {name: n1}]', /nodes\[1\]: "n1" is listed already, as nodes\[0\]/],
      ['volumes: [{name: "caf\\u00e9"}, {name: "cafe\\u0301"}]', /volumes\[1\]: "café" is listed already/],
      ['groups: [CA, ca]', /groups\[1\]: "ca" is listed already, as groups\[0\]/],
      ['volumes: [{name: v1, canGroupMigrate: yes}]', /canGroupMigrate: "yes" is not allowed: it is true or false/],
      ['volumes: [{name: v1, enabled: 1}]', /volumes\[0\] "v1", enabled: 1 is not allowed: it is true or false/],
      ['clients: [{name: c1, autoRespond: on}]', /autoRespond: "on" is not allowed: it is true or false/],
      ['clients: [{name: "a/b"}]', /"a\/b" cannot be the name of a client: it contains "\/"/],
      ['clients: [{name: c1}, {name: c1}]', /clients\[1\]: "c1" is listed already, as clients\[0\]/],
      ['clients: [c1]', /clients\[0\]: "c1" is not a record with a name/],
      ['access: [v1]', /access\[0\]: "v1" is not a record with a volume and a client/],
      ['access: [{volume: v1, mount: true}]', /access\[0\]: it has no client/],
      ['access: [{volume: 1, client: c1}]', /access\[0\], volume: 1 is not text/],
      ['access: [{volume: v1, client: c1, mout: true}]', /access\[0\] "v1\/c1": there is no field "mout".*"mount"/],
      [
        'access: [{volume: v1, client: c1, autoUpdateInterval: 50ms}]',
        /access\[0\] "v1\/c1", autoUpdateInterval: 50 is not allowed: an interval is from 100ms/,
      ],
      ['access: [{volume: v1, client: c1, autoUpdateInterval: 30}]', /30 has no unit; write it like 10s/],
      [
        'access: [{volume: v1, client: c1}, {client: c1, volume: v1}]',
        /access\[1\]: "v1\/c1" is listed already, as access\[0\]/,
      ],
      ['cluster: {lock.stale: 1s}', /cluster, lock\.stale: .* from 2s to 10m/],
      ['cluster: {lock.stale: 10}', /10 has no unit/],
      ['cluster: small', /cluster: "small" is not a record/],
      ['- n1', /a cluster is a record with groups, domains, nodes, volumes, clients, access, not a list/],
      ['{"__proto__": {"name": "x"}}', /there is no field "__proto__"/],
    ];
    for (const [text, message] of cases) {
      const error = await refuse(text, message, 'c.yaml');
      assert.equal(error.exitStatus, 2);
    }
  });

  it('is refused without repeating a name of ten megabytes, and stops at 20 problems', async () => {
    const long = await refuse(`nodes: [{name: ${'x'.repeat(10_000_000)}}]`, /longer than 80 bytes/);
    assert.ok(long.message.length < 1000);
    const many = await refuse(`nodes: [${'{name: n1, weight: -1},'.repeat(5000)}]`, /at least 20 problems/);
    assert.equal((many.details?.problems as string[] | undefined)?.length, 20);
  });

  it('may be plain data, as a script has it', () => {
    assert.deepEqual(readDocument({ nodes: [{ name: 'n1' }] }, 'the request'), { nodes: [{ name: 'n1' }] });
  });
});

describe('bulk input', () => {
  const NODES = [{ name: 'n1', weight: 2 }, { name: 'n2' }];

  it('is a bare list, a section, JSON lines, or one record', async () => {
    const forms: [string, string][] = [
      ['- {name: n1, weight: 2}\n- name: n2\n', 'nodes.yaml'],
      ['nodes:\n- {name: n1, weight: 2}\n- name: n2\n', '-'],
      ['[{"name": "n1", "weight": 2}, {"name": "n2"}]', '-'],
      ['{"nodes": [{"name": "n1", "weight": 2}, {"name": "n2"}]}', 'x.json'],
      ['{"name": "n1", "weight": 2}\n\n{"name": "n2"}\n', '-'],
      ['{"name": "n1", "weight": 2}\r\n{"name": "n2"}\r\n', 'x.jsonl'],
    ];
    for (const [text, source] of forms) assert.deepEqual(await parseRecords('nodes', text, source), NODES, text);
    assert.deepEqual(await parseRecords('nodes', '{"name": "n2"}', '-'), [{ name: 'n2' }]);
    assert.deepEqual(await parseRecords('groups', '[a, {name: b, description: c}]', '-'), [
      { name: 'a' },
      { name: 'b', description: 'c' },
    ]);
  });

  it('is refused with the line that is wrong', async () => {
    const lines = '{"name": "n1"}\n{"name": "n2",}\n';
    await refusalOf(() => parseRecords('nodes', lines, 'x.jsonl'), 'BAD_FILE', /^x\.jsonl, line 2, column 15: "\}"/);
    await refusalOf(
      () => parseRecords('nodes', 'nodes: []\nvolumes: []\n', '-'),
      'BAD_FILE',
      /only nodes are read here, not "volumes"/,
    );
    await refusalOf(() => parseRecords('nodes', 'n1', '-'), 'BAD_FILE', /nodes: "n1" is not a list/);
  });
});
