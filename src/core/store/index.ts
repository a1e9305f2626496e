/** The door of the store: everything outside this folder imports from here (and the contract from store.ts). */
export { type InitOptions, initStore } from './init.js';
export { openStore, type StoreOptions } from './open.js';
export { SharedDirectoryStore } from './shared-directory-store.js';
