/** npm run check: types (tsc), style (biome), and imports: none in a circle, and core knows nothing of commands. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(ROOT, 'src');

/** Imports that exist when the program runs; types are erased and dynamic imports come later. */
const IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'/gm;

/** Which files of src each file of src imports, by path from src. */
export function importGraph(read = (path: string) => readFileSync(path, 'utf8')): Map<string, string[]> {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return new Map(
    files.map((file) => {
      const imports = [...read(join(SRC, file)).matchAll(IMPORT)].map((match) =>
        relative(SRC, join(dirname(join(SRC, file)), match[1]!.replace(/\.js$/, '.ts'))),
      );
      return [file, imports];
    }),
  );
}

/** Every file that is in a circle, as the circle it is found in. */
export function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at !== -1) {
      found.push([...path.slice(at), file]);
      return;
    }
    if (done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** Imports against the direction: core imports neither commands nor rendering nor the implementations in node/. */
export function wrongDirections(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const wrong: string[] = [];
  for (const [file, imports] of graph) {
    if (!file.startsWith('core/')) continue;
    for (const to of imports) if (!to.startsWith('core/')) wrong.push(`${file} imports ${to}`);
  }
  return wrong;
}

function run(label: string, argv: string[]): boolean {
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: ROOT, encoding: 'utf8' });
  if (status === 0) return true;
  console.log(`${label}:\n${stdout}${stderr}`);
  return false;
}

function main(): void {
  const graph = importGraph();
  const problems = [
    ...circles(graph).map((circle) => `imports in a circle: ${circle.join(' -> ')}`),
    ...wrongDirections(graph),
  ];
  for (const problem of problems) console.log(problem);
  const results = [
    problems.length === 0,
    run('tsc', [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.']),
    run('biome', [join(ROOT, 'node_modules/@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.']),
  ];
  process.exitCode = results.every(Boolean) ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
