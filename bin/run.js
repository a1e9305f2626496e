#!/usr/bin/env node
// Starts cfs from its bundle with V8's code cache: compiling is most of what is left of a start (bench/startup.ts).
// Each command has a cache of its own, with the functions that it runs and no others: reading one costs by its size.
// CommonJS (bin/package.json says so), and nothing is required that node has not loaded already.
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const root = path.join(__dirname, '..');
const home = path.join(root, 'dist');
const UNUSED_MS = 30 * 86_400_000;

/** Help and whatever is no known command. */
function full(argv) {
  return require('../dist/full.cjs').start(argv, root);
}

/** The user's cache directory, for when dist cannot be written. */
function userCache() {
  const base = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, '.cache'));
  return base && path.isAbsolute(base) ? path.join(base, 'cfs') : undefined;
}

/** A cache belongs to one source and one V8 with its flags; V8 itself compares no more of the source than its length. */
function cacheKey(source) {
  const options = process.execArgv.join(' ') + (process.env.NODE_OPTIONS || '');
  // FNV-1a: V8 itself refuses a cache made with other flags, so a collision costs a compilation and no more.
  let hash = 0x811c9dc5;
  for (const letter of options) hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193) >>> 0;
  const flags = options === '' ? '' : `-${hash.toString(16)}`;
  return `cli-${source.slice(2, 18)}-${process.version}-${process.arch}${flags}`;
}

/** Commands that these words may be: `node list` is tried as node-list, then as node; what is none is `other`. */
function candidates(argv) {
  const words = [];
  for (const word of argv) {
    if (words.length === 2 || !/^[a-z_-]{1,30}$/.test(word) || word[0] === '-') break;
    words.push(word);
  }
  return words.length === 0 ? ['other'] : words.length === 1 ? words : [words.join('-'), words[0]];
}

function readCache(key, names, dirs) {
  if (process.env.CFS_NO_CODE_CACHE) return undefined;
  for (const dir of dirs) {
    for (const name of dir === undefined ? [] : names) {
      try {
        return fs.readFileSync(path.join(dir, `${key}.${name}.cache`));
      } catch {}
    }
  }
  return undefined;
}

/** Written after a run, so that functions compiled in it are in; a directory that cannot be written is ignored. */
function writeCache(script, key, name, dirs) {
  for (const dir of dirs) {
    if (dir === undefined) continue;
    const temporary = path.join(dir, `.${key}.${process.pid}`);
    try {
      if (dir !== home) fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
      fs.writeFileSync(temporary, script.createCachedData(), { flag: 'wx' });
      fs.renameSync(temporary, path.join(dir, `${key}.${name}.cache`));
      if (dir !== home) removeUnused(dir, key);
      return;
    } catch {
      try {
        fs.unlinkSync(temporary);
      } catch {}
    }
  }
}

/** Caches of other versions go when they have not been written for a month. */
function removeUnused(dir, key) {
  for (const file of fs.readdirSync(dir)) {
    const isOther = /^\.?cli-[0-9a-f]{16}-/.test(file) && !file.startsWith(key);
    if (isOther && Date.now() - fs.statSync(path.join(dir, file)).mtimeMs > UNUSED_MS)
      fs.unlinkSync(path.join(dir, file));
  }
}

/** The bundle, evaluated as node evaluates a CommonJS module. */
function load(argv, dist, dirs) {
  const file = path.join(dist, 'cli.cjs');
  const source = fs.readFileSync(file, 'latin1');
  const key = cacheKey(source);
  const cachedData = readCache(key, candidates(argv), dirs);
  const script = new vm.Script(source, { filename: file, cachedData });
  const bundle = { exports: {} };
  script.runInThisContext()(bundle.exports, require, bundle, file, dist);
  return { exports: bundle.exports, script, key, isCached: cachedData !== undefined && !script.cachedDataRejected };
}

/** The name that a command's cache is written under: what ran, in the bundle's words. */
const cacheName = (ran) => (ran === '' ? 'other' : ran.replaceAll(' ', '-'));

function run() {
  const argv = process.argv.slice(2);
  if (process.env.CFS_ENTRY === 'full') return full(argv);
  const dirs = [home, userCache()];
  const { exports, script, key, isCached } = load(argv, home, dirs);
  if (!isCached && !process.env.CFS_NO_CODE_CACHE) {
    // A run that failed compiled the wrong things.
    process.once('exit', (status) => status === 0 && writeCache(script, key, cacheName(exports.ran()), dirs));
  }
  return exports.start(argv, full);
}

if (require.main === module) run();
else module.exports = { load, cacheName, writeCache };
