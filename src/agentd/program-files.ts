/** Where the other programs of the agent are: beside the bundle, or as sources, which node runs by tsx. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

declare const CFS_VERSION: string | undefined;

/** Whether this is the bundle; there `__dirname` is dist/. */
const isBundled = typeof CFS_VERSION === 'string';

/** Arguments of node, behind its flags, that run a program of the agent. */
export function programArgv(bundle: string, source: string): string[] {
  if (isBundled) return [join(__dirname, bundle)];
  const tsx = createRequire(import.meta.url).resolve('tsx');
  return ['--import', pathToFileURL(tsx).href, fileURLToPath(new URL(source, import.meta.url))];
}

/** A program for a thread: a file, or code that loads the sources (node's --import does not reach threads). */
export function threadProgram(bundle: string, source: string): { code: string; isFile: boolean } {
  if (isBundled) return { code: join(__dirname, bundle), isFile: true };
  // As a module: required, its own registration does not find its files.
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx'));
  const tsx = new URL('./esm/api/index.mjs', loader).href;
  const file = new URL(source, import.meta.url).href;
  return {
    code: `import(${JSON.stringify(tsx)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(file)}); })`,
    isFile: false,
  };
}
