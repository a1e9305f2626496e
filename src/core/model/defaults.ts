/** What a record holds where its maker said nothing. Apart from the schemas, so that readers need not load those. */
import type { NodeRecord, VolumeRecord } from './tables.js';

/** The word that matches every group, on a volume; and every domain, on a node or volume. Reserved in any letter case. */
export const ANY_GROUP = 'Any';
export const ALL_DOMAINS = 'ALL';

/**
 * A node is attached to nothing until somebody says so: a forgotten `--domain` must not make it take volumes that it cannot
 * reach.
 */
export const NODE_DEFAULTS: NodeRecord = {
  weight: 1,
  updateIntervalMs: 10_000,
  threshold: 0.8,
  groups: [],
  domains: [],
};

/** A volume without domains given is reached from everywhere, so that a cluster that has no domains needs none declared. */
export const VOLUME_DEFAULTS: VolumeRecord = {
  weight: 1,
  group: null,
  domains: [ALL_DOMAINS],
  preferredNode: null,
  canGroupMigrate: true,
};
