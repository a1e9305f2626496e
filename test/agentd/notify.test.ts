import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { logLine } from '../../src/agentd/log.js';
import { Notifier } from '../../src/agentd/notify.js';
import { needsProgram, ROOT, tempDir } from '../kit/cli.js';
import { script } from './kit.js';

/** Runs the action with a systemd-notify that writes down what it is told. */
async function notified(action: (notifier: Notifier) => void, env: Record<string, string> = {}): Promise<string[]> {
  const said = join(tempDir('notify'), 'said');
  writeFileSync(said, '');
  const fake = script(`echo "$NOTIFY_SOCKET $*" >> ${said}`, join(tempDir('bin'), 'systemd-notify'));
  const before = { ...process.env };
  Object.assign(process.env, env, { PATH: `${dirname(fake)}${delimiter}${process.env.PATH}` });
  const problems: string[] = [];
  try {
    const notifier = new Notifier((problem) => problems.push(problem));
    assert.equal(process.env.NOTIFY_SOCKET, undefined, 'programs of the agent do not inherit it');
    action(notifier);
    await notifier.idle();
  } finally {
    process.env.PATH = before.PATH;
  }
  assert.deepEqual(problems, []);
  return readFileSync(said, 'utf8').split('\n').slice(0, -1);
}

describe('messages to systemd', () => {
  it('are sent in order by systemd-notify, and the status only when it has changed', async () => {
    const said = await notified(
      (notifier) => {
        notifier.send('READY=1');
        notifier.says('online, 3 volumes');
        notifier.says('online, 3 volumes');
        notifier.reloading();
        notifier.send('READY=1');
        notifier.send('STOPPING=1');
      },
      { NOTIFY_SOCKET: '/run/x' },
    );
    assert.deepEqual(
      said.map((line) => line.replace(/\d{6,}/, 'N')),
      [
        '/run/x READY=1',
        '/run/x STATUS=online, 3 volumes',
        '/run/x RELOADING=1 MONOTONIC_USEC=N',
        '/run/x READY=1',
        '/run/x STOPPING=1',
      ],
    );
  });

  it('are not sent where systemd did not ask for them', async () => {
    assert.deepEqual(await notified((notifier) => notifier.send('READY=1')), []);
  });
});

describe('the unit for systemd', () => {
  it('is accepted by systemd-analyze without a word', function () {
    needsProgram(this, 'systemd-analyze');
    const dir = tempDir('unit');
    const cfs = script('exit 0', join(dir, 'bin/cfs'));
    const unit = readFileSync(join(ROOT, 'packaging/cfs-agentd.service'), 'utf8');
    assert.match(unit, /^Type=notify\nNotifyAccess=all$|^NotifyAccess=all$/m);
    mkdirSync(join(dir, 'system'));
    const path = join(dir, 'system/cfs-agentd.service');
    writeFileSync(path, unit.replaceAll('/usr/bin/cfs', cfs));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    assert.deepEqual([status, stdout, stderr], [0, '', '']);
  });
});

describe('a line of the log', () => {
  const json = JSON.stringify({
    level: 50,
    time: '2026-11-20T21:27:31.123Z',
    process: 'worker',
    node: 'n1',
    volume: 'a b',
    epoch: 7,
    message: 'volume \u001b[31mred\nbegins',
  });

  it('is one line, safe for a terminal, with the facts behind the sentence', () => {
    assert.equal(
      logLine(json),
      '2026-11-20T21:27:31.123Z ERROR worker: volume \\u001b[31mred\\u000abegins (volume="a b" epoch=7)',
    );
  });

  it('says of which client it is: one process may serve a node, too', () => {
    const line = {
      level: 30,
      time: 'T',
      process: 'worker',
      served: 'client c1',
      client: 'c2',
      message: 'client c2 is gone',
    };
    assert.equal(logLine(JSON.stringify(line)), 'T INFO  client c1 worker: client c2 is gone (client=c2)');
  });

  it('has its priority instead of the time under journald', () => {
    assert.match(logLine(json, true), /^<3>worker: volume/);
  });
});
