/** The mount driver with directories: real bind mounts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sweepStages } from '../../../src/agentd/mounts/directory.js';
import type { MountParts } from '../../../src/agentd/mounts/index.js';
import { readMountInfo } from '../../../src/agentd/mounts/mountinfo.js';
import { MountBusyError, type MountDriver } from '../../../src/core/access/agent/ports.js';
import { CfsError } from '../../../src/core/errors.js';
import { eventually, somePrograms } from '../kit.js';
import { CALM, CLUSTER, endOf, FORCED, LOCKED, MountSite, optionsAt, run } from './kit.js';

const erofs = { code: 'EROFS' };

describe('the mount driver with a directory', function () {
  this.timeout(60_000);
  let site: MountSite;
  let at: string;
  let driver: MountDriver;

  beforeEach(function () {
    site = MountSite.for(this, ['unshare']);
    mkdirSync(site.at('v1'));
    at = site.at('srv/v1');
    driver = site.driver({ v1: { directory: site.at('v1'), at, options: 'nosuid' } });
  });
  afterEach(async () => site?.remove());

  it('keeps a reader from writing with EROFS, lets a writer write, and finds its work done', async () => {
    assert.deepEqual(await driver.mounted(), []);
    for (let i = 0; i < 2; i++) await driver.mount('v1', 'ro', CALM);
    assert.throws(() => writeFileSync(join(at, 'a'), ''), erofs);
    assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'ro' }]);
    assert.ok(optionsAt(at).includes('nosuid'));
    for (let i = 0; i < 2; i++) await driver.mount('v1', 'rw', CALM);
    writeFileSync(join(at, 'a'), 'written');
    assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'rw' }]);
    await driver.mount('v1', 'ro', CALM);
    assert.throws(() => writeFileSync(join(at, 'a'), ''), erofs);
    assert.equal(readFileSync(join(at, 'a'), 'utf8'), 'written');
    for (let i = 0; i < 2; i++) await driver.unmount('v1', CALM);
    assert.deepEqual([await driver.mounted(), readdirSync(at)], [[], []]);
    assert.equal(readFileSync(site.at('v1/a'), 'utf8'), 'written');
    assert.equal(await driver.written('v1'), null);
    assert.deepEqual(
      readdirSync('/run').filter((name) => name.startsWith(`cfs-bind-${process.pid}-`)),
      [],
    );
  });

  it('tells at once what somebody did by hand, also after it told the same twice', async () => {
    await driver.mount('v1', 'ro', CALM);
    for (let i = 0; i < 2; i++) assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'ro' }]);
    run('mount', '-o', 'remount,bind,rw', at);
    for (let i = 0; i < 2; i++) assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'rw' }]);
    run('umount', at);
    for (let i = 0; i < 2; i++) assert.deepEqual(await driver.mounted(), []);
  });

  it('removes the empty places of processes that were killed while they mounted, and no others', () => {
    const gone = spawnSync('true').pid;
    const [empty, used, own, foreign] = [
      `cfs-bind-${gone}-aaaaaa`,
      `cfs-bind-${gone}-bbbbbb`,
      `cfs-bind-${process.pid}-c`,
      'x',
    ];
    for (const name of [empty, used, own, foreign]) mkdirSync(site.at(`run/${name}`), { recursive: true });
    run('mount', '-t', 'tmpfs', 'none', site.at(`run/${used}`));
    sweepStages(site.at('run'));
    assert.deepEqual(readdirSync(site.at('run')).sort(), [used, own, foreign].sort());
  });

  it('is never writable for a moment when it is mounted read-only', async () => {
    // Everything that is bound to the mount point is read-only before: a bind mount takes that over.
    const programs = somePrograms();
    const bound: (boolean | undefined)[] = [];
    const run: MountParts['programs']['run'] = (what, options) => {
      const { args = [] } = options;
      if (args.includes('bind') && args.at(-1) === at) {
        bound.push(readMountInfo()?.find((entry) => entry.at === args.at(-3))?.isReadOnly);
      }
      return programs.run(what, options);
    };
    const watched = site.driver({ v1: { directory: site.at('v1'), at } }, { programs: { run } });
    mkdirSync(at, { recursive: true });
    // And somebody tries, as fast as he can.
    const writer = await site.child(`echo ready; while :; do echo 2> /dev/null > ${at}/probe; done`);
    for (let i = 0; i < 5; i++) {
      await watched.mount('v1', 'ro', CALM);
      writer.kill('SIGSTOP');
      await watched.unmount('v1', CALM);
      writer.kill('SIGCONT');
    }
    assert.equal(writer.exitCode, null);
    assert.ok(existsSync(join(at, 'probe')), 'the writer ran');
    assert.deepEqual([bound, readdirSync(site.at('v1'))], [Array(5).fill(true), []]);
  });

  it('names who writes, changes nothing, and leaves readers alone', async () => {
    await driver.mount('v1', 'rw', CALM);
    const writer = await site.child(`exec 3> '${at}/a b.txt'; echo ready; exec sleep 1000`, ['setsid']);
    const reader = await site.child(`cd ${at}; echo ready; exec sleep 1000`);
    await assert.rejects(driver.mount('v1', 'ro', CALM), (error) => {
      assert.ok(error instanceof MountBusyError);
      assert.equal(error.message, `v1 is in use: sleep (pid ${writer.pid}, root) writes ${at}/a b.txt`);
      assert.deepEqual(
        error.holders.map(({ pid, isWriting, path }) => [pid, isWriting, path]),
        [[writer.pid, true, `${at}/a b.txt`]],
      );
      return true;
    });
    assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'rw' }]);
    await assert.rejects(driver.unmount('v1', CALM), (error) => {
      assert.match((error as Error).message, new RegExp(`sleep \\(pid ${reader.pid}, root\\) works in ${at}$`));
      return error instanceof MountBusyError && error.holders.length === 2;
    });
    await driver.mount('v1', 'ro', FORCED);
    assert.throws(() => writeFileSync(join(at, 'a'), ''), erofs);
    assert.equal(await endOf(writer), 'SIGTERM');
    assert.equal(reader.signalCode, null);
    assert.match(site.log.lines.join('\n'), new RegExp(`warn: sleep \\(pid ${writer.pid}\\) is ended`));
    await driver.unmount('v1', FORCED);
    assert.deepEqual(await driver.mounted(), []);
  });

  it('kills what does not heed TERM, and finds files that are deleted and still open', async () => {
    await driver.mount('v1', 'rw', CALM);
    const stubborn = await site.child(
      `trap '' TERM; exec 3>> ${at}/gone; rm ${at}/gone; echo ready; while :; do sleep 1; done`,
    );
    await assert.rejects(driver.mount('v1', 'ro', CALM), /writes \S+\/gone \(deleted\)/);
    // With a second between TERM and KILL.
    const hurried = site.driver({ v1: { directory: site.at('v1'), at } }, { limitMs: 4000 });
    await hurried.mount('v1', 'ro', FORCED);
    assert.equal(await endOf(stubborn), 'SIGKILL');
  });

  it('never mounts over something else, nor at a link', async () => {
    mkdirSync(at, { recursive: true });
    run('mount', '-t', 'tmpfs', 'other', at);
    for (const mode of ['ro', 'rw'] as const) {
      await assert.rejects(driver.mount('v1', mode, CALM), /there is something else, other \(tmpfs\); unmount that/);
    }
    assert.deepEqual(await driver.mounted(), []);
    await driver.unmount('v1', CALM);
    assert.ok(optionsAt(at).length > 0, 'what is not ours stays');
    run('umount', at);
    symlinkSync(site.at('v1'), site.at('link'));
    const linked = site.driver({ v1: { directory: site.at('v1'), at: site.at('link') } });
    await assert.rejects(linked.mount('v1', 'ro', CALM), /is no directory|there is something else/);
  });

  it('says that the mount point is a file, or that there is no directory to mount', async () => {
    writeFileSync(site.at('file'), '');
    const onFile = site.driver({ v1: { directory: site.at('v1'), at: site.at('file') } });
    await assert.rejects(onFile.mount('v1', 'ro', CALM), /file is a file, not a directory: correct "at"$/);
    const missing = site.driver({ v1: { directory: site.at('none'), at } });
    await assert.rejects(missing.mount('v1', 'ro', CALM), /there is no directory .*none$/);
    assert.deepEqual([await driver.mounted(), existsSync(at)], [[], false]);
  });

  it('reaches the namespaces that follow, and tells of those that do not', async () => {
    // As services have, on hosts with systemd.
    await driver.mount('v1', 'rw', CALM);
    const go = site.at('go');
    const later = `echo ready; while ! [ -e ${go} ]; do sleep 0.02; done; echo 2> /dev/null > ${at}/late; echo > ${site.at('tried')}; exec sleep 1000`;
    await site.child(later, ['unshare', '-m', '--propagation', 'slave']);
    await driver.mount('v1', 'ro', CALM);
    writeFileSync(go, '');
    await eventually(() => existsSync(site.at('tried')), 'the other namespace tried to write');
    assert.ok(!existsSync(site.at('v1/late')));

    await driver.mount('v1', 'rw', CALM);
    const apart = site.apart();
    const idle = await site.child('echo ready; exec sleep 1000', apart);
    const writer = await site.child(`exec 3> ${at}/f; echo ready; exec sleep 1000`, apart);
    await assert.rejects(driver.mount('v1', 'ro', CALM), (error) => {
      assert.match((error as Error).message, new RegExp(`\\(pid ${writer.pid}, root\\) writes ${at}/f$`));
      return error instanceof MountBusyError;
    });
    await driver.mount('v1', 'ro', FORCED);
    assert.equal(await endOf(writer), 'SIGTERM');
    assert.equal(idle.signalCode, null);
    assert.match(site.log.lines.join('\n'), new RegExp(`warn: v1 stays writable for .*\\b${idle.pid}\\b`));
  });

  it('puts a software lock on, passes over its own, takes it away again, and refuses a foreign one', async () => {
    const lock = site.at('v1/.cfs-software-lock');
    for (let i = 0; i < 2; i++) await driver.mount('v1', 'rw', LOCKED);
    assert.deepEqual(JSON.parse(readFileSync(lock, 'utf8')), { cluster: CLUSTER, volume: 'v1' });
    await driver.mount('v1', 'ro', LOCKED);
    await driver.mount('v1', 'rw', CALM);
    assert.ok(!existsSync(lock));
    await driver.unmount('v1', CALM);
    for (const text of ['{"cluster":"another"}', 'keep out\n']) {
      writeFileSync(lock, text);
      for (const options of [CALM, LOCKED]) {
        await assert.rejects(driver.mount('v1', 'rw', options), (error) => {
          return (
            error instanceof CfsError && error.code === 'SOFTWARE_LOCKED' && /keep out|another/.test(error.message)
          );
        });
      }
      assert.deepEqual(await driver.mounted(), []);
    }
    await driver.mount('v1', 'ro', LOCKED);
    assert.equal(readFileSync(join(at, '.cfs-software-lock'), 'utf8'), 'keep out\n');
  });

  it('says what is wrong with what cannot be mounted', async () => {
    const broken = site.driver({ v1: { directory: site.at('none'), at } });
    await assert.rejects(
      broken.mount('v1', 'ro', CALM),
      /v1 could not be mounted at .*: there is no directory .*none$/,
    );
    await assert.rejects(driver.mount('v9', 'ro', CALM), /"v9" cannot be mounted here: .*client\.volumes/);
    await driver.unmount('v9', CALM);
    assert.equal(await driver.written('v9'), null);
  });
});
