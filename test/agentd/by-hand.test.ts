/** Mounts that a person changes behind the back of a client's agent, through the built binary. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cfs, tempDir } from '../kit/cli.js';
import { ClientAgent, callsOf, endAll, soon } from './client-kit.js';

describe('cfs agentd --client, where somebody mounts by hand', function () {
  this.timeout(60_000);
  after(endAll);

  it('makes read-only by force what was made writable, and mounts again what was unmounted', async () => {
    const dir = join(tempDir('by-hand'), 'cfs');
    const document = {
      cluster: { name: 't', 'lease.interval': '300ms', 'lease.timeout': '10s' },
      volumes: [
        { name: 'v1', weight: 1 },
        { name: 'v2', weight: 1 },
      ],
    };
    cfs(['init', '--from', '-', '--yes'], { dir, input: JSON.stringify(document) });
    cfs(['client', 'add', 'c1'], { dir });
    cfs(['volume', 'allow', 'v1,v2', 'c1'], { dir });
    const base = tempDir('by-hand-clients');
    const agent = new ClientAgent(base, dir, 'c1').start();
    await agent.has(['v1 ro', 'v2 ro']);
    writeFileSync(join(agent.home, 'mounts/v1'), 'rw\n');
    rmSync(join(agent.home, 'mounts/v2'));
    const says = () => agent.log;
    await soon(() => /volume v1 was made writable by somebody else/.test(agent.log), says);
    await soon(() => /volume v2 was unmounted by somebody else/.test(agent.log), says);
    await soon(() => callsOf(base).includes('c1 ro v1 force'), says);
    await agent.has(['v1 ro', 'v2 ro'], 'again');
    // The supervisor knew of it meanwhile.
    await soon(() => agent.open().length === 0 && agent.journal().some(({ volume }) => volume === 'v1'), says);
  });
});
