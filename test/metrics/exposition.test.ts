import assert from 'node:assert/strict';
import fc from 'fast-check';
import { exposition, Families, type Labels, sample, stateSet } from '../../src/core/metrics/exposition.js';

/** One family as text. */
function textOf(value: number, labels: Labels = {}, help = 'Help.'): string {
  const families = new Families();
  families.gauge('cfs_test', help, sample(value, labels));
  return exposition(families.all);
}

/** Reads a line as Prometheus does (exposition_formats.md, "Text format details"). */
function parseLine(line: string): { labels: Record<string, string>; value: string } {
  const match = /^[a-z_]+(?:\{(.*)\})? (\S+)$/s.exec(line)!;
  const labels: Record<string, string> = {};
  for (const [, label, text] of (match[1] ?? '').matchAll(/([a-z_]+)="((?:[^"\\\n]|\\.)*)"(?:,|$)/gu)) {
    labels[label!] = text!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
  }
  return { labels, value: match[2]! };
}

describe('the text format of metrics', () => {
  it('has help, type and samples of a name together, and leaves out what has none', () => {
    const families = new Families();
    families.counter('cfs_a_total', 'A.', sample(1), sample(2, { node: 'n1' }));
    families.gauge('cfs_b', 'B.');
    families.gauge('cfs_c', 'C.', ...stateSet(['on', 'off'], 'off', { node: 'n1' }));
    assert.equal(
      exposition(families.all),
      '# HELP cfs_a_total A.\n# TYPE cfs_a_total counter\ncfs_a_total 1\ncfs_a_total{node="n1"} 2\n' +
        '# HELP cfs_c C.\n# TYPE cfs_c gauge\ncfs_c{node="n1",state="on"} 0\ncfs_c{node="n1",state="off"} 1\n',
    );
  });

  it('escapes what would end a label, a line or a help', () => {
    assert.match(textOf(1, { node: 'a"b\\c\nd' }), /^cfs_test\{node="a\\"b\\\\c\\nd"\} 1$/m);
    assert.match(textOf(1, {}, 'a\\b\nc'), /^# HELP cfs_test a\\\\b\\nc$/m);
  });

  it('gives every label back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary-ascii' }), (a, b) => {
        const line = textOf(1, { a, b }).split('\n').slice(2).join('\n').slice(0, -1);
        assert.deepEqual(parseLine(line).labels, { a, b });
      }),
    );
  });

  it('writes numbers as Prometheus reads them', () => {
    const numbers = [0, -1.5, 1e21, 1e-7, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
    assert.deepEqual(
      numbers.map((number) => textOf(number).split(' ').at(-1)),
      ['0\n', '-1.5\n', '1e+21\n', '1e-7\n', '+Inf\n', '-Inf\n', 'NaN\n'],
    );
  });
});
