/** Where a store is and what it works with; handed to every part of it. */
import type { Platform } from '../platform/platform.js';
import { INLINE_SHARDS, type Modes, OVERLAY_BOUND, type Paths, SHARD_BYTES } from './layout.js';

/** Sizes that decide when a commit folds and how tables are cut. Tests make them small. */
export interface Bounds {
  /** Characters of overlay in a manifest; one more and the commit folds. */
  overlay: number;
  /** Bytes that a shard should stay near. */
  shardBytes: number;
  /** Most shards that a manifest lists itself. */
  inlineShards: number;
}

export const DEFAULT_BOUNDS: Bounds = { overlay: OVERLAY_BOUND, shardBytes: SHARD_BYTES, inlineShards: INLINE_SHARDS };

export interface Place {
  platform: Platform;
  paths: Paths;
  modes: Modes;
  bounds: Bounds;
  /** Newest format that is read and written here. */
  format: number;
}
