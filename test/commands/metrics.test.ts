/** cfs metrics: what Prometheus sees of a cluster, of one that has failed in part, and of one that cannot be read. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { leaseName } from '../../src/core/membership/leases.js';
import { cfs, cfsJson, needsProgram, runCfs, tempDir } from '../kit/cli.js';
import { changesNothing, errorOf, livedInCluster, smallCluster } from '../kit/commands.js';

/** A lease as an agent leaves it, made so long ago. */
function putLease(
  dir: string,
  node: string,
  seq: number,
  released: number,
  applied: number | null,
  ageSeconds = 0,
): void {
  const path = join(dir, 'leases', leaseName({ node, seq, released, applied, timeoutMs: 10_000 }));
  mkdirSync(join(dir, 'leases'), { recursive: true });
  const info = {
    version: '0.1.0',
    format: 2,
    host: 'h',
    bootId: 'b',
    pid: 1,
    incarnation: 'i',
    timeoutMs: 10_000,
    problems: ['v1 does not start'],
  };
  writeFileSync(path, `${JSON.stringify(info)}\n`);
  const then = Date.now() / 1000 - ageSeconds;
  utimesSync(path, then, then);
}

/** Samples by name and labels: `cfs_nodes{state="online"}`. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const blank = line.lastIndexOf(' ');
      return [line.slice(0, blank), Number(line.slice(blank + 1))];
    }),
  );
}

describe('cfs metrics', function () {
  this.timeout(120_000);

  it('tells of nodes, volumes, history, the lock, mail and space, and changes nothing', () => {
    const dir = livedInCluster();
    putLease(dir, 'n1', 41, 7, 6, 30);
    putLease(dir, 'n2', 17, 3, 3, 3600);
    putLease(dir, 'n3', 9, 7, null);
    cfs(['mail', 'send', 'n3', 'hello'], { dir });
    const samples = samplesOf(changesNothing(dir, ['metrics']).stdout);
    const expected: Record<string, number> = {
      cfs_up: 1,
      'cfs_cluster_info{name="test"}': 1,
      cfs_frozen: 1,
      'cfs_nodes{state="online"}': 2,
      'cfs_nodes{state="failed"}': 1,
      'cfs_nodes{state="joining"}': 0,
      'cfs_node_state{node="n2",state="failed"}': 1,
      'cfs_node_state{node="n2",state="online"}': 0,
      'cfs_node_ideal_capacity{node="n2"}': 0,
      'cfs_node_remaining_capacity{node="n2"}': 0,
      'cfs_node_weight{node="n2"}': 2,
      'cfs_node_volumes{node="n2"}': 0,
      'cfs_volumes{status="placed"}': 3,
      'cfs_volumes{status="unplaced"}': 1,
      'cfs_volumes{status="homeless"}': 0,
      'cfs_volumes{status="misplaced"}': 0,
      cfs_generation: 7,
      cfs_commits_total: 7,
      cfs_history_generations: 7,
      'cfs_recent_commits{operation="failover"}': 1,
      'cfs_table_records{table="volumes"}': 4,
      'cfs_table_records{table="fencing"}': 0,
      'cfs_database_files{kind="manifest"}': 7,
      'cfs_node_agent{node="n1"}': 1,
      'cfs_node_agent{node="n3"}': 0,
      'cfs_node_agent_info{node="n1",version="0.1.0",format="2"}': 1,
      'cfs_node_problems{node="n1"}': 1,
      'cfs_node_lease_sequence{node="n2"}': 17,
      'cfs_node_released_generation{node="n1"}': 7,
      'cfs_node_applied_generation{node="n1"}': 6,
      'cfs_node_generations_behind{node="n1"}': 1,
      'cfs_node_generations_behind{node="n2"}': 4,
      cfs_lock_held: 0,
      cfs_ballast_intact: 0,
      'cfs_mail_waiting{node="n3"}': 1,
      'cfs_mail_waiting{node="n1"}': 0,
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(samples.get(name), value, name);
    const age = samples.get('cfs_node_lease_age_seconds{node="n2"}')!;
    assert.ok(age >= 3600 && age < 3700, `${age}`);
    assert.ok(samples.get('cfs_filesystem_free_bytes')! > 0);
    assert.ok(samples.get('cfs_database_size_bytes')! >= samples.get('cfs_manifest_size_bytes')!);
    assert.equal(
      samples.has('cfs_node_applied_generation{node="n3"}'),
      false,
      'an agent that left has applied nothing',
    );
  });

  it('passes promtool without a warning, whatever the nodes are called', function () {
    needsProgram(this, 'promtool');
    const dir = smallCluster();
    for (const name of ['a"b', 'a\\nb', 'ü { } n']) {
      cfs(['node', 'add', name], { dir });
      putLease(dir, name, 1, 1, 1);
    }
    const { stdout } = runCfs(['metrics'], { dir });
    assert.ok(stdout.includes('{node="a\\"b"}') && stdout.includes('{node="a\\\\nb"}'));
    const check = spawnSync('promtool', ['check', 'metrics'], { input: stdout, encoding: 'utf8' });
    assert.deepEqual([check.stdout, check.stderr, check.status], ['', '', 0]);
  });

  it('shows a lock that is held, and for how long', () => {
    const dir = smallCluster();
    mkdirSync(join(dir, 'lock'));
    const minuteAgo = Date.now() / 1000 - 60;
    utimesSync(join(dir, 'lock'), minuteAgo, minuteAgo);
    const samples = samplesOf(cfs(['metrics'], { dir }));
    assert.deepEqual([samples.get('cfs_lock_held'), samples.get('cfs_lock_stale')], [1, 1]);
    assert.ok(samples.get('cfs_lock_held_seconds')! >= 60);
  });

  it('writes a file that everybody may read, as a whole, and leaves nothing beside it', () => {
    const dir = smallCluster();
    const out = tempDir('textfile');
    const file = join(out, 'cfs.prom');
    for (let i = 0; i < 2; i++) {
      assert.equal(cfs(['metrics', '--textfile', file], { dir }), '');
      assert.equal(samplesOf(readFileSync(file, 'utf8')).get('cfs_up'), 1);
      assert.equal(statSync(file).mode & 0o7777, 0o644);
      assert.deepEqual(readdirSync(out), ['cfs.prom']);
    }
    const missing = runCfs(['metrics', '--textfile', join(out, 'no/cfs.prom'), '--json'], { dir });
    assert.equal(missing.status, 3);
    assert.match(errorOf(missing).message, /^There is no directory .*\/no$/);
    mkdirSync(join(out, 'dir.prom'));
    assert.equal(runCfs(['metrics', '--textfile', join(out, 'dir.prom')], { dir }).status, 1);
    assert.deepEqual(readdirSync(out).sort(), ['cfs.prom', 'dir.prom']);
  });

  it('of a cluster that cannot be read says so: with the exit code, or in a fresh file for cron', () => {
    const dir = smallCluster();
    const file = join(tempDir('textfile'), 'cfs.prom');
    cfs(['metrics', '--textfile', file], { dir });
    rmSync(join(dir, 'manifests'), { recursive: true });
    const failed = runCfs(['metrics'], { dir });
    assert.equal(failed.status, 8, failed.stderr);
    assert.equal(samplesOf(failed.stdout).get('cfs_up'), 0);
    const result = runCfs(['metrics', '--textfile', file], { dir });
    assert.equal(result.status, 0);
    assert.match(result.stderr, /^The cluster could not be read: /);
    assert.deepEqual([...samplesOf(readFileSync(file, 'utf8')).entries()][0], ['cfs_up', 0]);
    const gone = runCfs(['metrics', '--textfile', file], { dir: join(dir, 'nowhere') });
    assert.equal(gone.status, 0);
    assert.equal(samplesOf(readFileSync(file, 'utf8')).get('cfs_up'), 0);
    assert.equal(errorOf(runCfs(['metrics', '--json'])).code, 'NO_CLUSTER_CHOSEN');
  });

  it('gives the same as JSON', () => {
    const dir = smallCluster();
    const { up, metrics } = cfsJson(['metrics'], { dir }) as {
      up: boolean;
      metrics: { name: string; type: string; help: string; samples: { labels: object; value: number }[] }[];
    };
    assert.equal(up, true);
    assert.deepEqual(metrics[0], {
      name: 'cfs_up',
      type: 'gauge',
      help: 'Whether the cluster could be read.',
      samples: [{ labels: {}, value: 1 }],
    });
  });
});
