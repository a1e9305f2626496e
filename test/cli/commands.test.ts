import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { commandDocs } from '../../scripts/command-docs.js';
import { runCfs } from '../kit/cli.js';

const docs = await commandDocs();

describe('every command', () => {
  for (const doc of docs) {
    const source = readFileSync(doc.path, 'utf8');

    it(`${doc.name} says what it does: a summary, a description, two examples`, () => {
      assert.match(doc.summary, /^[A-Z].*\.$/, 'the summary is a sentence');
      assert.ok(doc.summary.length <= 72, 'the summary fits a line of a list');
      assert.ok(doc.description.length > doc.summary.length, 'the description says more than the summary');
      assert.ok(doc.examples.length >= 2, 'two examples');
      for (const { command, description } of doc.examples) {
        assert.ok(command.includes(`cfs ${doc.name}`), `${command} shows this command`);
        assert.notEqual(description, '');
      }
    });

    it(`${doc.name} explains every flag and argument, and reads no argument from standard input`, () => {
      for (const flag of doc.flags) assert.match(flag.summary, /^[A-Z].*[.…]$/, `--${flag.name}`);
      for (const arg of doc.args) assert.notEqual(arg.description, '', arg.name);
      for (const [name, arg] of Object.entries(doc.command.args ?? {})) assert.equal(arg.ignoreStdin, true, name);
    });

    it(`${doc.name} asks nothing that a flag cannot answer`, () => {
      const flags = new Set(doc.flags.map((flag) => flag.name));
      if (/this\.confirm\(/.test(source)) assert.ok(flags.has('yes'), '--yes answers the question');
      const asks = [...source.matchAll(/this\.ask\(\s*'([^']+)'/g)];
      for (const [, flag] of asks) assert.ok(flags.has(flag!), `--${flag} answers the question`);
      assert.doesNotMatch(source, /inquirer/, 'questions go through the base class');
    });
  }

  it('shows its help, by --help, -h and cfs help, with status 0', () => {
    for (const doc of docs) {
      const help = runCfs([...doc.name.split(' '), '--help']);
      assert.equal(help.status, 0, help.stderr);
      assert.ok(help.stdout.includes('EXAMPLES') && help.stdout.includes('--json'), doc.name);
    }
    const [byFlag, byLetter, byWord] = [
      ['node', 'list', '--help'],
      ['node', 'list', '-h'],
      ['help', 'node', 'list'],
    ].map((argv) => runCfs(argv).stdout);
    assert.equal(byLetter, byFlag);
    assert.equal(byWord, byFlag);
  }).timeout(120_000);

  it('is listed by cfs help, and by its topic', () => {
    const root = runCfs(['help']).stdout;
    const topic = runCfs(['node']).stdout;
    for (const { name } of docs) {
      assert.match(root, new RegExp(`^ +${name.split(' ')[0]} `, 'm'));
      if (name.startsWith('node ')) assert.match(topic, new RegExp(`^ +${name} `, 'm'));
    }
  });
});
