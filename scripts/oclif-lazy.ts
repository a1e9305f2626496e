/**
 * Changes @oclif/core while it is bundled, for the sake of start-up, and only here: its requires become lazy, its debug
 * logger silent unless DEBUG is set, and its listener on standard output goes (it opens the stream; cfs writes without).
 * What each change gains is measured by bench/startup.ts --without NAME; test/cli/oclif-lazy.test.ts fails when a release
 * of oclif no longer looks as expected.
 */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

const REQUIRE = /^(?:const|var) (\w+) = (?:(__importStar|__importDefault)\()?require\("([^"]+)"\)\)?;$/gm;

/** Makes every top-level `const x = require("y")` of a CommonJS file lazy: each use of `x` becomes `(x$lazy())`, with
 * parentheses for the sake of `new x.Class()`. */
export function lazyRequires(source: string): string {
  const names: string[] = [];
  let text = source.replace(REQUIRE, (_line, name: string, wrap: string | undefined, path: string) => {
    names.push(name);
    const load = wrap ? `${wrap}(require("${path}"))` : `require("${path}")`;
    return `let ${name}$value; const ${name}$lazy = () => (${name}$value ??= ${load});`;
  });
  for (const name of names) {
    text = text.replace(new RegExp(`(?<![\\w$.])${name}(?=[.)\\[])`, 'g'), `(${name}$lazy())`);
    if (new RegExp(`(?<![\\w$."'/])${name}(?![\\w$])`).test(text)) {
      throw new Error(`a use of ${name} is not understood by lazyRequires`);
    }
  }
  return text;
}

/** The text to replace, exactly once, and what by. */
interface Edit {
  file: string;
  find: string;
  replace: string;
}

export const EDITS: readonly Edit[] = [
  {
    file: 'logger.js',
    find: 'const debug = (0, debug_1.default)(namespace);',
    replace: 'const debug = process.env.DEBUG ? (0, debug_1.default)(namespace) : () => {};',
  },
  {
    file: 'command.js',
    find: `process.stdout.on('error', (err) => {
    if (err && err.code === 'EPIPE')
        return;
    throw err;
});`,
    replace: '',
  },
];

/** Applies the edits of one file. @throws Error when the file no longer holds what an edit replaces */
export function applyEdits(file: string, source: string): string {
  let text = source;
  for (const edit of EDITS.filter((e) => e.file === file)) {
    if (text.split(edit.find).length !== 2)
      throw new Error(`@oclif/core/lib/${file} changed: ${edit.find} is not there once`);
    text = text.replace(edit.find, edit.replace);
  }
  return text;
}

/**
 * Parts of oclif that a known command never touches, with the packages behind them (ejs, minimatch, picomatch …). They
 * are lazy anyway; left out they need not be read either. Whoever touched one would get the error below.
 */
export const LEFT_OUT = [
  'config/index.js',
  'help/index.js',
  'help/util.js',
  'ux/action/simple.js',
  'ux/action/spinner.js',
];

export const oclifLazy: Plugin = {
  name: 'oclif-lazy',
  setup(build) {
    build.onLoad({ filter: /@oclif[\\/]core[\\/]lib[\\/].*\.js$/ }, (args) => {
      const file = args.path.replace(/^.*[\\/]@oclif[\\/]core[\\/]lib[\\/]/, '').replaceAll('\\', '/');
      if (LEFT_OUT.includes(file)) return { contents: `throw new Error('oclif/${file} is only in the full entry');` };
      return { contents: lazyRequires(applyEdits(file, readFileSync(args.path, 'utf8'))), loader: 'js' };
    });
  },
};
