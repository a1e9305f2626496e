import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, readDocument } from './format-document.js';

const GUIDES = fs.readdirSync(path.join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const DOCUMENTS = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', ...GUIDES.map((name) => `docs/${name}`)];

/** What GitHub makes of a heading. */
function anchorsOf(document: string): Set<string> {
  const headings = readDocument(document).matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, text]) =>
      text!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** Text between code quotes, and the lines of code blocks. */
function codeOf(document: string): string[] {
  const text = readDocument(document);
  const blocks = [...text.matchAll(/^```[^\n]*\n([\s\S]*?)^```$/gm)].flatMap(([, block]) => block!.split('\n'));
  const inline = [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...blocks, ...inline];
}

function isThere(file: string): boolean {
  return fs.existsSync(path.join(ROOT, file));
}

/** The words of the alternatives `add\|set\|remove`; placeholders in capitals and flags are none. */
function alternatives(word: string | undefined): string[] {
  if (word === undefined || !/^[a-z][a-z-]*(\\?\|[a-z][a-z-]*)*$/.test(word)) return [];
  return word.split(/\\?\|/);
}

/** Commands named in a piece of code that are not in src/commands. */
function unknownCommands(code: string): string[] {
  const unknown: string[] = [];
  for (const [, rest] of code.matchAll(/(?:^|\$ |; |\| |\d )cfs ((?:[^\s`]+ ?){1,2})/g)) {
    const [first, second] = rest!.trim().split(' ');
    for (const topic of alternatives(first)) {
      if (isThere(`src/commands/${topic}.ts`)) continue;
      if (!isThere(`src/commands/${topic}`)) {
        unknown.push(`cfs ${topic}`);
        continue;
      }
      for (const verb of alternatives(second)) {
        if (!isThere(`src/commands/${topic}/${verb}.ts`)) unknown.push(`cfs ${topic} ${verb}`);
      }
    }
  }
  return unknown;
}

describe('The documents', () => {
  it('are the ones that the README leads to', () => {
    assert.ok(DOCUMENTS.includes('docs/FORMAT.md'));
  });

  for (const document of DOCUMENTS) {
    it(`${document}: every relative link leads to a file, and to a heading where it names one`, () => {
      for (const [, target] of readDocument(document).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target!)) continue;
        const [file, anchor] = target!.split('#');
        const found = file === '' ? document : path.join(path.dirname(document), file!);
        assert.ok(isThere(found), `${target} does not exist`);
        if (anchor !== undefined) assert.ok(anchorsOf(found).has(anchor), `${target}: no such heading`);
      }
    });

    it(`${document}: every path in the source tree that is named exists`, () => {
      for (const code of codeOf(document)) {
        for (const [named] of code.matchAll(
          /(?<![\w/.-])(?:src|test|scripts|bin|fixtures|bench|man|docs)\/[\w./-]*/g,
        )) {
          if (/\/[A-Z]{3,}\//.test(named)) continue;
          assert.ok(isThere(named), `${named} does not exist`);
        }
      }
    });

    it(`${document}: every command that is named exists`, () => {
      for (const code of codeOf(document)) assert.deepEqual(unknownCommands(code), [], `in: ${code}`);
    });
  }

  it('ARCHITECTURE.md: every source file named without its folder exists somewhere in src', () => {
    const names = new Set(
      fs.readdirSync(path.join(ROOT, 'src'), { recursive: true }).map((p) => path.basename(String(p))),
    );
    for (const code of codeOf('ARCHITECTURE.md')) {
      if (/^[a-z-]+\.ts$/.test(code)) assert.ok(names.has(code), `${code} does not exist`);
    }
  });

  it('name commands that this test would miss if they were gone', () => {
    assert.deepEqual(unknownCommands('$ cfs frobnicate x | tail -3'), ['cfs frobnicate']);
    assert.deepEqual(unknownCommands('cfs node add\\|frobnicate'), ['cfs node frobnicate']);
    assert.deepEqual(unknownCommands('cfs node list --json'), []);
    const named = codeOf('README.md').filter((code) => /(^|\$ )cfs [a-z]/.test(code));
    assert.ok(named.length > 30, `only ${named.length} commands were found in README.md`);
  });
});
