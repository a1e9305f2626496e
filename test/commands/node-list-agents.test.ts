import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { aboutText } from '../../src/render/agent.js';
import { cfs, cfsJson } from '../kit/cli.js';
import { smallCluster } from '../kit/commands.js';
import { renewLease } from '../kit/leases.js';

/** A cluster of n1, whose agent runs, n2, whose agent left, and n3, which never had one. */
function withAgents(): string {
  const dir = smallCluster();
  const problems = ['volume v1: its file system does not start'];
  renewLease(dir, { node: 'n1', seq: 41, released: 2, applied: 1 }, { version: '0.4.0', host: 'alpha', problems });
  const hourAgo = Date.now() / 1000 - 3600;
  utimesSync(join(dir, 'leases', 'n1.41.2.1.10000'), hourAgo, hourAgo);
  renewLease(dir, { node: 'n2', seq: 7, released: 2, applied: null }, null);
  return dir;
}

type Item = Record<string, unknown>;

describe('cfs node list and show, of agents', function () {
  this.timeout(60_000);

  it('show no columns of agents where none ever ran, and null in JSON', () => {
    const dir = smallCluster();
    assert.match(cfs(['node', 'list'], { dir }), /^NAME {2}STATE {3}WEIGHT {2}DOMAINS {4}GROUPS\n/);
    const [n1] = cfsJson(['node', 'list'], { dir }).nodes as Item[];
    assert.deepEqual([n1!.leaseAgeMs, n1!.released, n1!.applied, n1!.version, n1!.seq, n1!.host], Array(6).fill(null));
    assert.match(cfs(['node', 'show', 'n1'], { dir }), /^Agent: +-$/m);
    assert.equal((cfsJson(['node', 'show', 'n1'], { dir }).node as Item).agent, null);
  });

  it('show the age of the lease, what was released and applied, and the version of cfs', () => {
    const lines = cfs(['node', 'list'], { dir: withAgents() }).split('\n');
    assert.match(lines[0]!, /^NAME {2}STATE +LEASE {2}RELEASED {2}APPLIED {2}VERSION +WEIGHT/);
    assert.match(lines[1]!, /^n1 +online +~60m +2 +1 +0\.4\.0 /);
    assert.match(lines[2]!, /^n2 +online +left +2 +- +- /);
    assert.match(lines[3]!, /^n3 +online +- +- +- +- /);
  });

  it('add the host, the number of the lease and the problems with -o wide and in JSON', () => {
    const dir = withAgents();
    assert.match(
      cfs(['node', 'list', '-o', 'wide'], { dir }),
      / SEQ +HOST +LEFT +PROBLEMS .*\nn1 .* 41 +alpha +no +volume v1: its/,
    );
    const [n1, n2, n3] = cfsJson(['node', 'list'], { dir }).nodes as Item[];
    assert.ok((n1!.leaseAgeMs as number) > 3_590_000 && (n1!.leaseAgeMs as number) < 3_700_000);
    assert.deepEqual([n1!.seq, n1!.host, n1!.agentLeft], [41, 'alpha', false]);
    assert.deepEqual([n2!.seq, n2!.host, n2!.agentLeft, n2!.applied], [7, null, true, null]);
    assert.deepEqual([n3!.seq, n3!.agentLeft], [null, null]);
    assert.equal(cfs(['node', 'list', '-o', 'name', '--filter', 'seq=41'], { dir }), 'n1\n');
    const sorted = cfs(['node', 'list', '-o', 'csv', '--sort', '-seq'], { dir }).split('\n');
    assert.deepEqual(
      sorted.slice(1, 4).map((line) => line.slice(0, 2)),
      ['n1', 'n2', 'n3'],
    );
  });

  it('tell of one node everything its lease says, its problems a line each', () => {
    const dir = withAgents();
    const text = cfs(['node', 'show', 'n1'], { dir });
    assert.match(text, /^Agent: +cfs 0\.4\.0, format 2$/m);
    assert.match(text, /^Host: +alpha, process 1$/m);
    assert.match(text, /^Lease: +~60m, number 41$/m);
    assert.match(text, /^Released: +generation 2\nApplied: +generation 1$/m);
    assert.match(text, /^Problem: +volume v1: its file system does not start$/m);
    const { agent } = cfsJson(['node', 'show', 'n2'], { dir }).node as { agent: Item };
    assert.deepEqual(
      { ...agent, leaseAgeMs: 0 },
      {
        seq: 7,
        released: 2,
        applied: null,
        left: true,
        leaseAgeMs: 0,
        version: null,
        format: null,
        host: null,
        pid: null,
        problems: [],
      },
    );
    assert.match(cfs(['node', 'show', 'n2'], { dir }), /^Agent: +left; its lease does not say$/m);
  });

  it('leave agents out of a generation of the past', () => {
    const dir = withAgents();
    assert.doesNotMatch(cfs(['node', 'list', '--at', '1'], { dir }), /LEASE/);
    assert.equal((cfsJson(['node', 'show', 'n1', '--at', '1'], { dir }).node as Item).agent, null);
  });

  it('write ages as estimates', () => {
    const texts = [0, 1499, 119_000, 120_000, 7_199_000, 7_200_000, 200_000_000].map(aboutText);
    assert.deepEqual(texts, ['~0s', '~1s', '~119s', '~2m', '~119m', '~2h', '~2d']);
  });
});
