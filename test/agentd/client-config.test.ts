import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAgentConfig } from '../../src/agentd/config.js';
import Agentd from '../../src/commands/agentd/index.js';
import { CfsError } from '../../src/core/errors.js';
import { ROOT } from '../kit/cli.js';

const parse = (client: unknown) => parseAgentConfig(JSON.stringify({ client }), '/etc/cfs/agent.json').client;

describe('the configuration of a client', () => {
  it('is null where the host is no client, and has a default for all but the name', () => {
    assert.equal(parseAgentConfig('{}', '/x').client, null);
    assert.deepEqual(parse({ name: 'c1' }), {
      name: 'c1',
      autoRespond: null,
      autoRespondTimeoutMs: 30_000,
      driver: { type: 'record' },
      volumes: {},
    });
  });

  it('knows every key that the manual names', () => {
    const config = parse({
      name: 'c1',
      autoRespond: '/etc/cfs/may-release',
      autoRespondTimeout: '5s',
      driver: { type: 'mount', timeout: '10s' },
      volumes: {
        v1: {
          device: '/dev/disk/by-label/v1',
          at: '/srv/v1/',
          fsType: 'ext4',
          options: 'noatime,data=ordered',
          roOptions: '',
          rwOptions: 'discard',
        },
        'v 2': { directory: '/shared/v2', at: '/srv/v2' },
      },
    });
    assert.equal(config?.autoRespond, '/etc/cfs/may-release');
    assert.equal(config?.autoRespondTimeoutMs, 5000);
    assert.deepEqual(config?.driver, { type: 'mount', timeoutMs: 10_000 });
    assert.deepEqual(config?.volumes, {
      v1: {
        device: '/dev/disk/by-label/v1',
        directory: null,
        at: '/srv/v1',
        fsType: 'ext4',
        options: ['noatime', 'data=ordered'],
        roOptions: [],
        rwOptions: ['discard'],
      },
      'v 2': {
        device: null,
        directory: '/shared/v2',
        at: '/srv/v2',
        fsType: null,
        options: [],
        roOptions: [],
        rwOptions: [],
      },
    });
    assert.deepEqual(parse({ name: 'c1', driver: { type: 'command', command: '/etc/cfs/mounts' } })?.driver, {
      type: 'command',
      command: '/etc/cfs/mounts',
      timeoutMs: 60_000,
    });
  });

  it('is shown whole by the example, which the help of the agent names', () => {
    const text = readFileSync(join(ROOT, 'examples/agent-client.json'), 'utf8');
    const { client } = parseAgentConfig(text, 'agent-client.json');
    assert.deepEqual(client?.driver, { type: 'mount', timeoutMs: 60_000 });
    assert.equal(client?.volumes.v1?.device, '/dev/disk/by-label/v1');
    assert.equal(client?.volumes.v2?.directory, '/shared/v2');
    const help = Agentd.description;
    assert.match(help, /examples\/agent-client\.json/);
    const { client: said } = JSON.parse(text);
    for (const key of [...Object.keys(said), ...Object.keys(said.volumes.v1), ...Object.keys(said.volumes.v2)]) {
      assert.match(help, new RegExp(`\\b${key}\\b`), 'a key that the help does not name');
    }
  });

  it('refuses what cannot be mounted, or would be mounted otherwise than it reads, naming the place', () => {
    const volume = (v1: object) => ({ name: 'c1', volumes: { v1: { device: '/dev/a', at: '/srv/a', ...v1 } } });
    const cases: [unknown, RegExp][] = [
      [{}, /"client\.name"/],
      [{ name: 'any' }, /"client\.name" \("any"\): .*reserved/],
      [{ name: 'c1', driver: { type: 'command' } }, /"client\.driver\.command"/],
      [{ name: 'c1', driver: { type: 'exec' } }, /"client\.driver\.type"/],
      [{ name: 'c1', autoRespond: 'yes' }, /"client\.autoRespond".*is no absolute path/],
      [{ name: 'c1', volumes: { 'a/b': { device: '/d', at: '/a' } } }, /cannot be the name of a volume/],
      [volume({ at: 'srv' }), /"client\.volumes\.v1\.at" \("srv"\): is no absolute path/],
      [volume({ at: '/srv/..' }), /is the root of this host/],
      [volume({ at: '/srv/a\nb' }), /holds a control character/],
      [volume({ directory: '/b' }), /"client\.volumes\.v1".*names no device or directory, or both/],
      [{ name: 'c1', volumes: { v1: { at: '/srv' } } }, /names no device or directory, or both/],
      [{ name: 'c1', volumes: { v1: { directory: '/b', at: '/srv', fsType: 'ext4' } } }, /has no fsType/],
      [volume({ options: 'noatime,rw' }), /"client\.volumes\.v1\.options".*"rw" is said by cfs itself/],
      [volume({ roOptions: 'bind' }), /"bind" is said by cfs itself/],
      [volume({ rwOptions: 'loop=/dev/loop3' }), /"loop=\/dev\/loop3" is said by cfs itself/],
      [volume({ options: 'no atime' }), /holds a blank/],
      [volume({ fsType: '-o' }), /is no type of a file system/],
      [volume({ mode: 'rw' }), /"client\.volumes\.v1\.mode"/],
      [
        { name: 'c1', volumes: { v1: { device: '/a', at: '/srv' }, v2: { device: '/b', at: '/srv/' } } },
        /"client\.volumes".*mounts two volumes at one place: "v1" and "v2" at \/srv/,
      ],
      [
        { name: 'c1', volumes: { v1: { device: '/a', at: '/srv/1' }, v2: { device: '/a', at: '/srv/2' } } },
        /names one device or directory for two volumes: \/a for "v1" and "v2"/,
      ],
    ];
    for (const [data, sentence] of cases) {
      assert.throws(
        () => parse(data),
        (error) => error instanceof CfsError && error.code === 'BAD_FILE' && sentence.test(error.message),
        `${JSON.stringify(data)} ${sentence}`,
      );
    }
  });
});
