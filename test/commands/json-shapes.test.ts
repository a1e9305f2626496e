/**
 * What --json prints is a promise: the names and types of every field, compared with fixtures/json-shapes.json. A field may
 * be added; one that goes or changes its type needs a new schemaVersion. After an intended change write the file anew:
 * CFS_UPDATE_SHAPES=1 node --import tsx node_modules/mocha/bin/mocha.js test/commands/json-shapes.test.ts
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, runCfs, tempDir } from '../kit/cli.js';
import { FIXTURES, fileOf, livedInCluster, tenNodes } from '../kit/commands.js';
import { renewLease } from '../kit/leases.js';

type Shape = Record<string, string>;
const FILE = join(FIXTURES, 'json-shapes.json');

/** Fields whose keys are names of records: any key, one shape for all values. */
const KEYED_BY_NAME = new Set(['assignment', 'records']);

/** Every path with the types found there: `nodes[].weight: number`, `message: null|string`. */
function shapeOf(value: unknown): Shape {
  const found = new Map<string, Set<string>>();
  const walk = (path: string, at: unknown): void => {
    const type = at === null ? 'null' : Array.isArray(at) ? 'array' : typeof at;
    const types = found.get(path) ?? new Set();
    found.set(path, types.add(type));
    if (Array.isArray(at)) for (const item of at) walk(`${path}[]`, item);
    else if (at !== null && typeof at === 'object') {
      const isKeyed = KEYED_BY_NAME.has(path.split('.').at(-1)!);
      for (const [key, item] of Object.entries(at)) walk(`${path}.${isKeyed ? '*' : key}`, item);
    }
  };
  walk('', value);
  found.delete('');
  const paths = [...found].map(([path, types]): [string, string] => [path.slice(1), [...types].sort().join('|')]);
  return Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const backup = join(tempDir('shapes'), 'b.cfs');

/** Run one after another on one cluster; each line stands in the file under its words. */
const ON_LIVED_IN: string[][] = [
  ['status'],
  ['check'],
  ['history'],
  ['show'],
  ['show', 'nodes'],
  ['show', 'placements', 'v1'],
  ['diff', '4'],
  ['diff', '1', '3'],
  ['export'],
  ['node', 'list'],
  ['node', 'show', 'n1'],
  ['volume', 'list'],
  ['volume', 'show', 'v4'],
  ['volume', 'show', 'v1'],
  ['group', 'list'],
  ['domain', 'list'],
  ['cluster', 'show'],
  ['why', 'v1'],
  ['why', 'v4'],
  ['lock', 'show'],
  ['db', 'check'],
  ['db', 'stat'],
  ['db', 'backup', backup],
  ['version'],
  ['completion', 'bash'],
  ['node', 'add', 'n9', '--online'],
  ['node', 'set', 'n9', '--weight', '2'],
  ['node', 'rename', 'n9', 'n8'],
  ['node', 'standby', 'n8'],
  ['node', 'offline', 'n8'],
  ['node', 'online', 'n8'],
  ['failover', 'n8'],
  ['failback', 'n8'],
  ['node', 'offline', 'n8', '--dry-run'],
  ['failover', 'n8', '--explain'],
  ['node', 'remove', 'n8', '--yes'],
  ['volume', 'create', 'v9'],
  ['volume', 'set', 'v9', '--weight', '2'],
  ['volume', 'set', 'v9', '--weight', '3', '--dry-run'],
  ['volume', 'rename', 'v9', 'v8'],
  ['volume', 'remove', 'v8', '--yes'],
  ['group', 'add', 'fresh'],
  ['group', 'set', 'fresh', '--description', 'x'],
  ['group', 'rename', 'fresh', 'frozen'],
  ['group', 'remove', 'frozen', '--yes'],
  ['cluster', 'set', 'history.keep=500'],
  ['cluster', 'unset', 'history.keep'],
  ['cluster', 'freeze', '--for', '1h'],
  ['cluster', 'unfreeze'],
  ['undo'],
  ['undo', '--to', '7', '--yes'],
  ['apply', '-f', fileOf('volumes: [{name: v1, weight: 8}, {name: v7}]\n')],
  ['rebalance', '--explain'],
  ['db', 'restore', backup, '--yes'],
  ['db', 'compact'],
  ['db', 'repair', '--dry-run'],
  ['mail', 'send', 'n1', 'hello'],
  ['mail', 'list'],
  ['metrics'],
  ['mail', 'read', '--node', 'n1'],
];

/** One after another on another one: clients, mounts, requests. */
const WITH_CLIENTS: string[][] = [
  ['client', 'add', 'c1', 'c2', 'c3'],
  ['client', 'set', 'c1', '--auto-respond'],
  ['volume', 'allow', 'v1,v2', 'c1,c2,c3'],
  ['client', 'logon', 'c1'],
  ['client', 'logon', 'c2'],
  ['volume', 'unmount', 'v2', '--client', 'c2'],
  ['volume', 'mount', 'v2', '--client', 'c2'],
  ['volume', 'request-write', 'v1', '--client', 'c1'],
  ['volume', 'request-write', 'v1', '--client', 'c2', '--message', 'x'],
  ['volume', 'requests'],
  ['volume', 'access'],
  ['client', 'list'],
  ['client', 'show', 'c2'],
  ['volume', 'respond', 'v1', '--deny', '--message', 'later'],
  ['volume', 'request-write', 'v1', '--client', 'c2', '--message', 'again'],
  ['volume', 'withdraw', 'v1', '--client', 'c2'],
  ['volume', 'touch', 'v1', '--client', 'c1'],
  ['volume', 'refresh', 'v1', '--client', 'c2'],
  ['volume', 'mount', '--reconcile', '--client', 'c2'],
  ['volume', 'release-write', 'v1', '--client', 'c1'],
  ['volume', 'request-write', 'v1', '--client', 'c1', '--wait', '5s'],
  ['volume', 'disable', 'v1'],
  ['volume', 'enable', 'v1'],
  ['volume', 'control', 'v2', '--software-lock'],
  ['volume', 'lockout', 'v1', 'c2'],
  ['volume', 'unlock', 'v1', 'c2'],
  ['volume', 'deny', 'v1', 'c2'],
  ['client', 'logoff', 'c1'],
  ['client', 'remove', 'c3', '--yes'],
  ['history', '--access'],
  ['show', 'writers'],
  ['show', 'requests', 'v1/c2'],
];

/** The same where the agent of n1 has a lease. */
const WITH_AGENT: string[][] = [
  ['node', 'list'],
  ['node', 'show', 'n1'],
  ['volume', 'set', 'v1', '--weight', '7', '--wait', '10s'],
  ['cluster', 'upgrade'],
];

/** Fields of errors: they are the same for every command. */
const ERRORS: string[][] = [
  ['node', 'show', 'nobody'],
  ['node', 'set', 'n1', '--wieght', '3'],
  ['volume', 'remove', 'v1'],
  ['apply', '-f', fileOf('nodes: [')],
];

const title = (args: string[]): string =>
  args
    .map((arg) => (arg.startsWith('/') ? 'FILE' : arg))
    .join(' ')
    .replace(/^/, 'cfs ');

describe('the JSON of a command', function () {
  this.timeout(120_000);
  let found: Record<string, Shape>;
  let promised: Record<string, Shape>;

  before(() => {
    found = {};
    const dir = livedInCluster();
    for (const args of ON_LIVED_IN) {
      const { stdout, stderr, status } = runCfs([...args, '--json'], { dir });
      assert.equal(stderr, '', title(args));
      assert.equal(status, args[0] === 'check' ? 2 : 0, title(args));
      found[title(args)] = shapeOf(JSON.parse(stdout));
    }
    const clients = livedInCluster();
    for (const args of WITH_CLIENTS) {
      const { stdout, stderr, status } = runCfs([...args, '--json'], { dir: clients });
      assert.equal(status, 0, `${title(args)}\n${stderr}${stdout}`);
      found[title(args)] = shapeOf(JSON.parse(stdout));
    }
    const agents = livedInCluster();
    renewLease(
      agents,
      { node: 'n1', seq: 3, released: 900, applied: 900 },
      { problems: ['volume v1: does not start'] },
    );
    for (const args of WITH_AGENT) {
      found[`${title(args)} (with an agent)`] = shapeOf(JSON.parse(cfs([...args, '--json'], { dir: agents })));
    }
    const ten = tenNodes();
    found['cfs failover CFN8 --dry-run --explain (ten nodes)'] = shapeOf(
      JSON.parse(runCfs(['failover', 'CFN8', '--dry-run', '--explain', '--json'], { dir: ten }).stdout),
    );
    const fresh = join(tempDir('fresh'), 'cfs');
    const initial = ['init', '--sample', '2x3', '--yes'];
    found[title([...initial, '--dry-run'])] = shapeOf(
      JSON.parse(runCfs([...initial, '--dry-run', '--json'], { dir: fresh }).stdout),
    );
    found[title(initial)] = shapeOf(JSON.parse(runCfs([...initial, '--json'], { dir: fresh }).stdout));
    for (const args of ERRORS) {
      const { stdout, stderr } = runCfs([...args, '--json'], { dir });
      assert.equal(stdout, '');
      found[`${title(args)} (error)`] = shapeOf(JSON.parse(stderr));
    }
    if (process.env.CFS_UPDATE_SHAPES === '1') writeFileSync(FILE, `${JSON.stringify(found, null, 2)}\n`);
    promised = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Shape>;
  });

  it('has for every command the fields and types that were promised', () => {
    assert.deepEqual(Object.keys(found), Object.keys(promised));
    for (const [command, shape] of Object.entries(promised)) assert.deepEqual(found[command], shape, command);
  });

  it('begins with the version of its shape, but for an export, which is the file itself', () => {
    for (const [command, shape] of Object.entries(promised)) {
      if (command === 'cfs export' || command.endsWith('(error)')) continue;
      assert.equal(shape.schemaVersion, 'number', command);
    }
  });

  it('of every change has its generation, its base, its transaction and whether it was committed', () => {
    for (const args of ON_LIVED_IN) {
      const isChange =
        ['node', 'volume', 'group', 'cluster'].includes(args[0]!) && !['list', 'show'].includes(args[1]!);
      if (!isChange && !['rebalance', 'failover', 'failback', 'undo', 'apply'].includes(args[0]!)) continue;
      const { generation, base, committed, dryRun, txid } = promised[title(args)]!;
      assert.deepEqual([generation, base, committed, dryRun], ['number', 'number', 'boolean', 'boolean'], title(args));
      assert.match(txid!, /^(string|null)$/);
    }
  });
});
