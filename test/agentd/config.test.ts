import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultConfig, parseAgentConfig, readAgentConfig } from '../../src/agentd/config.js';
import { CfsError } from '../../src/core/errors.js';
import { tempDir } from '../kit/cli.js';

/** The code and the sentence of a refusal. */
function refusal(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof CfsError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'it was not refused' });
}

const parse = (data: unknown) => parseAgentConfig(JSON.stringify(data), '/etc/cfs/agent.json');

describe('the configuration of the agent', () => {
  it('has a default for every key', () => {
    assert.deepEqual(parse({}), defaultConfig());
    assert.deepEqual(defaultConfig().driver, { type: 'record' });
    assert.equal(defaultConfig().hooksDir, '/etc/cfs/hooks.d');
  });

  it('knows every key that the manual names, with durations as text', () => {
    const config = parse({
      node: 'n1',
      dir: '/shared/cfs',
      stateDir: '/var/lib/cfs/main/n1',
      driver: { type: 'exec', command: '/etc/cfs/driver', timeout: '90s' },
      fencing: {
        command: '/usr/sbin/fence_ipmilan',
        options: { username: 'admin', lanplus: true },
        nodes: { n2: { plug: 2 } },
      },
      selfFence: '/etc/cfs/self-fence',
      hooksDir: '/etc/cfs/hooks',
      drainOnStop: true,
      log: 'json',
      logLevel: 'debug',
    });
    assert.deepEqual(config.driver, { type: 'exec', command: '/etc/cfs/driver', timeoutMs: 90_000 });
    assert.deepEqual(config.fencing, {
      command: '/usr/sbin/fence_ipmilan',
      options: { username: 'admin', lanplus: 'true' },
      nodes: { n2: { plug: '2' } },
      clients: {},
      timeoutMs: 30_000,
    });
    assert.deepEqual([config.log, config.logLevel, config.drainOnStop], ['json', 'debug', true]);
  });

  it('refuses what it does not know, naming the place', () => {
    const cases: [unknown, RegExp][] = [
      [{ nodes: 'n1' }, /"nodes"/],
      [{ driver: { type: 'magic' } }, /"driver\.type"/],
      [{ driver: { type: 'exec', command: 'driver' } }, /"driver\.command" \("driver"\): is no absolute path/],
      [{ driver: { type: 'exec', command: '/d', timeout: '2 days' } }, /"driver\.timeout".*is no duration/],
      [{ driver: { type: 'exec', command: '/d', timeout: '2d' } }, /is not from 100ms to 1h/],
      [{ fencing: { command: '/f', options: { 'a b': '1' } } }, /is no name of an option/],
      [{ fencing: { command: '/f', nodes: { n2: { plug: '1\naction=on' } } } }, /holds a line end/],
      [{ logLevel: 'loud' }, /"logLevel"/],
      [[], /not a valid configuration/],
    ];
    for (const [data, sentence] of cases) {
      const { code, message } = refusal(() => parse(data));
      assert.equal(code, 'BAD_FILE', message);
      assert.match(message, sentence);
    }
    assert.match(refusal(() => parseAgentConfig('{', '/x')).message, /\/x is not a valid/);
  });

  it('is refused where others could write it, and may only be missing where none was named', () => {
    const path = join(tempDir('config'), 'agent.json');
    assert.equal(refusal(() => readAgentConfig(path)).code, 'PROGRAM_NOT_TRUSTED');
    writeFileSync(path, '{"node":"n7"}');
    chmodSync(path, 0o600);
    assert.equal(readAgentConfig(path).node, 'n7');
    chmodSync(path, 0o620);
    const { code, message } = refusal(() => readAgentConfig(path));
    assert.equal(code, 'PROGRAM_NOT_TRUSTED');
    assert.match(message, /can be written by others/);
  });
});
