/** What is in the cluster directory, and whether each generation is whole. Shared by check, repair, compact and stat. */
import { CfsError } from '../errors.js';
import { isSystemCallError } from '../platform/files.js';
import { parseManifestName, parseTableFileName, parseTemporaryName } from './layout.js';
import type { FileRef, Manifest } from './manifest.js';
import { Unfit } from './read-file.js';
import type { SharedDirectoryStore } from './shared-directory-store.js';
import { systemError } from './system-error.js';

export interface Problem {
  code: 'MANIFEST_DAMAGED' | 'TABLE_DAMAGED';
  generation: number;
  path: string;
  message: string;
}

export interface Listing {
  /** Numbers of the manifests that are there, ascending. */
  manifests: number[];
  /** Temporary names of commits, under way or left behind. */
  temporaries: { name: string; generation: number }[];
  tables: { name: string; generation: number }[];
  /** Other names in the root that a killed process can leave behind. */
  others: string[];
}

export function listAll(store: SharedDirectoryStore): Listing {
  const { files } = store.place.platform;
  const { manifests, tables, root } = store.place.paths;
  const names = (label: 'manifests.list' | 'tables.list' | 'root.list', path: string): string[] => {
    try {
      return files.list(label, path);
    } catch (error) {
      throw systemError(error, 'list', path);
    }
  };
  const listing: Listing = { manifests: [], temporaries: [], tables: [], others: [] };
  for (const name of names('manifests.list', manifests)) {
    const generation = parseManifestName(name);
    const temporary = generation === null ? parseTemporaryName(name) : null;
    if (generation !== null) listing.manifests.push(generation);
    else if (temporary !== null) listing.temporaries.push({ name, generation: temporary.generation });
  }
  listing.manifests.sort((a, b) => a - b);
  for (const name of names('tables.list', tables)) {
    const parsed = parseTableFileName(name);
    if (parsed !== null) listing.tables.push({ name, generation: parsed.generation });
  }
  for (const name of names('root.list', root)) {
    if (
      /^(lock\.owner\.[0-9a-f]{16}|\.probe\.[0-9a-f]{16}\.[abd]|\.(cluster|ballast)\.[0-9a-f]{16}\.tmp)$/.test(name)
    ) {
      listing.others.push(name);
    }
  }
  return listing;
}

/** Reads generation `gen`; says what is wrong with its manifest instead of throwing. One attempt, no patience. */
export function examineManifest(store: SharedDirectoryStore, gen: number): Manifest | Problem {
  const path = store.heads.pathOf(gen);
  try {
    return store.heads.read(gen);
  } catch (error) {
    if (isSystemCallError(error, 'ENOENT', 'ESTALE')) {
      return {
        code: 'MANIFEST_DAMAGED',
        generation: gen,
        path,
        message: `the manifest of generation ${gen} is missing`,
      };
    }
    if (!isDamage(error)) throw error;
    return {
      code: 'MANIFEST_DAMAGED',
      generation: gen,
      path,
      message: `${path}${error instanceof Unfit ? '' : ':'} ${(error as Error).message}`,
    };
  }
}

export function isProblem(value: Manifest | Problem): value is Problem {
  return 'code' in value;
}

/** An unreadable sector is damage too: the way on is the same. */
function isDamage(error: unknown): boolean {
  return error instanceof Unfit || (error instanceof CfsError && error.code === 'IO_ERROR');
}

/** Every table file that a generation names. The index files must be readable. @throws CfsError TABLE_DAMAGED */
export function* filesOf(store: SharedDirectoryStore, manifest: Manifest): Iterable<FileRef> {
  for (const [table, entry] of manifest.tables) {
    if (entry.index !== undefined) yield entry.index;
    for (const ref of store.reader.refs(manifest.gen, table, entry)) if (ref !== null) yield ref;
  }
}

/** Checks the table files that a generation names, except those in `sound`, to which it adds. */
export function examineTables(store: SharedDirectoryStore, manifest: Manifest, sound: Set<string>): Problem[] {
  const problems: Problem[] = [];
  const attempt = (file: string, step: () => void): void => {
    try {
      step();
    } catch (error) {
      if (!(error instanceof CfsError) || !(error.code === 'TABLE_DAMAGED' || error.code === 'IO_ERROR')) throw error;
      const path = `${store.place.paths.tables}/${file}`;
      problems.push({ code: 'TABLE_DAMAGED', generation: manifest.gen, path, message: error.message });
    }
  };
  const examine = (ref: FileRef): void => {
    if (sound.has(ref[0])) return;
    attempt(ref[0], () => {
      store.reader.verify(manifest.gen, ref);
      sound.add(ref[0]);
    });
  };
  for (const [table, entry] of manifest.tables) {
    if (entry.index === undefined) {
      for (const ref of entry.files ?? []) if (ref !== null) examine(ref);
      continue;
    }
    const before = problems.length;
    examine(entry.index);
    if (problems.length > before) continue;
    attempt(entry.index[0], () => {
      for (const ref of store.reader.refs(manifest.gen, table, entry)) if (ref !== null) examine(ref);
    });
  }
  return problems;
}

/** What nothing refers to any more, given the floor, the head and the live files. */
export function leftoversOf(listing: Listing, floor: number, head: number, live: ReadonlySet<string>): Listing {
  return {
    manifests: listing.manifests.filter((gen) => gen < floor),
    temporaries: listing.temporaries.filter(({ generation }) => generation <= head),
    tables: listing.tables.filter(({ name, generation }) => generation <= head && !live.has(name)),
    others: listing.others,
  };
}

export function leftoverPaths(store: SharedDirectoryStore, leftovers: Listing): string[] {
  const { manifests, tables, root } = store.place.paths;
  return [
    ...leftovers.manifests.map((gen) => store.heads.pathOf(gen)),
    ...leftovers.temporaries.map(({ name }) => `${manifests}/${name}`),
    ...leftovers.tables.map(({ name }) => `${tables}/${name}`),
    ...leftovers.others.map((name) => `${root}/${name}`),
  ];
}
