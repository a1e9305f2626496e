/** The drivers record and command, and which driver a configuration makes. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountDriverOf } from '../../../src/agentd/mounts/index.js';
import { MountBusyError } from '../../../src/core/access/agent/ports.js';
import { tempDir } from '../../kit/cli.js';
import { keptLog, script, somePrograms } from '../kit.js';
import { CALM, driverWith } from './kit.js';

const parts = { client: 'c1', dir: '/shared/cfs', programs: somePrograms(), stateDir: null, log: keptLog() };
const command = (lines: string, timeout = '10s') =>
  driverWith({ driver: { type: 'command', command: script(lines), timeout } });

describe('the mount driver of a configuration', () => {
  it('touches nothing where the host is no client or says nothing', () => {
    assert.equal(mountDriverOf(null, parts).name, 'record');
    assert.equal(driverWith({}).name, 'record');
    assert.equal(driverWith({ driver: { type: 'mount' } }).name, 'mount');
    assert.equal(command('exit 0').name, 'command');
  });
});

describe('the record driver of mounts', () => {
  it('remembers what is mounted over the end of its process, for any name of a volume', async () => {
    const stateDir = tempDir('state');
    const driver = driverWith({}, { stateDir });
    assert.deepEqual(await driver.mounted(), []);
    await driver.mount('v 1', 'ro', CALM);
    await driver.mount('ü%', 'rw', CALM);
    await driver.mount('v2', 'rw', CALM);
    await driver.mount('v 1', 'rw', CALM);
    for (let i = 0; i < 2; i++) await driver.unmount('v2', CALM);
    const found = await driverWith({}, { stateDir }).mounted();
    assert.deepEqual(
      found.sort((a, b) => a.volume.localeCompare(b.volume)),
      [
        { volume: 'ü%', mode: 'rw' },
        { volume: 'v 1', mode: 'rw' },
      ],
    );
    assert.equal(readdirSync(join(stateDir, 'mounts')).length, 2);
    assert.equal(await driver.written('v 1'), null);
  });

  it('remembers in memory where there is no state directory', async () => {
    const driver = driverWith({});
    await driver.mount('v1', 'ro', CALM);
    assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'ro' }]);
    await driver.unmount('v1', CALM);
    assert.deepEqual(await driver.mounted(), []);
    assert.deepEqual(await driverWith({}).mounted(), []);
  });
});

describe('the mount driver that is a program', () => {
  it('is told what to do, for which volume, how, and in whose name', async () => {
    const out = join(tempDir('out'), 'calls');
    const driver = command(
      `echo "$#|$1|$2|$CFS_CLIENT|$CFS_DIR|$CFS_VOLUME|$CFS_MODE|$CFS_EPOCH|$CFS_FORCE|$CFS_SOFTWARE_LOCK" >> ${out}`,
    );
    await driver.mount('v 1', 'rw', { epoch: 7, force: false, softwareLock: true });
    await driver.mount('v 1', 'ro', { epoch: 8, force: true, softwareLock: false });
    await driver.unmount('v 1', { force: true });
    assert.deepEqual(await driver.mounted(), []);
    assert.equal(await driver.written('v 1'), null);
    assert.deepEqual(readFileSync(out, 'utf8').split('\n'), [
      '2|rw|v 1|c1|/shared/cfs|v 1|rw|7|0|1',
      '2|ro|v 1|c1|/shared/cfs|v 1|ro|8|1|0',
      '2|unmount|v 1|c1|/shared/cfs|v 1|none||1|',
      '1|mounted||c1|/shared/cfs|||||',
      '2|written|v 1|c1|/shared/cfs|v 1||||',
      '',
    ]);
  });

  it('says what is mounted, names with blanks too, and is not believed when it says something else', async () => {
    const driver = command('printf "v 1 rw\\n\\n  v2\\tro \\n"');
    assert.deepEqual(await driver.mounted(), [
      { volume: 'v 1', mode: 'rw' },
      { volume: 'v2', mode: 'ro' },
    ]);
    for (const line of ['v1', 'v1 yes', 'a/b ro', 'ro']) {
      await assert.rejects(command(`echo "${line}"`).mounted(), /which is no line "VOLUME ro" or "VOLUME rw"/);
    }
    await assert.rejects(command('exit 75').mounted(), /the mount command's mounted ended with 75$/);
  });

  it('says with status 75 that programs are in the way, and with its last line which', async () => {
    const driver = command('echo trying >&2; echo "vim (pid 12) writes a" >&2; exit 75');
    await assert.rejects(driver.mount('v1', 'ro', CALM), (error) => {
      assert.ok(error instanceof MountBusyError);
      assert.equal(error.message, '"v1" is in use: vim (pid 12) writes a');
      return true;
    });
    await assert.rejects(driver.unmount('v1', CALM), MountBusyError);
    await assert.rejects(command('exit 75').unmount('v1', CALM), /^MountBusyError: "v1" is in use$/);
  });

  it('fails with its last words, and with a word for one that hangs', async () => {
    await assert.rejects(
      command('echo "no such device" >&2; exit 3').mount('v1', 'rw', CALM),
      /^Error: the mount command's rw "v1" ended with 3: no such device$/,
    );
    await assert.rejects(
      command('exec sleep 60', '200ms').unmount('v1', CALM),
      /unmount "v1" took longer than 0\.2 s$/,
    );
  });

  it('tells by any other line that a volume was written to; one that fails cannot tell', async () => {
    assert.equal(await command('echo 4711').written('v1'), '4711');
    assert.equal(await command('echo 4711; exit 1').written('v1'), null);
  });
});
