/** The store on this machine: what commands and scripts call. */
import {
  type InitOptions,
  initStore,
  openStore,
  type SharedDirectoryStore,
  type StoreOptions,
} from '../core/store/index.js';
import type { Draft } from '../core/store/store.js';
import { nodePlatform } from './platform.js';

/** As `openStore` in core/store, on this machine's file system and clock. */
export function openNodeStore(dir: string, options: Partial<StoreOptions> = {}): SharedDirectoryStore {
  return openStore(dir, { platform: nodePlatform(), ...options });
}

/** As `initStore` in core/store, on this machine's file system and clock. */
export function initNodeStore<T>(
  dir: string,
  options: Omit<InitOptions, 'platform'> & Partial<Pick<InitOptions, 'platform'>>,
  decide: (draft: Draft) => T,
): { store: SharedDirectoryStore; value: T; generation: number } {
  return initStore(dir, { platform: nodePlatform(), ...options }, decide);
}
