// Around npm pack: everything that cfs needs is bundled, so the packed package.json names no dependencies (an install is
// one small archive), and names every page of the manual. `strip` before, `restore` after; the original waits aside.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const MANIFEST = file('package.json');
const ASIDE = file('node_modules/.cache/package.json.packing');

if (process.argv[2] === 'strip') {
  const original = readFileSync(MANIFEST, 'utf8');
  mkdirSync(file('node_modules/.cache'), { recursive: true });
  // A pack that was interrupted left the original aside: that one is the truth.
  if (!existsSync(ASIDE)) writeFileSync(ASIDE, original);
  const {
    dependencies: _,
    devDependencies: __,
    scripts: ___,
    mocha: ____,
    ...manifest
  } = JSON.parse(readFileSync(ASIDE, 'utf8'));
  manifest.man = readdirSync(file('man'))
    .filter((name) => name.endsWith('.1'))
    .map((name) => `./man/${name}`);
  // npm reads scripts of the package on disk after packing; the one that restores must stay.
  manifest.scripts = { postpack: 'node scripts/pack-manifest.mjs restore' };
  writeFileSync(MANIFEST, `${JSON.stringify(manifest, null, 2)}\n`);
} else if (existsSync(ASIDE)) {
  renameSync(ASIDE, MANIFEST);
}
