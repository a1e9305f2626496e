/** examples/driver-mount.sh, with stand-ins for mount, umount, mountpoint and fuser. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExecDriver } from '../../src/agentd/drivers/exec.js';
import { ROOT, tempDir } from '../kit/cli.js';
import { script, somePrograms } from './kit.js';

/** The example with places of its own; `mounted` holds a file for each mount point. */
function exampleDriver(): { driver: ExecDriver; site: string; mounted: () => string[] } {
  const site = tempDir('site');
  const [bin, mounted] = [join(site, 'bin'), join(site, 'mounted')];
  mkdirSync(mounted);
  const entry = `${mounted}/$(basename "$last")`;
  const last = 'for last in "$@"; do :; done';
  script(`${last}\n[ -e "${entry}" ]`, join(bin, 'mountpoint'));
  script(`${last}\n[ ! -e "${entry}" ] || exit 32\necho "$1" > "${entry}"`, join(bin, 'mount'));
  script(
    `${last}\n[ ! -e ${site}/busy ] || { echo "target is busy" >&2; exit 32; }\nrm "${entry}"`,
    join(bin, 'umount'),
  );
  script('exit 1', join(bin, 'fuser'));
  const text = readFileSync(join(ROOT, 'examples/driver-mount.sh'), 'utf8')
    .replace('mounts=/srv', `mounts=${site}/srv`)
    .replace('state=/run/cfs-driver', `state=${site}/run\nPATH=${bin}:$PATH`);
  mkdirSync(join(site, 'srv'));
  const command = join(site, 'driver');
  writeFileSync(command, text, { mode: 0o755 });
  const driver = new ExecDriver({ command, node: 'n1', dir: '/shared', programs: somePrograms(), timeoutMs: 10_000 });
  return { driver, site, mounted: () => readdirSync(mounted) };
}

describe('the example of a driver', () => {
  it('mounts and unmounts, says what is mounted with its epoch, and finds its work done', async () => {
    const { driver, site, mounted } = exampleDriver();
    assert.deepEqual(await driver.running(), []);
    for (const epoch of [7, 7, 9]) await driver.start({ volume: 'v 1', epoch });
    await driver.start({ volume: 'v2', epoch: 8 });
    assert.deepEqual(mounted().sort(), ['v 1', 'v2']);
    assert.equal(readFileSync(join(site, 'mounted/v2'), 'utf8'), 'LABEL=v2\n');
    assert.deepEqual(await driver.running(), [
      { volume: 'v 1', epoch: 9 },
      { volume: 'v2', epoch: 8 },
    ]);
    for (let i = 0; i < 2; i++) await driver.stop({ volume: 'v2', epoch: 8 });
    assert.deepEqual(await driver.running(), [{ volume: 'v 1', epoch: 9 }]);
    assert.ok(!existsSync(join(site, 'run/v2')));
  });

  it('tells of what somebody else has mounted, and fails when something cannot be unmounted', async () => {
    const { driver, site } = exampleDriver();
    mkdirSync(join(site, 'srv/v3'));
    writeFileSync(join(site, 'mounted/v3'), '');
    writeFileSync(join(site, 'busy'), '');
    assert.deepEqual(await driver.running(), [{ volume: 'v3', epoch: 0 }]);
    await assert.rejects(driver.stop({ volume: 'v3', epoch: 0 }), /ended with 32: target is busy$/);
    assert.deepEqual(await driver.running(), [{ volume: 'v3', epoch: 0 }]);
  });
});
