import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { manPages } from '../../scripts/man.js';
import { EXIT_CODES } from '../../src/core/errors.js';
import { needsProgram, ROOT } from '../kit/cli.js';

const MAN = join(ROOT, 'man');
const files = readdirSync(MAN).filter((file) => file.endsWith('.1'));

describe('the manual', () => {
  it('is what the commands say today (else: npm run man)', async () => {
    const pages = await manPages();
    assert.deepEqual([...pages.keys()].sort(), [...files].sort());
    for (const [file, text] of pages) assert.equal(readFileSync(join(MAN, file), 'utf8'), text, `${file} is stale`);
  });

  it('has no warnings from mandoc', function () {
    needsProgram(this, 'mandoc');
    const { stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', ...files], {
      cwd: MAN,
      encoding: 'utf8',
    });
    assert.equal(stdout + stderr, '');
  });

  it('lists every exit status with its meaning', () => {
    const page = readFileSync(join(MAN, 'cfs.1'), 'utf8');
    for (const { status } of Object.values(EXIT_CODES)) assert.match(page, new RegExp(`^\\.B "${status}"$`, 'm'));
  });
});
