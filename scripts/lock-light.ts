/**
 * What proper-lockfile loads and cfs does not use stays out of the bundle:
 * - graceful-fs, which is only its default for the option `fs` that cfs always gives (src/core/store/lock-fs.ts);
 * - signal-exit, by which it removes its locks when the process ends. That sets handlers for thirteen signals, which cfs
 *   takes away again (`withoutListeners` in src/node/interrupts.ts) since it listens itself; what remains is the event
 *   `exit`.
 * Both pull in streams, terminals and more of node, in all a seventh of a small change (bench/change.ts).
 * test/cli/lock-light.test.ts fails when a release uses them for anything else, or a change loads them again.
 */
import type { Plugin } from 'esbuild';

const SIGNAL_EXIT = `module.exports = (callback) => {
  process.on('exit', callback);
  return () => process.off('exit', callback);
};`;

const inLockfile = (importer: string): boolean => /[\\/]proper-lockfile[\\/]lib[\\/][^\\/]+$/.test(importer);

export const lockLight: Plugin = {
  name: 'lock-light',
  setup(b) {
    b.onResolve({ filter: /^(graceful-fs|signal-exit)$/ }, ({ path, importer }) => {
      if (!inLockfile(importer)) return undefined;
      return path === 'graceful-fs' ? { path: 'fs', external: true } : { path, namespace: 'lock-light' };
    });
    b.onLoad({ filter: /.*/, namespace: 'lock-light' }, () => ({ contents: SIGNAL_EXIT, loader: 'js' }));
  },
};
