/** `cfs doctor` through the built binary, on this machine's own file system; real shared ones are in test/lab/doctor.test.ts. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCfs, startCfs, tempDir } from '../kit/cli.js';

/** Collects what a process says on standard error, and waits for a text there. */
function listen(child: ChildProcess) {
  let said = '';
  child.stdout?.resume();
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    said += part;
  });
  const ended = new Promise<number>((resolve) => {
    child.on('close', (status, signal) => resolve(status ?? (signal === 'SIGKILL' ? 137 : 128)));
  });
  return {
    ended,
    said: () => said,
    until: async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (const end = Date.now() + 20_000; Date.now() < end; ) {
        const match = pattern.exec(said);
        if (match) return match;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`never said ${pattern}: ${said}`);
    },
  };
}

const JOIN = /cfs doctor (\S+) --join ([0-9a-f]{8})\n/;

describe('cfs doctor', () => {
  it('tests with one node alone, cleans up, and says that this proves less', () => {
    const dir = tempDir('doctor');
    const { stdout, status } = runCfs(['doctor', dir, '--alone']);
    assert.equal(status, 0);
    assert.match(stdout, /exclusive link +one winner in 25 of 25/);
    assert.match(stdout, /tested by one node alone/);
    assert.match(stdout, /As far as one node can tell/);
    assert.deepEqual(readdirSync(dir), []);
  });

  it('tests from two nodes that join by a code: both give the same verdict, and nothing is left', async () => {
    const dir = tempDir('doctor');
    const first = startCfs(['doctor', dir, '--json']);
    let printed = '';
    first.stdout?.setEncoding('utf8').on('data', (part: string) => {
      printed += part;
    });
    const talk = listen(first);
    const [, where, code] = await talk.until(JOIN);
    assert.equal(where, dir);
    const second = runCfs(['doctor', dir, '--join', code!, '--json']);
    assert.equal(second.status, 0, second.stderr);
    assert.equal(await talk.ended, 0, talk.said());
    const [a, b] = [JSON.parse(printed), JSON.parse(second.stdout)];
    assert.deepEqual(a, b);
    assert.equal(a.verdict.answer, 'yes');
    const { races, visible, mode, clock } = a.measured;
    assert.equal(mode, 'two');
    for (const race of [races.link, races.exclusiveOpen, races.mkdir]) {
      assert.equal(race.oneWinner, race.tries);
      assert.equal(race.wins[0] + race.wins[1], race.tries);
      assert.deepEqual(Object.keys(race.errors), ['EEXIST']);
    }
    for (const delay of Object.values(visible) as { seen: number; missed: number }[]) {
      assert.equal(delay.missed, 0);
      assert.ok(delay.seen > 0);
    }
    // One kernel has one clock.
    assert.ok(Math.abs(clock.offsetMs) <= clock.errorMs + 2, JSON.stringify(clock));
    assert.deepEqual(readdirSync(dir), []);
  });

  it('tests the cluster directory when none is named, and leaves the database as it was', () => {
    const dir = join(tempDir('doctor'), 'cfs');
    assert.equal(runCfs(['init', '--yes'], { dir }).status, 0);
    const before = readdirSync(dir);
    const { status, stderr } = runCfs(['doctor', '--alone'], { dir });
    assert.equal(status, 0, stderr);
    assert.deepEqual(readdirSync(dir), before);
  });

  it('cleans up after Ctrl-C while it waits, and exits 130', async () => {
    const dir = tempDir('doctor');
    const child = startCfs(['doctor', dir]);
    const talk = listen(child);
    await talk.until(JOIN);
    child.kill('SIGINT');
    assert.equal(await talk.ended, 130);
    assert.deepEqual(readdirSync(dir), []);
  });

  it('tells the other node when it is interrupted during the test', async () => {
    const dir = tempDir('doctor');
    const first = startCfs(['doctor', dir]);
    const one = listen(first);
    const [, , code] = await one.until(JOIN);
    const second = startCfs(['doctor', dir, '--join', code!]);
    const two = listen(second);
    const begun = join(dir, `.cfs-doctor-${code}`, 'turns', 'second.here');
    for (const end = Date.now() + 20_000; !existsSync(begun) && Date.now() < end; )
      await new Promise((resolve) => setTimeout(resolve, 5));
    second.kill('SIGTERM');
    assert.equal(await two.ended, 130, two.said());
    assert.equal(await one.ended, 6, one.said());
    assert.match(one.said(), /The other node ended during .*SIGTERM/);
    assert.deepEqual(readdirSync(dir), []);
  });

  it('gives up when no second node comes, and says what to do', () => {
    const dir = tempDir('doctor');
    const { status, stderr } = runCfs(['doctor', dir, '--timeout', '300ms']);
    assert.equal(status, 6);
    assert.match(stderr, /No other node joined within 0\.3 s/);
    assert.match(stderr, /--alone/);
    assert.deepEqual(readdirSync(dir), []);
  });

  it('names what a former test has left behind, and leaves it alone', () => {
    const dir = tempDir('doctor');
    mkdirSync(join(dir, '.cfs-doctor-0badc0de'));
    const { stderr } = runCfs(['doctor', dir, '--timeout', '100ms']);
    assert.match(stderr, /Left behind, remove it by hand: .*\.cfs-doctor-0badc0de/);
    assert.deepEqual(readdirSync(dir), ['.cfs-doctor-0badc0de']);
  });

  it('refuses a code that is none, a directory that is none, and forms that exclude each other', () => {
    const dir = tempDir('doctor');
    assert.equal(runCfs(['doctor', dir, '--join', '../x']).status, 2);
    assert.equal(runCfs(['doctor', dir, '--alone', '--local-peer']).status, 2);
    const missing = runCfs(['doctor', join(dir, 'none'), '--alone']);
    assert.equal(missing.status, 3);
    assert.match(missing.stderr, /There is no directory/);
  });

  it('says that the directory may not be the same one when the test to join is not there', () => {
    const { status, stderr } = runCfs(['doctor', tempDir('doctor'), '--join', '0badc0de']);
    assert.equal(status, 3);
    assert.match(stderr, /not the same directory on both nodes/);
  });
});
