#!/usr/bin/env node
// Runs the sources, for developers: no build, but a slow start.
'use strict';
const path = require('node:path');
const { pathToFileURL } = require('node:url');

async function run() {
  const { register } = require('tsx/esm/api');
  register();
  const url = pathToFileURL(path.join(__dirname, '..', 'scripts', 'dev.ts')).href;
  await (await import(url)).start(process.argv.slice(2));
}

run();
