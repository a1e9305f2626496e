#!/usr/bin/env node
// Runs the sources, for developers: no build, but a slow start.
const path = require('node:path');
const { pathToFileURL } = require('node:url');

async function run() {
  await import('tsx');
  const { start } = await import(pathToFileURL(path.join(__dirname, '../scripts/dev.ts')).href);
  await start(process.argv.slice(2));
}

run();
