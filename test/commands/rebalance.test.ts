/** The acceptance tables of spec/rebalance.md (sections 5, 6 and 9), through the command line. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, cfsJson, runCfs, tempDir } from '../kit/cli.js';
import { changesNothing, FIXTURES, generationOf, smallCluster, tenNodes } from '../kit/commands.js';

interface Placed {
  strategy: string;
  generation: number;
  committed: boolean;
  assignment: Record<string, string | null>;
  changed: string[];
  unassigned: { volume: string; reason: string }[];
  nodes: { name: string; remainingCapacity: number; idealCapacity: number; load: number; volumes: string[] }[];
  sumAbsRC: number;
  moves: number;
  forcedMoves: number;
  cycles: number;
  explanation?: string[];
}

const placed = (args: string[], dir: string) => cfsJson(args, { dir }) as unknown as Placed;
const fixture = (name: string) => JSON.parse(readFileSync(join(FIXTURES, 'placement', name), 'utf8'));

function fresh(file: string): string {
  const dir = join(tempDir('cluster'), 'cfs');
  cfs(['init', '--from', join(FIXTURES, file)], { dir });
  return dir;
}

/** Section 9, columns "final" and "volumes at the end". */
const FINAL: [node: string, remaining: string, volumes: string][] = [
  ['CFN1', '-5.13', 'e1 o2'],
  ['CFN2', '-1.56', 'a2 m2'],
  ['CFN3', '-16.56', 's2 o3'],
  ['CFN4', '-1.56', 'g1 g2 g3 e3 e5'],
  ['CFN5', '9.31', 'o1'],
  ['CFN6', '-0.56', 'a1 m3 e4'],
  ['CFN7', '11.88', 'o4'],
  ['CFN8', '-2.13', 's1 s3 a3 a4 e2 e8'],
  ['CFN9', '11.88', 'e6 o5 s4'],
  ['CFN10', '-2.56', 'm1 m6'],
];

/** Two digits, halves away from zero: every capacity of the example is a multiple of 1/16. */
const twoDigits = (value: number): string => ((Math.sign(value) * Math.round(Math.abs(value) * 100)) / 100).toFixed(2);

describe('cfs rebalance', function () {
  this.timeout(60_000);

  it('places the ten-node example as the acceptance table says', () => {
    const dir = fresh('ten-nodes.yaml');
    const result = placed(['rebalance'], dir);
    const { expected } = fixture('ten-nodes.json');
    assert.equal(result.strategy, 'staged');
    assert.equal(result.generation, 2);
    const byNode = new Map(result.nodes.map((node) => [node.name, node]));
    for (const [name, remaining, volumes] of FINAL) {
      const node = byNode.get(name)!;
      assert.equal(twoDigits(node.remainingCapacity), remaining, name);
      assert.deepEqual([...node.volumes].sort(), volumes.split(' ').sort(), name);
      for (const volume of node.volumes) assert.equal(result.assignment[volume], name);
    }
    assert.equal(Object.keys(result.assignment).length, 31);
    assert.equal(result.sumAbsRC, 63.125);
    assert.equal(result.moves, 27);
    assert.equal(result.forcedMoves, 27);
    assert.deepEqual(result.unassigned.map(({ volume, reason }) => `${volume} ${reason}`).sort(), [
      'e7 no-common-domain',
      'g4 no-common-domain',
      'm4 no-common-domain',
      'm5 group-locked',
    ]);
    assert.deepEqual(result.assignment, expected.final.assignment);
  });

  it('run again changes nothing and makes no generation', () => {
    const dir = tenNodes();
    const { stdout } = changesNothing(dir, ['rebalance', '--dry-run']);
    assert.match(stdout, /Dry run: nothing would change\.\n$/);
    const again = placed(['rebalance'], dir);
    assert.deepEqual([again.generation, again.committed, again.changed], [2, false, []]);
    assert.match(cfs(['rebalance'], { dir }), /balanced: nothing to change \(generation 2\)\.\n$/);
    assert.equal(generationOf(dir), 2);
  });

  it('rehearses without a generation, and then does what it showed', () => {
    const dir = fresh('ten-nodes.yaml');
    const rehearsed = JSON.parse(changesNothing(dir, ['rebalance', '--dry-run', '--json']).stdout) as Placed;
    const done = placed(['rebalance'], dir);
    assert.deepEqual(done.assignment, rehearsed.assignment);
    assert.deepEqual(done.changed, rehearsed.changed);
    assert.equal(rehearsed.committed, false);
    assert.equal(done.committed, true);
  });

  it('takes joining nodes in step by step: four, then Finance and Contacts, then Finance and Backups', () => {
    const dir = fresh('joining.yaml');
    const first = placed(['rebalance'], dir);
    assert.deepEqual(first.changed, ['Backups', 'Contacts', 'Finance', 'Source Code']);
    assert.deepEqual(new Set(Object.values(first.assignment)), new Set(['CFN1']));
    cfs(['node', 'online', 'CFN2'], { dir });
    const second = placed(['rebalance'], dir);
    assert.deepEqual(second.changed, ['Contacts', 'Finance']);
    assert.deepEqual(second.assignment, { Backups: 'CFN1', Contacts: 'CFN2', Finance: 'CFN2', 'Source Code': 'CFN1' });
    cfs(['node', 'online', 'CFN3'], { dir });
    const third = placed(['rebalance'], dir);
    assert.deepEqual(third.changed, ['Backups', 'Finance']);
    assert.deepEqual(third.assignment, { Backups: 'CFN3', Contacts: 'CFN2', Finance: 'CFN3', 'Source Code': 'CFN1' });
    assert.deepEqual(third.nodes.map(({ name, load }) => `${name} ${load}`).sort(), ['CFN1 2', 'CFN2 2', 'CFN3 3']);
    assert.equal(placed(['rebalance'], dir).committed, false);
  });

  it('explains every volume: its stage, its balancing moves, and why it went nowhere', () => {
    const dir = fresh('ten-nodes.yaml');
    const { stdout } = changesNothing(dir, ['rebalance', '--dry-run', '--explain']);
    assert.match(
      stdout,
      /^o1: 1158 CFN8 \(ops, level 3, RC 2\.88 -> -16\.13\); 1166\.1 CFN8 -> CFN5 \(19 < 33\.44\)$/m,
    );
    assert.match(stdout, /^a2: 1152 CFN2 \(preferred, RC 9\.44 -> 7\.44\)$/m);
    assert.match(stdout, /^m5: unassigned \(group-locked\)\n {2}CFN1: does not carry group mkt/m);
    assert.match(stdout, /^Imbalance 151 -> 63\.13; 27 moves \(27 forced\), weight 148\.$/m);
    assert.match(
      stdout,
      /^Strategy staged on generation 1: 10 of 20 nodes active, 28 of 31 volumes, weight 151 on 16$/m,
    );
    const { explanation } = JSON.parse(cfs(['rebalance', '--explain', '--json', '--dry-run'], { dir })) as Placed;
    assert.ok(explanation!.length > 31);
  });

  it('with --strict ends with 4 while a volume has no node, and publishes all the same', () => {
    const dir = fresh('ten-nodes.yaml');
    const { status, stdout } = runCfs(['rebalance', '--strict'], { dir });
    assert.equal(status, 4);
    assert.match(stdout, /Unplaced[\s\S]*m5: group-locked[\s\S]*Generation 2\.\n$/);
    assert.equal(runCfs(['rebalance', '--strict'], { dir: smallCluster() }).status, 0);
  });

  it('says in JSON what it says in text', () => {
    const dir = fresh('ten-nodes.yaml');
    const text = cfs(['rebalance', '--dry-run'], { dir });
    const { assignment, changed } = JSON.parse(cfs(['rebalance', '--dry-run', '--json'], { dir })) as Placed;
    const lines = text.match(/^ {2}\S+: - -> \S+$/gm) ?? [];
    assert.deepEqual(
      lines,
      changed.map((volume) => `  ${volume}: - -> ${assignment[volume]}`),
    );
  });
});
