/** A volume's epoch only rises, and a cluster cannot be undone out of existence: what repair, restore and undo must keep. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, cfsJson, runCfs, tempDir } from '../kit/cli.js';
import { generationOf, inShell, refuses, tenNodes } from '../kit/commands.js';

type Row = Record<string, unknown>;

const volumes = (dir: string): Row[] => cfsJson(['volume', 'list'], { dir }).volumes as Row[];
const epochs = (dir: string): Map<unknown, number> =>
  new Map(volumes(dir).map((row) => [row.name, row.epoch as number]));
const nodeOf = (dir: string, volume: string): unknown => volumes(dir).find((row) => row.name === volume)?.currentNode;

/** A cluster that is balanced, lost CFN8 and got it back. */
function livedIn(): string {
  const dir = tenNodes();
  cfs(['rebalance'], { dir });
  cfs(['failover', 'CFN8'], { dir });
  return dir;
}

describe('epochs', () => {
  it('never fall by a repair that goes back behind a change of placement', () => {
    const dir = livedIn();
    cfs(['failback', 'CFN8'], { dir });
    cfs(['rebalance'], { dir });
    const before = epochs(dir);
    const newest = generationOf(dir);
    appendFileSync(join(dir, `manifests/${String(newest).padStart(10, '0')}.json`), 'x');
    cfs(['db', 'repair', '--yes'], { dir });
    for (const [volume, epoch] of epochs(dir)) {
      if (nodeOf(dir, String(volume)) !== null) assert.ok(epoch > before.get(volume)!, `${volume}: ${epoch}`);
    }
    assert.match(cfs(['db', 'check'], { dir }), /are whole/);
  });

  it('of a cluster made of a backup outrank those that were given out after it was made', () => {
    const dir = tenNodes();
    cfs(['rebalance'], { dir });
    const file = join(tempDir('backup'), 'b.cfs');
    cfs(['db', 'backup', file], { dir });
    cfs(['failover', 'CFN8'], { dir });
    const later = epochs(dir);
    const fresh = join(tempDir('fresh'), 'c');
    cfs(['db', 'restore', file, '--new', fresh, '--yes'], { dir });
    for (const [volume, epoch] of epochs(fresh)) assert.ok(epoch > later.get(volume)!, `${volume}: ${epoch}`);
    assert.equal(nodeOf(fresh, 's1'), 'CFN8');
    refuses(fresh, ['undo'], { status: 4, code: 'CANNOT_UNDO', says: /it made the cluster/ });
  });
});

describe('undo of a removal', () => {
  it('brings the volume back to its node, with a new epoch', () => {
    const dir = livedIn();
    const node = nodeOf(dir, 's1');
    const before = epochs(dir).get('s1')!;
    cfs(['volume', 'remove', 's1', '--yes'], { dir });
    cfs(['undo'], { dir });
    assert.equal(nodeOf(dir, 's1'), node);
    assert.ok(epochs(dir).get('s1')! > before);
  });

  it('leaves it unplaced where its node may not have it any more', () => {
    const dir = livedIn();
    const node = String(nodeOf(dir, 's1'));
    cfs(['volume', 'remove', 's1', '--yes'], { dir });
    cfs(['failover', node], { dir });
    assert.match(cfs(['undo', String(generationOf(dir) - 1)], { dir }), /1 volume not yet placed/);
    assert.equal(nodeOf(dir, 's1'), null);
  });

  it('gives nothing to another volume that has its name by now', () => {
    const dir = livedIn();
    cfs(['volume', 'remove', 's1', '--yes'], { dir });
    const removal = generationOf(dir);
    cfs(['volume', 'create', 's1', '--weight', '9'], { dir });
    assert.equal(runCfs(['undo', String(removal), '--force'], { dir }).status, 0);
    assert.equal(nodeOf(dir, 's1'), null);
    assert.equal(generationOf(dir), removal + 1);
  });
});

describe('what the status says of a volume on a node that may not have it', () => {
  it('is a warning, in cfs check too, until a rebalance takes it away', () => {
    const dir = livedIn();
    cfs(['domain', 'add', 'elsewhere'], { dir });
    cfs(['node', 'set', 'CFN9', '--domains', 'elsewhere'], { dir });
    assert.match(
      cfs(['status'], { dir }),
      /On nodes that may not have them \(cfs rebalance\)\n {2}e6: CFN9, no-common-domain/,
    );
    assert.match(runCfs(['check'], { dir }).stdout, /3 volumes on nodes that may not have them/);
    cfs(['rebalance'], { dir });
    assert.doesNotMatch(cfs(['status'], { dir }), /may not have them/);
  });
});

describe('a change whose JSON cannot be written', () => {
  it('says that it was committed (10)', () => {
    const dir = tenNodes();
    const { status, stderr } = inShell('cfs node set CFN1 --weight 6 --json >/dev/full', { dir });
    assert.equal(status, 10, stderr);
    assert.match(stderr, /"code": "COMMIT_UNSURE"[\s\S]*Generation 3 was committed/);
  });
});

describe('a consumer that resumes', () => {
  it('is told when the generation it wants cannot be the next', () => {
    const dir = tenNodes();
    const { status, stderr } = runCfs(['watch', '--from', '9', '--for', '1s'], { dir });
    assert.equal(status, 3);
    assert.match(stderr, /Generation 9 cannot be the next: the newest is \d+\nBegin with --from \d+/);
  });

  it('is not told "not committed" of what is no transaction', () => {
    const dir = tenNodes();
    refuses(dir, ['history', '--txid', 'zz'], { status: 2, code: 'USAGE', says: /no transaction/ });
    const { txid } = (cfsJson(['history', '-n', '1'], { dir }).history as Row[])[0]!;
    assert.equal(runCfs(['history', '--txid', String(txid).toUpperCase()], { dir }).status, 0);
  });
});
