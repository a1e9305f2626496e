import assert from 'node:assert/strict';
import { circles, importGraph, wrongDirections } from '../../scripts/check.js';

describe('npm run check', () => {
  it('finds imports in a circle, however long, and none where there is none', () => {
    const graph = new Map([
      ['a.ts', ['b.ts']],
      ['b.ts', ['c.ts']],
      ['c.ts', ['a.ts', 'd.ts']],
      ['d.ts', []],
    ]);
    assert.deepEqual(circles(graph), [['a.ts', 'b.ts', 'c.ts', 'a.ts']]);
    graph.set('c.ts', ['d.ts']);
    assert.deepEqual(circles(graph), []);
  });

  it('finds what core imports from outside core', () => {
    const graph = new Map([['core/a.ts', ['core/b.ts', 'render/table.ts']]]);
    assert.deepEqual(wrongDirections(graph), ['core/a.ts imports render/table.ts']);
  });

  it('sees imports of values, re-exports and side effects, not those of types', () => {
    const text = [
      "import type { A } from './type.js';",
      "import { a } from './value.js';",
      "export * from './again.js';",
      "import './effect.js';",
      "import {\n  b,\n} from './lines.js';",
      "import fs from 'node:fs';",
      "const c = await import('./later.js');",
    ].join('\n');
    const [imports] = importGraph(() => text).values();
    assert.deepEqual(
      imports!.map((path) => path.split('/').at(-1)),
      ['value.ts', 'again.ts', 'effect.ts', 'lines.ts'],
    );
  });
});
