#!/usr/bin/env node
// Starts cfs from its bundle with V8's code cache: compiling is most of what is left of a start (bench/startup.ts).
// CommonJS (bin/package.json says so), and nothing is required that node has not loaded already.
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const root = path.join(__dirname, '..');
const home = path.join(root, 'dist');

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
function cacheName(source) {
  const options = process.execArgv.join(' ') + (process.env.NODE_OPTIONS || '');
  const flags =
    options === '' ? '' : `-${require('node:crypto').createHash('sha256').update(options).digest('hex').slice(0, 8)}`;
  return `cli-${source.slice(2, 18)}-${process.version}-${process.arch}${flags}.cache`;
}

function readCache(name, dist) {
  if (process.env.CFS_NO_CODE_CACHE) return undefined;
  for (const dir of [dist, userCache()]) {
    if (dir === undefined) continue;
    try {
      return fs.readFileSync(path.join(dir, name));
    } catch {}
  }
  return undefined;
}

/** Written after a run, so that functions compiled in it are in; a directory that cannot be written is ignored. */
function writeCache(script, name, dirs = [home, userCache()]) {
  for (const dir of dirs) {
    if (dir === undefined) continue;
    const temporary = path.join(dir, `.${name}.${process.pid}`);
    try {
      if (dir !== dirs[0]) fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
      fs.writeFileSync(temporary, script.createCachedData(), { flag: 'wx' });
      fs.renameSync(temporary, path.join(dir, name));
      return;
    } catch {
      try {
        fs.unlinkSync(temporary);
      } catch {}
    }
  }
}

/** The bundle, evaluated as node evaluates a CommonJS module. */
function load(dist = home) {
  const file = path.join(dist, 'cli.cjs');
  const source = fs.readFileSync(file, 'latin1');
  const name = cacheName(source);
  const cachedData = readCache(name, dist);
  const script = new vm.Script(source, { filename: file, cachedData });
  const bundle = { exports: {} };
  script.runInThisContext()(bundle.exports, require, bundle, file, dist);
  return {
    exports: bundle.exports,
    script,
    source,
    name,
    isCached: cachedData !== undefined && !script.cachedDataRejected,
  };
}

function run() {
  const argv = process.argv.slice(2);
  if (process.env.CFS_ENTRY === 'full') return full(argv);
  const { exports, script, name, isCached } = load();
  if (!isCached && !process.env.CFS_NO_CODE_CACHE) process.once('exit', () => writeCache(script, name));
  return exports.start(argv, full);
}

if (require.main === module) run();
else module.exports = { load, cacheName, writeCache };
