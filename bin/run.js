#!/usr/bin/env node
// Starts cfs from its bundle with V8's code cache: compiling is most of what is left of a start (spec: performance).
// CommonJS, and nothing is required that node has not loaded already.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

const dist = path.join(__dirname, '..', 'dist');

/** Help and whatever is no known command. */
function full(argv) {
  return require(path.join(dist, 'full.cjs')).start(argv, path.join(__dirname, '..'));
}

/** The cache directory of the user, for when dist cannot be written. */
function userCache() {
  const base = process.env.XDG_CACHE_HOME || (process.env.HOME && path.join(process.env.HOME, '.cache'));
  return base ? path.join(base, 'cfs') : undefined;
}

/** A cache belongs to one source and one V8 with its flags; V8 compares the source by its length only. */
function cacheName(source) {
  const hash = source.slice(2, 18);
  const flags = process.execArgv.length === 0 && !process.env.NODE_OPTIONS ? '' : `-${flagsHash()}`;
  return `cli-${hash}-${process.version}-${process.arch}${flags}.cache`;
}

function flagsHash() {
  const text = process.execArgv.join(' ') + (process.env.NODE_OPTIONS || '');
  return require('node:crypto').createHash('sha256').update(text).digest('hex').slice(0, 8);
}

function readCache(name) {
  for (const dir of [dist, userCache()]) {
    if (dir === undefined) continue;
    try {
      return fs.readFileSync(path.join(dir, name));
    } catch {}
  }
  return undefined;
}

/** Written after a run, so that functions compiled in it are in; a directory that cannot be written is ignored. */
function writeCache(script, name) {
  for (const dir of [dist, userCache()]) {
    if (dir === undefined) continue;
    const temporary = path.join(dir, `.${name}.${process.pid}`);
    try {
      if (dir !== dist) fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
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

function run() {
  const argv = process.argv.slice(2);
  if (process.env.CFS_ENTRY === 'full') return full(argv);
  const file = path.join(dist, 'cli.cjs');
  const source = fs.readFileSync(file, 'latin1');
  const name = cacheName(source);
  const cachedData = readCache(name);
  const script = new vm.Script(`(function(exports,require,module,__filename,__dirname){${source}\n})`, {
    filename: file,
    cachedData,
    importModuleDynamically: undefined,
  });
  const bundle = { exports: {} };
  script.runInThisContext()(bundle.exports, require, bundle, file, dist);
  if (cachedData === undefined || script.cachedDataRejected) process.once('exit', () => writeCache(script, name));
  return bundle.exports.start(argv, full);
}

run();
