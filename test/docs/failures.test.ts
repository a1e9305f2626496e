/** docs/FAILURES.md against the tests: each numbered sentence has a test whose title carries its number, and the reverse. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../kit/cli.js';

const PAGE = readFileSync(join(ROOT, 'docs/FAILURES.md'), 'utf8');

/** Titles of tests, in any quotes, that carry numbers; a title may span a template but not two lines. */
function titles(): { file: string; title: string; ids: string[] }[] {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => {
      const source = readFileSync(join(ROOT, 'test', file), 'utf8');
      return [...source.matchAll(/^\s*it\(\s*(['"`])(.*?)\1,/gms)]
        .map((match) => ({ file, title: match[2]!, ids: idsIn(match[2]!) }))
        .filter(({ ids }) => ids.length > 0);
    });
}

const idsIn = (text: string): string[] => [...text.matchAll(/\[(F\d+)\]/g)].map((match) => match[1]!);

describe('docs/FAILURES.md', () => {
  const promised = idsIn(PAGE);
  const tested = titles();

  it('numbers every sentence of its chapters on failures once', () => {
    assert.deepEqual([...new Set(promised)], promised, 'a number stands twice');
    // A number stays with its sentence; a new sentence takes the next one, wherever it stands.
    const all = promised.map((_, i) => `F${i + 1}`);
    assert.deepEqual(new Set(promised), new Set(all), 'a number is left out');
    const chapters = PAGE.slice(PAGE.indexOf('## A node is killed'), PAGE.indexOf('## What needs fencing'));
    for (const line of chapters.split('\n')) {
      if (line === '' || line.startsWith('#')) continue;
      assert.match(line, /^- \[F\d+\] [A-Z`].*\.$/, 'a line that is no numbered sentence');
      assert.equal(line.match(/[.!?](?= [A-Z])/), null, `two sentences with one number: ${line}`);
    }
  });

  it('promises nothing that no test shows', () => {
    const shown = new Set(tested.flatMap(({ ids }) => ids));
    assert.deepEqual(
      promised.filter((id) => !shown.has(id)),
      [],
    );
  });

  it('has a sentence for every number in the title of a test', () => {
    for (const { file, title, ids } of tested) {
      for (const id of ids)
        assert.ok(promised.includes(id), `${file}: "${title}" carries ${id}, which the page does not have`);
    }
  });
});
