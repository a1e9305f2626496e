/** Verdicts of recorded measurements (fixtures/doctor, made by scripts/lab/doctor.sh and `cfs doctor --local-peer`). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Measurements } from '../../src/core/doctor/measurements.js';
import { verdictOf } from '../../src/core/doctor/verdict.js';
import { ROOT } from '../kit/cli.js';

function recorded(name: string): Measurements {
  return JSON.parse(readFileSync(join(ROOT, 'fixtures/doctor', `${name}.json`), 'utf8')) as Measurements;
}

function levelOf(measured: Measurements, id: string): string | undefined {
  return verdictOf(measured).findings.find((f) => f.id === id)?.level;
}

function useOf(measured: Measurements, use: string) {
  return verdictOf(measured).uses.find((u) => u.use === use);
}

describe('the verdict of cfs doctor', () => {
  it('lets MooseFS be a cluster directory with polling, since no notification crosses hosts', () => {
    const verdict = verdictOf(recorded('moosefs'));
    assert.equal(verdict.answer, 'polling');
    assert.deepEqual(
      verdict.reasons.map((reason) => reason.split(':')[0]),
      ['inotify from the other node'],
    );
    assert.equal(useOf(recorded('moosefs'), 'locks')?.answer, 'yes');
    assert.match(useOf(recorded('moosefs'), 'failover')?.text ?? '', /lease\.timeout 30s or more$/);
  });

  it('lets GlusterFS be one too, and says that programs which replace files are seen late with its default caches', () => {
    assert.equal(verdictOf(recorded('glusterfs')).answer, 'polling');
    assert.equal(useOf(recorded('glusterfs'), 'replaced-files')?.answer, 'yes');
    const late = recorded('glusterfs-default-caches');
    assert.equal(verdictOf(late).answer, 'polling');
    assert.equal(useOf(late, 'replaced-files')?.answer, 'no');
    assert.match(useOf(late, 'failover')?.text ?? '', /lease\.timeout 20s or more$/);
  });

  it('counts the few hard links of GlusterFS as good to know only', () => {
    assert.deepEqual(recorded('glusterfs').hardLinks, { made: 44, tried: 150, error: 'ENOSPC' });
    assert.equal(levelOf(recorded('glusterfs'), 'hard-links'), 'info');
  });

  it('refuses sshfs by name and by what was measured: EPERM for EEXIST, locks given to both, an mtime never seen', () => {
    const verdict = verdictOf(recorded('sshfs'));
    assert.equal(verdict.answer, 'no');
    const reasons = verdict.reasons.join('\n');
    assert.match(verdict.reasons[0]!, /^sshfs answers EPERM/);
    assert.match(reasons, /exclusive link: .*told EPERM instead of EEXIST/);
    assert.match(reasons, /new name listed: not within 3000 ms/);
    assert.match(reasons, /new mtime: not within 3000 ms/);
    assert.match(reasons, /flock: given to both/);
    assert.match(reasons, /fcntl lock: given to both/);
    for (const use of ['cluster-directory', 'failover', 'locks'])
      assert.equal(useOf(recorded('sshfs'), use)?.answer, 'no');
  });

  it('refuses what was measured on sshfs under any other name as well', () => {
    const measured = recorded('sshfs');
    for (const node of measured.nodes) node.mount = { ...node.mount!, type: 'fuse', source: 'something' };
    const verdict = verdictOf(measured);
    assert.equal(verdict.answer, 'no');
    assert.match(verdict.reasons[0]!, /^exclusive link/);
  });

  it('takes ext4 and tmpfs for nodes of one machine, and says that caches were not tested', () => {
    for (const name of ['ext4', 'tmpfs']) {
      const verdict = verdictOf(recorded(name));
      assert.equal(verdict.answer, 'yes', name);
      assert.match(verdict.caveats.join('\n'), /share one mount of one machine/);
      assert.match(verdict.caveats.join('\n'), /only nodes on this machine/);
    }
    assert.match(verdictOf(recorded('tmpfs')).caveats.join('\n'), /empty after a restart/);
  });

  it('refuses a disk that two machines have mounted: it is being destroyed', () => {
    const measured: Measurements = { ...recorded('ext4'), sameMachine: false };
    const verdict = verdictOf(measured);
    assert.equal(verdict.answer, 'no');
    assert.match(verdict.reasons[0]!, /two have it mounted: unmount it/);
  });

  it('refuses a name that was given to two, even once', () => {
    const measured = recorded('moosefs');
    measured.races.link = { ...measured.races.link, oneWinner: 199, severalWinners: 1 };
    assert.equal(verdictOf(measured).answer, 'no');
    assert.match(verdictOf(measured).reasons[0]!, /1 names were given to more than one/);
  });

  it('refuses a directory whose files get another owner, and names the export option', () => {
    const measured = recorded('moosefs');
    measured.nodes[1]!.fileOwner = 65534;
    assert.match(verdictOf(measured).reasons[0]!, /no_root_squash/);
    assert.equal(verdictOf(measured).answer, 'no');
  });

  it('refuses a directory that takes no flushes', () => {
    const measured = recorded('moosefs');
    measured.nodes[0]!.fsyncDirectory = { refused: 'EINVAL' };
    assert.equal(verdictOf(measured).answer, 'no');
  });

  it('asks for a longer lease timeout where new names are seen late', () => {
    const measured = recorded('ext4');
    measured.visible!.listed = { ...measured.visible!.listed, p50Ms: 900, maxMs: 2_600 };
    assert.equal(levelOf(measured, 'listed'), 'limit');
    assert.match(useOf(measured, 'failover')?.text ?? '', /lease\.timeout 22s or more$/);
  });

  it('does not claim from one node what only two can show', () => {
    const measured: Measurements = { ...recorded('moosefs'), mode: 'alone', visible: null, inotifyOther: null };
    measured.nodes = [measured.nodes[0]!];
    const verdict = verdictOf(measured);
    assert.match(verdict.summary, /^As far as one node can tell/);
    assert.equal(useOf(measured, 'failover')?.answer, 'unknown');
    assert.equal(useOf(measured, 'locks')?.answer, 'unknown');
  });

  it('says yes only where no finding is bad, whatever fails', () => {
    const base = recorded('ext4');
    fc.assert(
      fc.property(
        fc.nat(3),
        fc.nat(2),
        fc.constantFrom('EEXIST', 'EPERM', 'EIO'),
        fc.boolean(),
        (several, missed, errno, inotify) => {
          const measured: Measurements = {
            ...base,
            inotifyOther: inotify,
            races: { ...base.races, mkdir: { ...base.races.mkdir, severalWinners: several, errors: { [errno]: 5 } } },
            visible: { ...base.visible!, found: { ...base.visible!.found, missed } },
          };
          const verdict = verdictOf(measured);
          const isBad = several > 0 || missed > 0 || errno !== 'EEXIST';
          assert.equal(verdict.answer, isBad ? 'no' : inotify ? 'yes' : 'polling');
          if (verdict.answer !== 'yes') assert.notEqual(verdict.reasons.length, 0);
        },
      ),
    );
  });
});
