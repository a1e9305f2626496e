/** Files for version control: what export writes, apply and init take; prune removes what a file does not list. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { cfs, cfsJson, runCfs, tempDir } from '../kit/cli.js';
import {
  changesNothing,
  fileOf,
  generationOf,
  livedInCluster,
  refuses,
  smallCluster,
  tenNodes,
} from '../kit/commands.js';

describe('cfs export and apply', function () {
  this.timeout(120_000);

  for (const [format, name] of [
    ['yaml', 'x.yaml'],
    ['json', 'x.json'],
  ] as const) {
    it(`an export in ${format} changes nothing when it is applied, and makes an equal cluster when init takes it`, () => {
      for (const dir of [livedInCluster(), tenNodes()]) {
        const text = cfs(['export', '-o', format], { dir });
        const before = generationOf(dir);
        assert.match(cfs(['apply', '-f', fileOf(text, name), '--prune', '--yes'], { dir }), /^Nothing to change/);
        assert.equal(generationOf(dir), before);
        const again = join(tempDir('again'), 'cfs');
        cfs(['init', '--from', '-'], { dir: again, input: text });
        assert.equal(cfs(['export', '-o', format], { dir: again }), text);
      }
    });
  }

  it('--json and -o json print the same file, without an envelope', () => {
    const dir = smallCluster();
    assert.equal(cfs(['export', '--json'], { dir }), cfs(['export', '-o', 'json'], { dir }));
    assert.deepEqual(Object.keys(cfsJson(['export'], { dir })), [
      'cluster',
      'groups',
      'domains',
      'nodes',
      'volumes',
      'clients',
      'access',
    ]);
  });

  it('apply shows the difference, commits it as one generation, and run again changes nothing', () => {
    const dir = smallCluster();
    const file = fileOf(
      'cluster: {lock.timeout: 2m}\n' +
        'nodes: [{name: n1, weight: 4}, {name: n9, groups: [new]}]\n' +
        'volumes: [{name: v1, preferredNode: n9}, {name: v9, domains: [far]}]\n',
    );
    const rehearsed = changesNothing(dir, ['apply', '-f', file, '--dry-run']).stdout;
    const done = cfs(['apply', '-f', file], { dir });
    assert.ok(done.startsWith(rehearsed), 'what was rehearsed is what is done');
    assert.match(done, /^\+ setting lock\.timeout: value 120000\n/);
    assert.match(done, /\n~ node n1: weight 1 -> 4\n\+ node n9: /);
    assert.match(done, /\n~ volume v1: preferredNode - -> n9\n\+ volume v9: /);
    assert.match(
      done,
      /Added 1 setting, 1 group, 1 domain, 1 node, 1 volume; changed 1 node, 1 volume; removed nothing\.\nGeneration 3\.\n$/,
    );
    assert.equal(cfs(['apply', '-f', file], { dir }), 'Nothing to change (generation 3).\n');
  });

  it('fields and sections that are absent stay as they are', () => {
    const dir = smallCluster();
    const before = cfs(['export'], { dir });
    cfs(['apply', '-f', fileOf('nodes: [{name: n1}]\nvolumes: [{name: v1}]\n')], { dir });
    cfs(['apply', '-f', fileOf('groups: []\nvolumes:\n')], { dir });
    assert.equal(cfs(['export'], { dir }), before);
  });

  it('--prune removes what the sections of the file do not list, and asks first', () => {
    const dir = smallCluster();
    cfs(['group', 'add', 'unused'], { dir });
    const file = fileOf('groups: [eng]\nvolumes: [{name: v1}]\n');
    refuses(dir, ['apply', '-f', file, '--prune'], {
      status: 2,
      code: 'CONFIRMATION_NEEDED',
      says: /This removes 1 group, 2 volumes\. Go on\?/,
    });
    const { stdout, stderr } = runCfs(['apply', '-f', file, '--prune', '--yes'], { dir });
    assert.match(stdout, /Added nothing; changed nothing; removed 1 group, 2 volumes\.\nGeneration 4\.\n$/);
    assert.match(stderr, /The file does not list group ops, which stays: it is in use\.\n/);
    assert.equal(cfs(['volume', 'list', '-o', 'name'], { dir }), 'v1\n');
    assert.equal(
      cfs(['node', 'list', '-o', 'name'], { dir }),
      'n1\nn2\nn3\n',
      'a section that is absent is left alone',
    );
  });

  it('--prune removes no node that works, holds volumes or is preferred (4)', () => {
    const dir = smallCluster();
    refuses(dir, ['apply', '-f', fileOf('nodes: [{name: n1}, {name: n2}]\n'), '--prune', '--yes'], {
      status: 4,
      code: 'NODE_IN_USE',
      says: /Node "n3", which the document does not list, (is online|administers)/,
      hint: /cfs node (offline|standby) n3/,
    });
  });

  it('apply never changes the state of a node, nor where a volume is', () => {
    const dir = smallCluster();
    const before = cfs(['show', 'placements'], { dir }) + cfs(['show', 'membership'], { dir });
    cfs(['apply', '-f', fileOf('nodes: [{name: n1, state: offline}]\nvolumes: [{name: v1, currentNode: n3}]\n')], {
      dir,
    });
    assert.equal(cfs(['show', 'placements'], { dir }) + cfs(['show', 'membership'], { dir }), before);
  });
});
