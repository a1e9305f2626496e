/** examples/mount-command.sh, with stand-ins for mount, umount, mountpoint, findmnt and fuser. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MountBusyError, type MountDriver } from '../../../src/core/access/agent/ports.js';
import { ROOT, tempDir } from '../../kit/cli.js';
import { script } from '../kit.js';
import { CALM, driverWith, FORCED } from './kit.js';

/** The example with places of its own; `mounted` holds a file for each mount point, with what mount was told. */
function exampleDriver(): { driver: MountDriver; site: string; mounted: string } {
  const site = tempDir('site');
  const [bin, mounted] = [join(site, 'bin'), join(site, 'mounted')];
  mkdirSync(mounted);
  const last = 'for last in "$@"; do :; done';
  const entry = `${mounted}/$(basename "$last")`;
  script(`${last}\n[ -e "${entry}" ]`, join(bin, 'mountpoint'));
  script(`${last}\n[ ! -e "${entry}" ] || exit 32\necho "$*" > "${entry}"`, join(bin, 'mount'));
  script(`${last}\n[ ! -e ${site}/busy ] || exit 32\nrm "${entry}"`, join(bin, 'umount'));
  // As it answers: the options of the mount.
  script(`${last}\nset -- $(cat "${entry}")\necho "$4,relatime"`, join(bin, 'findmnt'));
  const fuser = [
    `[ -e ${site}/busy ] || exit 1`,
    `case "$*" in *-k*) rm ${site}/busy; exit 0;; esac`,
    `echo ' kernel ${process.pid}'`,
  ];
  script(fuser.join('\n'), join(bin, 'fuser'));
  const text = readFileSync(join(ROOT, 'examples/mount-command.sh'), 'utf8').replace(
    'mounts=/srv',
    `mounts=${site}/srv\nPATH=${bin}:$PATH`,
  );
  mkdirSync(join(site, 'srv'));
  const command = join(site, 'mounts');
  writeFileSync(command, text, { mode: 0o755 });
  return { driver: driverWith({ driver: { type: 'command', command, timeout: '10s' } }), site, mounted };
}

describe('the example of a mount command', () => {
  it('mounts in the mode that is asked for, unmounts, says what is mounted, and finds its work done', async () => {
    const { driver, site, mounted } = exampleDriver();
    assert.deepEqual(await driver.mounted(), []);
    for (const mode of ['ro', 'rw', 'rw'] as const) await driver.mount('v 1', mode, CALM);
    await driver.mount('v2', 'ro', CALM);
    assert.deepEqual(await driver.mounted(), [
      { volume: 'v 1', mode: 'rw' },
      { volume: 'v2', mode: 'ro' },
    ]);
    assert.equal(readFileSync(join(mounted, 'v2'), 'utf8'), `-t nfs -o ro server:/export/v2 ${site}/srv/v2\n`);
    for (let i = 0; i < 2; i++) await driver.unmount('v2', CALM);
    assert.deepEqual(readdirSync(mounted), ['v 1']);
    assert.equal(await driver.written('v 1'), null);
  });

  it('says who is in the way, and ends them where that is asked for', async () => {
    const { driver, site } = exampleDriver();
    const comm = readFileSync('/proc/self/comm', 'utf8').trim();
    await driver.mount('v1', 'rw', CALM);
    writeFileSync(join(site, 'busy'), '');
    for (const step of [driver.mount('v1', 'ro', CALM), driver.unmount('v1', CALM)]) {
      await assert.rejects(step, (error) => {
        assert.ok(error instanceof MountBusyError, String(error));
        assert.equal(error.message, `"v1" is in use: ${comm} (pid ${process.pid})`);
        return true;
      });
    }
    assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'rw' }]);
    await driver.mount('v1', 'ro', FORCED);
    assert.deepEqual(await driver.mounted(), [{ volume: 'v1', mode: 'ro' }]);
  });
});
