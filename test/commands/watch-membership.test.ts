import assert from 'node:assert/strict';
import { nodesFailed } from '../../src/core/membership/failed.js';
import { openCluster } from '../../src/open.js';
import { cfs, cfsJson } from '../kit/cli.js';
import { onTerminal, tenNodes } from '../kit/commands.js';

/** The ten nodes; generation 3 changes a volume, 4 finds that CFN8 has failed, 5 puts it online, 6 is no node's business. */
async function withFailure(): Promise<string> {
  const dir = tenNodes();
  cfs(['volume', 'create', 'extra', '--domains', 'ALL'], { dir });
  const cluster = await openCluster({ dir });
  const why = 'lease quiet for 10.2 s, confirmed by CFN2';
  await cluster.change(nodesFailed, { nodes: [{ node: 'CFN8', lease: 41, why }] });
  cfs(['node', 'online', 'CFN8', '--message', 'new power supply'], { dir });
  cfs(['volume', 'set', 'extra', '--weight', '2'], { dir });
  return dir;
}

const lines = (text: string): string[] => text.trimEnd().split('\n');
const watched = (dir: string, ...flags: string[]): string[] =>
  lines(cfs(['watch', '--from', '1', '--for', '300ms', ...flags], { dir }));

describe('membership changes', function () {
  this.timeout(60_000);
  let dir: string;
  before(async () => {
    dir = await withFailure();
  });

  it('are told by cfs watch --text with node, states, cause and the volumes that moved, beside time and author', () => {
    const told = watched(dir, '--text');
    assert.equal(told.length, 6);
    assert.match(
      told[0]!,
      /^1 .* init: CFN1, CFN2, CFN3, CFN4, CFN5 and 5 more added, online; CFN11, .* and 5 more added, offline$/,
    );
    assert.match(told[2]!, /^3 .* volume\.create: 1 volume$/);
    assert.match(
      told[3]!,
      /^4 20\S+Z \S+@\S+ node\.failed: CFN8 online -> failed \(lease quiet for 10\.2 s, confirmed by CFN2\); \d+ volumes moved$/,
    );
    const placed = cfsJson(['diff', '4', '--table', 'placements'], { dir }).changes as unknown[];
    // The one volume that had no node yet is placed as well.
    assert.equal(Number(/(\d+) volumes moved/.exec(told[3]!)![1]), placed.length);
    assert.match(told[4]!, /^5 .* node\.online: CFN8 failed -> online \(new power supply\)$/);
  });

  it('are all that --membership leaves, in lines and in JSON', () => {
    assert.deepEqual(
      watched(dir, '--text', '--membership').map((line) => line[0]),
      ['1', '4', '5'],
    );
    const generations = watched(dir, '--membership').map(
      (line) => (JSON.parse(line) as { generation: number }).generation,
    );
    assert.deepEqual(generations, [1, 4, 5]);
    assert.deepEqual(watched(dir, '--membership', '--count', '2').length, 2);
  });

  it('stand in history with their causes, and alone with --membership', () => {
    const all = cfs(['history'], { dir });
    assert.match(all, / MESSAGE +MEMBERSHIP\n/);
    assert.match(all, /^ +4 .*node\.failed.* CFN8 online -> failed \(lease quiet for 10\.2 s, confirmed by CFN2\)$/m);
    const some = lines(cfs(['history', '--membership', '-n', '2'], { dir }));
    assert.match(some[0]!, /^GEN +TIME +MEMBERSHIP +WHO/);
    assert.deepEqual(
      some.slice(1).map((line) => line.trim()[0]),
      ['5', '4'],
    );
  });

  it('are lists of sentences in JSON, empty for other generations', () => {
    const rows = cfsJson(['history'], { dir }).history as { generation: number; membership: string[] }[];
    assert.deepEqual(rows.find(({ generation }) => generation === 4)!.membership, [
      'CFN8 online -> failed (lease quiet for 10.2 s, confirmed by CFN2)',
    ]);
    assert.deepEqual(rows.find(({ generation }) => generation === 3)!.membership, []);
  });

  it('are as wide as the terminal in history --membership', function () {
    const { output, status } = onTerminal(this, ['history', '--membership'], [], { dir });
    assert.equal(status, 0);
    const [shown] = output.split('\r\n').filter((line) => line.includes('CFN8 online -> failed'));
    assert.match(shown!, /^ +4 .* CFN8 online -> failed \(lease quiet for 10.*…$/);
    assert.equal(shown!.length, 80);
  });
});
