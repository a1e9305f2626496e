/** The door of the store: everything outside this folder imports from here (and the contract from store.ts). */
export { type Backup, type BackupHeader, type BackupReport, readBackup, writeBackup } from './backup.js';
export { type CheckReport, checkStore } from './check.js';
export { type CompactOptions, type CompactReport, compactStore } from './compact.js';
export { findTransaction, history } from './history.js';
export { type InitOptions, initStore } from './init.js';
export type { Problem } from './inspect.js';
export { breakLock, type LockState, showLock } from './lock-info.js';
export { openStore, type StoreOptions } from './open.js';
export { type RepairReport, repairStore } from './repair.js';
export { restoreToEmpty } from './restore.js';
export { SharedDirectoryStore } from './shared-directory-store.js';
export { type StoreStat, statStore } from './stat.js';
export { type WatchItem, type WatchOptions, watchStore } from './watch.js';
