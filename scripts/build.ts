/**
 * Builds dist/: `cli.cjs` (known commands, one minified CommonJS file: the fastest form to start), `full.cjs` (all of
 * oclif, for help), and the library `index.js` with its types. The table of commands comes from the tree src/commands.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { lockLight } from './lock-light.js';
import { oclifLazy } from './oclif-lazy.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const COMMANDS = join(ROOT, 'src/commands');

/** Every command file with the name it is typed by: `node list` for src/commands/node/list.ts. */
export function commandFiles(dir = COMMANDS): { name: string; path: string }[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .sort()
    .map((file) => ({
      name: file
        .replace(/\.ts$/, '')
        .replace(/(^|[\\/])index$/, '')
        .split(/[\\/]/)
        .join(' '),
      path: join(dir, file),
    }));
}

/**
 * Large packages that few commands need get files of their own, `dist/NAME.cjs`: what is not used is not even read. The
 * path is seen from bin/run.js, whose `require` the bundle is given.
 */
const APART = ['inquirer', 'js-yaml'];

const apartPlugin: Plugin = {
  name: 'apart',
  setup(b) {
    b.onResolve({ filter: new RegExp(`^(${APART.join('|')})$`) }, (args) => ({
      path: `../dist/${args.path}.cjs`,
      external: true,
    }));
  },
};

/** Programs of `cfs agentd`, each without what it does not need, since they stay in memory: dist/NAME.cjs. */
const AGENT = [
  ['agentd-worker', 'src/agentd/worker-main.ts'],
  ['agentd-decider', 'src/agentd/decider-thread.ts'],
] as const;

/** `import { TABLE } from 'cfs:commands'`: loaders that evaluate nothing until called. */
const commandsPlugin: Plugin = {
  name: 'cfs-commands',
  setup(b) {
    b.onResolve({ filter: /^cfs:commands$/ }, (args) => ({ path: args.path, namespace: 'cfs' }));
    b.onLoad({ filter: /.*/, namespace: 'cfs' }, () => {
      const entries = commandFiles().map(
        ({ name, path }) => `  ${JSON.stringify(name)}: () => require(${JSON.stringify(path)}).default,`,
      );
      return { contents: `export const TABLE = {\n${entries.join('\n')}\n};\n`, loader: 'js', resolveDir: ROOT };
    });
  },
};

interface Options {
  /** Without the changes to oclif, to measure what they gain. */
  plainOclif?: boolean;
  outdir?: string;
  /** The files that a run evaluates are written to the file CFS_TRACE_MODULES, for a test. */
  isTraced?: boolean;
  /** Also the library and its types. */
  library?: boolean;
}

/** Builds everything that runs. */
export async function buildAll({
  plainOclif = false,
  isTraced = false,
  outdir = DIST,
  library = true,
}: Options = {}): Promise<void> {
  const pjson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const common = {
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'node' as const,
    target: 'node20.19',
    define: { CFS_VERSION: JSON.stringify(pjson.version) },
    // vm.Script, which takes the code cache, knows no import(): what stays outside the bundle is required.
    supported: { 'dynamic-import': false },
    legalComments: 'none' as const,
    logLevel: 'warning' as const,
    write: false as const,
    external: ['typescript'],
    logOverride: { 'empty-import-meta': 'silent' as const },
  } satisfies BuildOptions & { write: false };
  rmSync(outdir, { recursive: true, force: true });
  mkdirSync(outdir, { recursive: true });
  // The package is ESM; what stands here as .cjs says so by its name, and the library is ESM.
  const fast = await build({
    ...common,
    entryPoints: ['src/cli/entry-fast.ts'],
    format: 'cjs',
    minify: !isTraced,
    plugins: [commandsPlugin, apartPlugin, lockLight, ...(plainOclif ? [] : [oclifLazy])],
  });
  const text = fast.outputFiles[0]!.text;
  writeStamped(join(outdir, 'cli.cjs'), isTraced ? traced(text) : text);
  const full = await build({
    ...common,
    entryPoints: ['src/cli/entry-full.ts'],
    format: 'cjs',
    minify: true,
    plugins: [commandsPlugin, apartPlugin, lockLight],
  });
  writeFileSync(join(outdir, 'full.cjs'), full.outputFiles[0]!.text);
  for (const name of APART) {
    const apart = await build({
      ...common,
      stdin: { contents: `export * from '${name}'; export { default } from '${name}';`, resolveDir: ROOT },
      format: 'cjs',
      minify: true,
    });
    writeFileSync(join(outdir, `${name}.cjs`), apart.outputFiles[0]!.text);
  }
  for (const [name, entry] of AGENT) {
    const agent = await build({ ...common, entryPoints: [entry], format: 'cjs', minify: true, plugins: [lockLight] });
    writeFileSync(join(outdir, `${name}.cjs`), agent.outputFiles[0]!.text);
  }
  if (library && existsSync(join(ROOT, 'src/index.ts'))) await buildLibrary(outdir, common);
}

async function buildLibrary(outdir: string, common: BuildOptions & { write: false }): Promise<void> {
  const banner =
    "import { createRequire as cfsRequire } from 'node:module'; const require = cfsRequire(import.meta.url);";
  const library = await build({
    ...common,
    entryPoints: ['src/index.ts'],
    format: 'esm',
    banner: { js: banner },
  });
  writeFileSync(join(outdir, 'index.js'), library.outputFiles[0]!.text);
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const types = relative(ROOT, join(outdir, 'types'));
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json', '--outDir', types], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  inlineTypes(join(outdir, 'types'));
}

/** The only type that the library's types take from a bundled package is written out: whoever installs cfs has no lowdb. */
function inlineTypes(dir: string): void {
  const from = "import type { SyncAdapter } from 'lowdb';";
  const to = 'interface SyncAdapter<T> {\n    read: () => T | null;\n    write: (data: T) => void;\n}';
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'))) {
    const text = readFileSync(join(dir, name), 'utf8');
    if (text.includes(from)) writeFileSync(join(dir, name), text.replace(from, to));
  }
}

/** Puts a call into esbuild's two helpers that evaluate a module. @throws Error when a release of esbuild changed them */
function traced(text: string): string {
  const note = "require('node:fs').appendFileSync(process.env.CFS_TRACE_MODULES, NAME + '\\n')";
  const esm = 'return fn && (res =';
  const cjs = 'return mod || (0, cb';
  if (!text.includes(esm) || !text.includes(cjs)) throw new Error('esbuild changed its helpers');
  return text
    .replace(esm, `if (fn) ${note.replace('NAME', '__getOwnPropNames(fn)[0]')}; ${esm}`)
    .replace(cjs, `if (!mod) ${note.replace('NAME', '__getOwnPropNames(cb)[0]')}; ${cjs}`);
}

/**
 * Writes a bundle as the function that node makes of a CommonJS file, with a hash of its content in the first line:
 * bin/run.js names the code cache after it, because V8 itself accepts a cache for any source of the same length.
 */
function writeStamped(path: string, text: string): void {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
  writeFileSync(path, `//${hash}\n(function(exports,require,module,__filename,__dirname){${text}\n})`, 'latin1');
}

/** Builds beside dist and puts the result in its place, so that a cfs that starts meanwhile finds a whole one. */
async function main(): Promise<void> {
  const fresh = join(ROOT, `node_modules/.cache/cfs-dist.${process.pid}`);
  const old = `${fresh}.old`;
  try {
    await buildAll({ outdir: fresh });
    execFileSync(process.execPath, [join(ROOT, 'scripts/warm-cache.mjs'), fresh], { cwd: ROOT, stdio: 'inherit' });
    if (existsSync(DIST)) renameSync(DIST, old);
    renameSync(fresh, DIST);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
