/** What the soak tells an application. */
export interface AppOptions {
  dir: string;
  client: string;
  /** Mount points by volume. */
  volumes: Record<string, string>;
  /** Directory of the ledgers, VOLUME.jsonl. */
  ledger: string;
  seed: number;
  /** How long it waits for an answer, and then for its mount, ms. */
  patienceMs: number;
  /** Longest pause between two volumes, ms. */
  paceMs: number;
}

/** In each volume from the beginning: a mount point without a mount has none. */
export const DATA_FILE = 'data';
