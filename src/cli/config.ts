/**
 * The little of oclif's Config that a command needs to parse and run. Config.load reads package.json, plugins and the
 * manifest: nine tenths of a start, for facts that a known command never asks for.
 */
import { version } from './version.js';

export function smallConfig(): never {
  const config = {
    bin: 'cfs',
    name: '@cfs-cluster/cfs',
    version: version(),
    topicSeparator: ' ',
    pjson: { oclif: {} },
    runHook: async () => ({ failures: [], successes: [] }),
    scopedEnvVar: () => undefined,
    scopedEnvVarKeys: () => [],
  };
  return config as never;
}
