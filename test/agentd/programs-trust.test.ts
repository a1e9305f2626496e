import assert from 'node:assert/strict';
import { chmodSync, chownSync, lchownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustedProgram } from '../../src/agentd/trusted-program.js';
import { tempDir } from '../kit/cli.js';
import { refusal } from '../kit/memory.js';
import { script } from './kit.js';

const NOBODY = 65534;
const trust = (path: string, outside: string[] = []) => trustedProgram(path, { what: 'driver', outside });
const refused = (path: string, says: RegExp, outside: string[] = []) =>
  refusal(() => trust(path, outside), 'PROGRAM_NOT_TRUSTED', says);

/** Only root can give files to others. */
function needsRoot(test: Mocha.Context): void {
  if (process.geteuid!() === 0) return;
  console.error(`skipped, because only root can give files away: ${test.test?.fullTitle() ?? ''}`);
  test.skip();
}

describe('a program is trusted', () => {
  it('when nobody but root and the caller can change it; its path is given without links', () => {
    const dir = tempDir('trust');
    const program = script('true', join(dir, 'bin/driver'));
    assert.equal(trust(program), program);
    symlinkSync('../bin', join(dir, 'bin/again'));
    symlinkSync(join(dir, 'bin/again/driver'), join(dir, 'link'));
    assert.equal(trust(join(dir, 'link')), program);
    assert.equal(trust(join(dir, 'bin/./../bin//driver')), program);
  });

  it('not when group or others can write the file', () => {
    for (const mode of [0o775, 0o757]) {
      const program = script('true');
      chmodSync(program, mode);
      const error = refused(program, /^The driver .* is not used: it can be written by others than its owner$/);
      assert.equal(error.hint, `Take that away: chmod go-w ${program}`);
    }
  });

  it('not when they can write any directory above it, also one that only a link passes', () => {
    const dir = tempDir('trust');
    const program = script('true', join(dir, 'open/sub/driver'));
    chmodSync(join(dir, 'open'), 0o775);
    const error = refused(program, /open can be written by others/);
    assert.equal(error.details?.path, join(dir, 'open'));
    const safe = script('true', join(dir, 'safe/driver'));
    symlinkSync(safe, join(dir, 'open/link'));
    refused(join(dir, 'open/link'), /open can be written by others/);
    symlinkSync(join(dir, 'open/link'), join(dir, 'safe/link'));
    refused(join(dir, 'safe/link'), /open can be written by others/);
  });

  it('not when it, a directory above it or a link to it belongs to somebody else', function () {
    needsRoot(this);
    const dir = tempDir('trust');
    const program = script('true', join(dir, 'sub/driver'));
    const safe = script('true', join(dir, 'safe/driver'));
    symlinkSync(safe, join(dir, 'link'));
    lchownSync(join(dir, 'link'), NOBODY, NOBODY);
    refused(join(dir, 'link'), /link belongs to user 65534, not to root|it belongs to user 65534, not to root/);
    chownSync(program, NOBODY, NOBODY);
    refused(program, /it belongs to user 65534/);
    chownSync(program, 0, 0);
    chownSync(join(dir, 'sub'), NOBODY, NOBODY);
    refused(program, /sub belongs to user 65534/);
    assert.equal(trustedProgram(program, { what: 'driver', uid: NOBODY }), program, 'that user may run it');
  });

  it('in a sticky directory that all can write only when it is ours', function () {
    needsRoot(this);
    const dir = tempDir('trust');
    mkdirSync(join(dir, 'tmp'));
    chmodSync(join(dir, 'tmp'), 0o1777);
    const program = script('true', join(dir, 'tmp/driver'));
    assert.equal(trust(program), program);
    chownSync(program, NOBODY, NOBODY);
    refused(program, /belongs to user 65534/);
  });

  it('never in the cluster directory, which is not even looked at', () => {
    const dir = tempDir('trust');
    // Nothing is there: looking would say so.
    refused(join(dir, 'shared/hooks/program'), /shared lies in the cluster directory$/, [join(dir, 'shared')]);
    mkdirSync(join(dir, 'etc'));
    symlinkSync(join(dir, 'shared/program'), join(dir, 'etc/program'));
    refused(join(dir, 'etc/program'), /shared lies in the cluster directory$/, [join(dir, 'shared')]);
    refused(join(dir, 'etc/../shared/program'), /lies in the cluster directory$/, [`${join(dir, 'shared')}/`]);
    const program = script('true', join(dir, 'shared-not/driver'));
    assert.equal(trust(program, [join(dir, 'shared')]), program);
  });

  it('only as an executable regular file with a whole path', () => {
    const dir = tempDir('trust');
    refused('driver', /is not an absolute path$/);
    refused(join(dir, 'none'), /it does not exist$/);
    refused(dir, /it is not a regular file$/);
    writeFileSync(join(dir, 'file'), '');
    refused(join(dir, 'file'), /it is not executable$/);
    refused(join(dir, 'file/more'), /file is not a directory$/);
    symlinkSync('loop', join(dir, 'loop'));
    refused(join(dir, 'loop'), /is one of too many links$/);
  });
});
