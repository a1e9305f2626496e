import assert from 'node:assert/strict';
import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, runCfs } from '../kit/cli.js';
import { smallCluster } from '../kit/commands.js';
import { renewLease } from '../kit/leases.js';

const LEASE = { seq: 5, released: 2, applied: 2 };

/** The small cluster, with agents on n1 and n2 that renewed a moment ago, and n3 as is asked. */
function agents(n3: 'renewed' | 'left' | 'old' | 'none'): string {
  const dir = smallCluster();
  cfs(['node', 'online', 'n3'], { dir });
  for (const node of ['n1', 'n2']) renewLease(dir, { node, ...LEASE });
  if (n3 !== 'none') renewLease(dir, { node: 'n3', ...LEASE, applied: n3 === 'left' ? null : 2 });
  const minuteAgo = Date.now() / 1000 - 60;
  if (n3 === 'old') {
    const name = readdirSync(join(dir, 'leases')).find((file) => file.startsWith('n3.'))!;
    utimesSync(join(dir, 'leases', name), minuteAgo, minuteAgo);
  }
  return dir;
}

const check = (dir: string): string => runCfs(['check'], { dir }).stdout;

describe('cfs check and status, where agents run', () => {
  it('say nothing of nodes whose agents renew', () => {
    assert.doesNotMatch(check(agents('renewed')), /n3|without an agent|left|lease/);
  });

  it('name a node that is online without an agent: nobody knows what runs there', () => {
    const dir = agents('none');
    assert.match(check(dir), /"n3" is online without an agent/);
    assert.match(cfs(['status'], { dir }), /^WARNING: "n3" is online without an agent/m);
  });

  it('name a node whose agent left, and one whose lease looks old though nobody has failed it', () => {
    assert.match(check(agents('left')), /"n3": the agent left/);
    assert.match(check(agents('old')), /"n3": the lease looks old/);
  });

  it('are silent where no agent lives: there nodes are put online by hand', () => {
    assert.doesNotMatch(check(smallCluster()), /agent/);
  });
});
