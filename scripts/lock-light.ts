/**
 * What proper-lockfile loads and cfs does not use stays out of the bundle: graceful-fs, which is only its default for the
 * option `fs` that cfs always gives (src/core/store/lock-fs.ts), and node's `assert`, of which its signal-exit uses one
 * call. Both pull in streams, terminals and more of node: a seventh of a small change (bench/change.ts).
 * test/cli/lock-light.test.ts fails when a release uses them for anything else, or a change loads them again.
 */
import type { Plugin } from 'esbuild';

/** All that signal-exit calls. */
const ASSERT = `exports.equal = (actual, expected, message) => {
  if (actual != expected) throw new TypeError(message);
};`;

export const lockLight: Plugin = {
  name: 'lock-light',
  setup(b) {
    b.onResolve({ filter: /^graceful-fs$/ }, () => ({ path: 'fs', external: true }));
    b.onResolve({ filter: /^assert$/ }, ({ importer }) =>
      /[\\/]signal-exit[\\/]index\.js$/.test(importer) ? { path: 'assert', namespace: 'lock-light' } : undefined,
    );
    b.onLoad({ filter: /.*/, namespace: 'lock-light' }, () => ({ contents: ASSERT, loader: 'js' }));
  },
};
