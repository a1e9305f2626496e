/** Flags of commands that act for a client. */
import { nameOf } from './flags.js';
import { Flags } from './oclif.js';

/** For commands that name their clients otherwise. */
export const clientConfigFlag = {
  config: Flags.string({
    ...nameOf('file'),
    summary: "Configuration of this host's agent, with its mount driver (else /etc/cfs/agent.json).",
  }),
};

export const clientFlags = {
  client: Flags.string({
    ...nameOf('client'),
    summary: "Which client (else CFS_CLIENT, or client.name in this host's agent configuration).",
  }),
  ...clientConfigFlag,
};

export const forceFlag = {
  force: Flags.boolean({ summary: 'End programs that keep the mount busy, instead of refusing.' }),
};
