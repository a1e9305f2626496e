import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { ERROR_CODES } from '../../src/core/errors.js';
import type { Files } from '../../src/core/platform/files.js';
import { initStore, openStore, readBackup, type SharedDirectoryStore } from '../../src/core/store/index.js';
import * as layout from '../../src/core/store/layout.js';
import { decodeManifest } from '../../src/core/store/manifest.js';
import { decodeShard } from '../../src/core/store/table-file.js';
import { hastyPlatform, increment, temporaryDirectory, volume } from '../kit/store-kit.js';
import { blocksOf, FORMAT_DOCUMENT, namePatterns, ROOT, readDocument, tableOf } from './format-document.js';

const info = { operation: 'test' };

/** `10,000` and `0750` as the document writes them; anything else as it is. */
function written(value: unknown, unit: string): string {
  if (Array.isArray(value)) return value.join(', ');
  if (unit === 'mode') return `0${(value as number).toString(8)}`;
  return (value as number).toLocaleString('en-US');
}

/** The value of a constant: the module's export, or what the source says where it keeps it to itself. */
async function constantOf(file: string, name: string): Promise<unknown> {
  const [first, ...members] = name.split('.');
  const module = (await import(pathToFileURL(path.join(ROOT, file)).href)) as Record<string, unknown>;
  const value = module[first!];
  if (value !== undefined)
    return members.reduce<unknown>((of, member) => (of as Record<string, unknown>)[member], value);
  const source = new RegExp(`^const ${name} = (\\[?[\\d_, *]+\\]?);`, 'm').exec(readDocument(file))?.[1];
  assert.ok(source !== undefined, `${file} has no constant ${name}`);
  const product = (text: string): number =>
    text.split('*').reduce((total, factor) => total * Number(factor.replaceAll('_', '').trim()), 1);
  return source.startsWith('[') ? source.slice(1, -1).split(',').map(product) : product(source);
}

/** Paths below `dir`, directories with a slash at the end. */
function contents(dir: string): string[] {
  const found: string[] = [];
  for (const entry of fs.readdirSync(dir, { recursive: true, withFileTypes: true })) {
    const name = path.relative(dir, path.join(entry.parentPath, entry.name));
    found.push(entry.isDirectory() ? `${name}/` : name);
  }
  return found;
}

/** A platform that looks at the directory after each system call and collects every path it ever sees there. */
function spyingPlatform(dir: string, seen: Set<string>) {
  const platform = hastyPlatform();
  const files = new Proxy(platform.files, {
    get(target, method: keyof Files) {
      const call = target[method] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        try {
          return call.apply(target, args);
        } finally {
          for (const name of contents(dir)) seen.add(name);
        }
      };
    },
  });
  return { ...platform, files };
}

/** Everything that makes a new kind of name: init, small changes, a fold, a wait for the lock that is in vain. */
async function busyLife(dir: string, seen: Set<string>): Promise<SharedDirectoryStore> {
  const platform = spyingPlatform(dir, seen);
  const { store } = initStore(dir, { platform, info }, (draft) => draft.put('cluster', 'n', { value: 0 }));
  await store.transact(info, increment);
  await store.transact(info, (draft) => {
    for (let i = 0; i < 1000; i++) draft.put('volumes', `v${i}`, volume(i));
  });
  await store.transact(info, increment);
  await platform.clock.yieldTurn();
  const waiter = openStore(dir, { platform, lockTimeoutMs: 100 });
  fs.mkdirSync(path.join(dir, 'lock'));
  await assert.rejects(waiter.transact(info, increment), { code: 'LOCK_TIMEOUT' });
  fs.rmdirSync(path.join(dir, 'lock'));
  return waiter;
}

describe('docs/FORMAT.md, limits', () => {
  const limits = tableOf('name | value');

  for (const { name, value, unit, where } of limits) {
    it(`${name} is ${value} in the code as well`, async () => {
      assert.equal(written(await constantOf(where!, name!), unit!), value);
    });
  }

  it('are the same wherever the text repeats them', () => {
    const known = new Map(limits.map(({ name, value }) => [name!, value!]));
    let repeated = 0;
    for (const [, name, value] of FORMAT_DOCUMENT.matchAll(/`([A-Z][\w.]*)` \((\d[\d, ]*)[^)]*\)/g)) {
      assert.equal(value!.trim(), known.get(name!), `${name} in the text`);
      repeated += 1;
    }
    assert.ok(repeated >= 20, `only ${repeated} were found`);
  });

  it('that the text calls by name are in the table', () => {
    const known = new Set([...limits.map(({ name }) => name), ...Object.keys(ERROR_CODES)]);
    for (const [, name] of FORMAT_DOCUMENT.matchAll(/`([A-Z]+(?:_[A-Z]+)+(?:\.\w+)?)`/g)) {
      assert.ok(known.has(name!), `${name} is neither in the table nor the code of an error`);
    }
  });
});

describe('docs/FORMAT.md, names', () => {
  const patterns = namePatterns();

  it('match their own examples, and no example matches two', () => {
    for (const { example } of patterns) {
      assert.equal(patterns.filter((p) => p.pattern.test(example)).length, 1, example);
    }
  });

  it('are all that is ever in a cluster directory, at any system call of init, changes, a fold and a wait; and all occur', async () => {
    const dir = temporaryDirectory();
    const seen = new Set<string>();
    await busyLife(dir, seen);
    const used = new Set<RegExp>();
    for (const name of seen) {
      const kind = name.endsWith('/') ? 'd' : 'f';
      const match = patterns.find((p) => p.kind === kind && p.pattern.test(name.replace(/\/$/, '')));
      assert.ok(match, `${name} is not documented`);
      used.add(match.pattern);
    }
    for (const { pattern } of patterns) assert.ok(used.has(pattern), `nothing is called ${pattern}`);
  });

  it('are those that the code makes and takes', () => {
    const [manifest, temporary, table] = ['manifests/0000000042', 'manifests/.0', 'tables/v'].map(
      (start) => patterns.find(({ example }) => example.startsWith(start))!.pattern,
    );
    const gen = fc.integer({ min: 1, max: layout.MAX_GENERATION });
    const hex = fc.stringMatching(/^[0-9a-f]{16}$/);
    const stem = fc.constantFrom('nodes', 'volumeAccess', 'x');
    const digits = fc.stringMatching(/^\.?[0-9]{9,11}(\.[0-9a-f]{15,17})?\.(json|tmp)$/);
    const tableName = fc.stringMatching(/^[a-zA-Z][a-z0-9-]{0,70}\.[0-9]{1,11}\.[0-9a-f]{15,17}\.json$/);
    fc.assert(
      fc.property(gen, hex, stem, digits, tableName, (n, x, t, d, f) => {
        assert.match(`manifests/${layout.manifestName(n)}`, manifest!);
        assert.match(`manifests/${layout.temporaryName(n, x)}`, temporary!);
        assert.match(`tables/${layout.tableFileName(t, n, x)}`, table!);
        assert.equal(layout.parseManifestName(d) !== null, manifest!.test(`manifests/${d}`), d);
        assert.equal(layout.parseTemporaryName(d) !== null, temporary!.test(`manifests/${d}`), d);
        assert.equal(layout.parseTableFileName(f) !== null, table!.test(`tables/${f}`), f);
      }),
    );
    assert.equal(layout.parseManifestName('0000000000.json'), null);
    assert.doesNotMatch('manifests/0000000000.json', manifest!);
  });

  it('have the documented rights, whatever the umask; the advice of the lock has at most those', async () => {
    const umask = process.umask(0o077);
    try {
      const dir = temporaryDirectory();
      await busyLife(dir, new Set());
      for (const name of ['.', ...contents(dir)]) {
        const stat = fs.statSync(path.join(dir, name));
        const mode = stat.mode & 0o7777;
        const expected = layout.PLAIN_MODES[stat.isDirectory() ? 'directory' : 'file'];
        if (name.startsWith('lock')) assert.equal(mode & ~expected, 0, name);
        else assert.equal(mode, expected, name);
      }
    } finally {
      process.umask(umask);
    }
  });
});

describe('docs/FORMAT.md, examples', () => {
  const manifests = blocksOf('manifest');
  const shards = blocksOf('shard');

  it('show a manifest that checks, with exactly the members of the table of fields', () => {
    assert.equal(manifests.length, 1);
    const { title, text } = manifests[0]!;
    const manifest = decodeManifest(Buffer.from(text), Number(title));
    assert.equal(manifest.tables.size, 4);
    const fields = tableOf('field').map(({ field }) => field!);
    const members = Object.keys(JSON.parse(text.split('\n')[0]!) as object);
    assert.deepEqual([...members, 'repair'].sort(), fields.sort());
  });

  it('show the shards that this manifest names, with the size and the sum that stand in it', () => {
    assert.equal(shards.length, 2);
    const manifest = decodeManifest(Buffer.from(manifests[0]!.text), Number(manifests[0]!.title));
    for (const { title, text } of shards) {
      const table = title.split('.')[0]!;
      const [file, sum, size] = manifest.tables.get(table)!.files![0]!;
      assert.equal(file, title);
      assert.equal(Buffer.byteLength(text), size);
      assert.equal(createHash('sha256').update(text).digest('hex'), sum);
      assert.equal(decodeShard(Buffer.from(text), table, 0, 1).size, 1);
    }
  });

  it('show a backup that is read and holds what the manifest and the shards say', () => {
    const [backup] = blocksOf('backup');
    const file = path.join(temporaryDirectory(), 'one.cfs');
    fs.writeFileSync(file, backup!.text);
    const { header, records } = readBackup(hastyPlatform(), file);
    assert.equal(header.generation, Number(manifests[0]!.title));
    const node = [...records()].find(({ table }) => table === 'nodes');
    const { overlay } = decodeManifest(Buffer.from(manifests[0]!.text), header.generation);
    assert.deepEqual(node?.record, overlay.get('nodes')?.get('n1')?.value);
  });

  it('show cluster.json and lock.owner with the members that the program writes', async () => {
    const dir = temporaryDirectory();
    await busyLife(dir, new Set());
    for (const name of ['cluster.json', 'lock.owner']) {
      const membersOf = (text: string): string[] => Object.keys(JSON.parse(text) as object);
      const [block] = blocksOf(name);
      assert.deepEqual(membersOf(block!.text), membersOf(fs.readFileSync(path.join(dir, name), 'utf8')));
    }
  });
});
