import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CFS, cfs, cleanEnv, ROOT, tempDir } from '../kit/cli.js';

const read = (file: string): string => readFileSync(join(ROOT, 'node_modules/proper-lockfile', file), 'utf8');

/** The lines of a source in which a name stands alone, not as a property. */
function usesOf(source: string, name: string): string[] {
  const word = new RegExp(`(?<![\\w.'"/-])${name}(?![\\w'"-])`);
  return source
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => word.test(line) && !line.startsWith('//'));
}

describe('what the bundle leaves out of proper-lockfile', () => {
  it('is graceful-fs, which the library uses as the default of an option only', () => {
    assert.deepEqual(usesOf(read('lib/lockfile.js'), 'fs'), [
      "const fs = require('graceful-fs');",
      'fs,',
      'fs,',
      'fs,',
    ]);
    assert.deepEqual(usesOf(read('lib/adapter.js'), 'fs').at(0), "const fs = require('graceful-fs');");
  });

  it('is signal-exit, which the library calls once, for when the process ends', () => {
    assert.deepEqual(usesOf(read('lib/lockfile.js'), 'onExit'), [
      "const onExit = require('signal-exit');",
      'onExit(() => {',
    ]);
  });

  it('keeps a small change from loading streams, performance hooks or node:crypto', () => {
    const dir = join(tempDir(), 'cluster');
    cfs(['init', '--yes', '--volumes', '1'], { dir });
    const report = join(tempDir(), 'report.cjs');
    writeFileSync(
      report,
      `process.on('exit', () => process._rawDebug(JSON.stringify(process.moduleLoadList.filter((m) => /^NativeModule /.test(m)))));`,
    );
    const change = (argv: string[]): string[] => {
      const options = { env: cleanEnv({ dir }), encoding: 'utf8' as const };
      const { stderr, status } = spawnSync(process.execPath, ['-r', report, ...argv], options);
      assert.equal(status, 0, stderr);
      return JSON.parse(stderr) as string[];
    };
    const nothing = new Set(change(['-e', '0']));
    const weigh = (weight: number) => change([CFS, 'volume', 'set', 'v1', '--weight', String(weight)]);
    // The first run may write its code cache.
    weigh(2);
    const loaded = weigh(3)
      .filter((name) => !nothing.has(name))
      .map((name) => name.slice('NativeModule '.length));
    assert.deepEqual(loaded.sort(), ['os', 'vm']);
  });
});
