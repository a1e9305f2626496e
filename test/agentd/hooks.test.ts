import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOOK_VARIABLES, type HookOptions, NodeHooks } from '../../src/agentd/hooks.js';
import { HOOK_EVENTS } from '../../src/core/agent/ports.js';
import { tempDir } from '../kit/cli.js';
import { eventually, type KeptLog, keptLog, script, somePrograms } from './kit.js';

interface Site {
  hooks: NodeHooks;
  hooksDir: string;
  stateDir: string;
  log: KeptLog;
  /** What hooks wrote with `>> $OUT`. */
  out: string;
  said: () => string;
}

function site(options: Partial<HookOptions> = {}): Site {
  const hooksDir = join(tempDir('hooks'), 'hooks.d');
  const stateDir = tempDir('state');
  const log = keptLog();
  const out = join(tempDir('out'), 'out');
  const parts = {
    hooksDir,
    stateDir,
    served: { role: 'node', name: 'n1' } as const,
    dir: '/shared/cfs',
    programs: somePrograms(stateDir),
    log,
  };
  const hooks = new NodeHooks({ ...parts, ...options });
  return { hooks, hooksDir, stateDir, log, out, said: () => (existsSync(out) ? readFileSync(out, 'utf8') : '') };
}

describe('hooks', () => {
  it('of an event run one after the other in natural order, with the documented variables', async () => {
    const { hooks, hooksDir, out, said } = site();
    for (const name of ['10-last', '2-second', '1-first']) {
      script(
        `echo ${name} $CFS_EVENT $CFS_NODE $CFS_DIR $CFS_VOLUME $CFS_EPOCH >> ${out}`,
        join(hooksDir, 'volume-started', name),
      );
    }
    script(`echo wrong >> ${out}`, join(hooksDir, 'volume-stopped/1'));
    await hooks.run('volume-started', { CFS_VOLUME: 'v1', CFS_EPOCH: '7' });
    assert.deepEqual(said().split('\n'), [
      '1-first volume-started n1 /shared/cfs v1 7',
      '2-second volume-started n1 /shared/cfs v1 7',
      '10-last volume-started n1 /shared/cfs v1 7',
      '',
    ]);
  });

  it('of several events run in the order of the events, while nobody waits', async () => {
    const { hooks, hooksDir, out, said } = site();
    script(`sleep 0.1; echo joined >> ${out}`, join(hooksDir, 'joined/1'));
    script(`echo left >> ${out}`, join(hooksDir, 'left/1'));
    const began = performance.now();
    void hooks.run('joined', {});
    void hooks.run('left', {});
    assert.ok(performance.now() - began < 90);
    await hooks.idle();
    assert.equal(said(), 'joined\nleft\n');
  });

  it('leave what they print in the log, by its last lines, and whole in the state directory', async () => {
    const { hooks, hooksDir, stateDir, log } = site();
    script('for i in 1 2 3 4 5 6 7; do echo line $i; done', join(hooksDir, 'alarm/tell'));
    await hooks.run('alarm', { CFS_REASON: 'x' });
    assert.match(
      log.lines.join('\n'),
      /^info: hook alarm\/tell ended after \d+ ms: line 3; line 4; line 5; line 6; line 7$/,
    );
    const kept = join(stateDir, 'hooks/alarm.tell');
    assert.match(readFileSync(kept, 'utf8'), /^\d{4}-.*Z ended with 0 after \d+ ms\nline 1\n(line \d\n){5}line 7\n$/);
    assert.equal(statSync(kept).mode & 0o777, 0o600);
  });

  it('that fail, take too long or are not trusted are told, and the next one runs', async () => {
    const { hooks, hooksDir, log, out, said } = site({ timeoutMs: 200 });
    script('echo no such printer >&2; exit 4', join(hooksDir, 'alarm/1-fails'));
    script('exec sleep 60', join(hooksDir, 'alarm/2-sleeps'));
    chmodSync(script('true', join(hooksDir, 'alarm/3-open')), 0o777);
    script(`echo ran >> ${out}`, join(hooksDir, 'alarm/4-runs'));
    await hooks.run('alarm', {});
    const [fails, sleeps, open, runs] = log.lines;
    assert.equal(fails, 'warn: hook alarm/1-fails ended with 4: no such printer');
    assert.equal(sleeps, 'warn: hook alarm/2-sleeps took longer than 0.2 s');
    assert.match(open!, /^error: The hook .*3-open is not used: it can be written by others.*chmod go-w/);
    assert.match(runs!, /^info: hook alarm\/4-runs ended/);
    assert.equal(said(), 'ran\n');
  });

  it('are programs only: no notes, backups and what is switched off', async () => {
    const { hooks, hooksDir, log } = site();
    for (const name of ['.hidden', 'a~', 'a.bak', 'a.disabled', 'a.dpkg-old', 'a.rpmsave']) {
      script('true', join(hooksDir, 'alarm', name));
    }
    writeFileSync(join(hooksDir, 'alarm/README'), 'about', { mode: 0o644 });
    await hooks.run('alarm', {});
    assert.deepEqual(log.lines, []);
  });

  it('need not be there', async () => {
    const { hooks, log } = site();
    await hooks.run('alarm', {});
    assert.deepEqual(log.lines, []);
  });

  it('that are too slow for their events lose some, which are counted and told', async () => {
    const { hooks, hooksDir, log, out, said } = site({ queueLength: 3 });
    const gate = join(tempDir('gate'), 'open');
    script(`while [ ! -e ${gate} ]; do sleep 0.01; done; echo $CFS_REASON >> ${out}`, join(hooksDir, 'alarm/1'));
    for (let i = 1; i <= 5; i++) void hooks.run('alarm', { CFS_REASON: String(i) });
    assert.equal(hooks.dropped, 2);
    assert.equal(log.lines.filter((line) => /^warn: hooks are too slow/.test(line)).length, 2);
    writeFileSync(gate, '');
    await hooks.idle();
    assert.equal(said(), '1\n2\n3\n');
    void hooks.run('alarm', { CFS_REASON: 'again' });
    await eventually(() => said().endsWith('again\n'), 'the queue takes events again');
  });

  it('have documented variables for every event', () => {
    assert.deepEqual(Object.keys(HOOK_VARIABLES).sort(), [...HOOK_EVENTS].sort());
  });
});
