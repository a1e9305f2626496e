import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FencingConfig } from '../../src/agentd/config.js';
import { type FencingParts, fencingOf, requireFencing } from '../../src/agentd/fencing.js';
import { tempDir } from '../kit/cli.js';
import { refusal } from '../kit/memory.js';
import { script, somePrograms } from './kit.js';

const parts: FencingParts = { served: { role: 'node', name: 'n1' }, dir: '/shared/cfs', programs: somePrograms() };
const config = (command: string, more: Partial<FencingConfig> = {}): FencingConfig => ({
  command,
  options: {},
  nodes: {},
  clients: {},
  timeoutMs: 10_000,
  ...more,
});
const fencing = (lines: string, more: Partial<FencingConfig> = {}) => fencingOf(config(script(lines), more), parts)!;

/** Behaves as fence agents do: options on standard input, status 0 on, 2 off, 1 cannot tell. */
const FENCE_AGENT = `
while read line; do case $line in
  action=*) action=\${line#action=} ;;
  plug=*) plug=\${line#plug=} ;;
esac; done
case $action:$plug in
  monitor:*) exit 0 ;;
  status:1) echo "Status: ON"; exit 0 ;;
  status:2) echo "Status: OFF"; exit 2 ;;
  off:1|off:2) echo "Success: Powered OFF"; exit 0 ;;
  *) echo "Failed: Unable to obtain correct plug status or plug is not available" >&2; exit 1 ;;
esac`;

describe('the fencing command', () => {
  it('fences clients by their own options, also where a node has the same name, and itself under no name', async () => {
    const out = join(tempDir('fence'), 'out');
    const command = script(`cat > ${out}; echo "$CFS_FENCE_NODE/$CFS_FENCE_CLIENT by $CFS_NODE/$CFS_CLIENT" >> ${out}`);
    const both = config(command, { nodes: { x: { plug: '1' } }, clients: { x: { plug: '2' } } });
    const asked = async (more: Partial<typeof parts>, name: string) => {
      await fencingOf(both, { ...parts, ...more })!.fence(name);
      return readFileSync(out, 'utf8').split('\n').slice(0, -1).join(' ');
    };
    const ofNode = { served: { role: 'node', name: 'n1' } as const };
    const ofClient = { served: { role: 'client', name: 'c1' } as const };
    assert.equal(await asked(ofNode, 'x'), 'nodename=x plug=1 action=off x/ by n1/');
    assert.equal(await asked({ ...ofNode, fences: 'client' }, 'x'), 'nodename=x plug=2 action=off /x by n1/');
    assert.equal(await asked(ofClient, 'x'), 'nodename=x plug=2 action=off /x by /c1');
    await assert.rejects(asked(ofClient, 'c1'), /does not fence itself/);
    assert.equal(await asked({ ...ofNode, fences: 'client' }, 'n1'), 'nodename=n1 action=off /n1 by n1/');
  });

  it('gets the options for all and over them those of the node, as fence agents read them', async () => {
    const out = join(tempDir('out'), 'given');
    const command = fencing(`cat > ${out}; echo "$CFS_FENCE_NODE $CFS_FENCE_ACTION $CFS_NODE $CFS_DIR $#" >> ${out}`, {
      options: { ip: '10.0.0.9', plug: '?', action: 'on', username: 'admin' },
      nodes: { n2: { plug: '2' }, n3: { plug: '3' } },
    });
    await command.fence('n2');
    assert.deepEqual(readFileSync(out, 'utf8').split('\n'), [
      'nodename=n2',
      'ip=10.0.0.9',
      'plug=2',
      'username=admin',
      'action=off',
      'n2 off n1 /shared/cfs 0',
      '',
    ]);
  });

  it('gives what it said when it ended with 0, and fails with what it said otherwise', async () => {
    const command = fencing(FENCE_AGENT, { nodes: { n2: { plug: '2' } } });
    assert.equal(await command.fence('n2'), 'Success: Powered OFF');
    await assert.rejects(command.fence('n9'), /^Error: the fencing command ended with 1: Failed: Unable to obtain/);
    assert.equal(await fencing('true').fence('n2'), 'the fencing command ended with 0');
  });

  it('that takes too long has failed', async () => {
    const command = fencing('exec sleep 60', { timeoutMs: 200 });
    await assert.rejects(command.fence('n2'), /took longer than 0\.2 s$/);
  });

  it('is never run for the node itself', async () => {
    await assert.rejects(fencing('true').fence('n1'), /"n1" does not fence itself/);
  });

  it('is not run when others can change it', async () => {
    const command = fencingOf(config(join(tempDir('none'), 'fence')), parts)!;
    await assert.rejects(command.fence('n2'), { code: 'PROGRAM_NOT_TRUSTED' });
  });

  it('can be tried: on and off are both answers, and secrets stay hidden', async () => {
    const options = { password: 'hunter2', ip: '10.0.0.9', snmp_priv_passwd: 'x', identity_file: '/etc/key' };
    const command = fencing(FENCE_AGENT, { options, nodes: { n1: { plug: '1' }, n2: { plug: '2' } } });
    const on = await command.test('n1', 'status');
    assert.deepEqual([on.power, on.failure, on.said], ['on', null, 'Status: ON']);
    assert.deepEqual(on.input, [
      'nodename=n1',
      'password=***',
      'ip=10.0.0.9',
      'snmp_priv_passwd=***',
      'identity_file=/etc/key',
      'plug=1',
      'action=status',
    ]);
    const off = await command.test('n2', 'status');
    assert.deepEqual([off.power, off.failure, off.status], ['off', null, 2]);
    const bad = await command.test('n3', 'status');
    assert.deepEqual([bad.power, bad.failure, bad.status], [null, 'ended with 1', 1]);
    const monitor = await command.test('n3', 'monitor');
    assert.deepEqual([monitor.power, monitor.failure], [null, null]);
  });

  it('need not be configured; who needs one says so', () => {
    assert.equal(fencingOf(null, parts), null);
    refusal(() => requireFencing(null, 'n1'), 'FENCING_NOT_CONFIGURED', /^Node "n1" has no fencing command$/);
  });
});
