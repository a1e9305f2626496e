/** Where a part that needs no store works, for tests. */
import type { Platform } from '../../src/core/platform/platform.js';
import { PLAIN_MODES, pathsOf } from '../../src/core/store/layout.js';

export function ballastPlace(root: string, platform: Platform) {
  return { platform, paths: pathsOf(root), modes: PLAIN_MODES };
}
