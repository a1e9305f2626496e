import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentConfig, defaultConfig } from '../../src/agentd/config.js';
import { readJournal } from '../../src/agentd/journal.js';
import { monotonicMs } from '../../src/agentd/supervisor-clock.js';
import { Fence } from '../../src/agentd/supervisor-fence.js';
import { toolsOf } from '../../src/agentd/tools.js';
import { NodeProcesses } from '../../src/node/processes.js';
import { tempDir } from '../kit/cli.js';
import { eventually, keptLog, script } from './kit.js';

const HELD = [
  { volume: 'v1', epoch: 7 },
  { volume: 'v2', epoch: 8 },
];

/** A fencing with a driver of these lines of shell, given so long. */
function fencing(driver: string, byMs: number, more: Partial<AgentConfig> = {}) {
  const served = { role: 'node', name: 'n1' } as const;
  const stateDir = tempDir('fence');
  const log = keptLog();
  const processes = new NodeProcesses();
  const command = script(driver);
  const config = { ...defaultConfig(), hooksDir: join(stateDir, 'hooks.d'), ...more };
  const tools = toolsOf(
    { ...config, driver: { type: 'exec', command, timeoutMs: 5000 } },
    { served, dir: '/shared/cfs', stateDir, log, ends: 'fenced', processes },
  );
  for (const holding of HELD) tools.journal.add('start', holding);
  const fence = new Fence({
    served,
    dir: '/shared/cfs',
    stateDir,
    tools,
    log,
    why: 'a test',
    byMs: monotonicMs() + byMs,
    holdings: HELD,
    workerPid: null,
    onStopped: () => {},
  });
  const ended = () => readJournal(stateDir).filter(({ event }) => event === 'fenced');
  return { fence, log, stateDir, ended, tools };
}

describe('self-fencing', () => {
  it('stops everything at once, writes it into the journal, and runs the hook', async () => {
    const hooksDir = join(tempDir('hooks'), 'hooks.d');
    const said = join(tempDir('said'), 'hook');
    script(`echo "$CFS_VOLUMES: $CFS_REASON" > ${said}`, join(hooksDir, 'self-fenced/10-tell'));
    // Each stop waits for the other to have begun.
    const begun = tempDir('begun');
    const wait = `while [ $(ls ${begun} | wc -l) -lt 2 ]; do i=$((i + 1)); [ $i -gt 300 ] && exit 1; sleep 0.01; done`;
    const { fence, log, ended } = fencing(`touch ${begun}/$2; i=0; ${wait}`, 10_000, { hooksDir });
    await fence.run();
    assert.deepEqual(
      ended()
        .map(({ volume, epoch }) => `${volume} ${epoch}`)
        .sort(),
      ['v1 7', 'v2 8'],
    );
    assert.deepEqual([fence.report.stopped, fence.report.inTime, fence.left], [2, true, []]);
    assert.match(log.lines.join('\n'), /warn: stopped 2 volumes in \d+ ms, before another node may take over/);
    await eventually(() => existsSync(said) && readFileSync(said, 'utf8') === 'v1 v2: a test\n', 'the hook');
  });

  it('that comes too late says so, and goes on until everything is stopped', async () => {
    const flag = join(tempDir('flag'), 'works');
    const { fence, log, ended } = fencing(
      `[ "$2" = v1 ] || [ -e ${flag} ] || { touch ${flag}; sleep 0.6; echo busy >&2; exit 1; }`,
      500,
    );
    await fence.run();
    assert.equal(fence.report.inTime, false);
    assert.equal(ended().length, 2);
    const lines = log.lines.join('\n');
    assert.match(lines, /error: volume v2 could not be stopped: .*busy/);
    assert.match(lines, /volumes? could not be stopped in time \(.*v2\).*No self-fencing command is configured/);
    assert.match(lines, /too late, another node may have taken over/);
  });

  it('runs the self-fencing command when a driver does not stop something in time', async () => {
    const said = join(tempDir('said'), 'self-fence');
    const selfFence = script(`echo "$CFS_NODE $CFS_VOLUMES" > ${said}; exit 3`);
    const { fence, log } = fencing('[ "$2" = v1 ] || exit 1', 1500, { selfFence });
    const run = fence.run();
    await eventually(() => log.lines.some((line) => /self-fencing command ended with 3/.test(line)), 'the command');
    assert.equal(readFileSync(said, 'utf8'), 'n1 v2\n');
    assert.deepEqual(
      fence.left.map(({ volume, epoch }) => [volume, epoch]),
      [['v2', 8]],
    );
    fence.giveUp();
    await run;
  });

  it('stops what the journal alone knows, and what it is told of while it runs', async () => {
    const { fence, ended, tools } = fencing('sleep 0.1', 4000);
    tools.journal.add('start', { volume: 'v3', epoch: 9 });
    const run = fence.run();
    fence.add({ volume: 'v4', epoch: 9 });
    await run;
    assert.deepEqual(
      ended()
        .map(({ volume }) => volume)
        .sort(),
      ['v1', 'v2', 'v3', 'v4'],
    );
  });
});
