/**
 * What agents cost and how quick they are, as Markdown, with goals met or missed.
 *
 *     npm run bench:agents [-- --quick] [-- --only idle,many,operations,takeover,rebalance]
 *
 * Takes about ten minutes, mostly waiting; --quick takes three. Agents are real processes of this machine; their drivers touch
 * nothing (`record`) where cost is measured.
 */
import { parseArgs } from 'node:util';
import { idleRows } from './agents-idle.js';
import { manyRows } from './agents-many.js';
import { rebalanceRows, takeoverRows } from './agents-moves.js';
import { operationRows } from './agents-ops.js';
import { machine, printTable, type Row, verdict } from './kit.js';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } } });
const { quick } = values;

const SECTIONS: Record<string, { title: string; rows: () => Promise<Row[]> }> = {
  idle: { title: 'An idle agent', rows: () => idleRows('100x10000', quick ? 20 : 60) },
  many: { title: 'Many agents on one machine', rows: () => manyRows(quick ? 10 : 40, quick ? 20 : 60) },
  operations: {
    title: 'Operations on the shared file system (agent idle)',
    rows: () => operationRows(['10x10000', '50x10000', '100x100', '100x10000', '100x100000'], quick ? 10 : 30),
  },
  takeover: { title: 'Takeover (lease.timeout 3 s)', rows: () => takeoverRows(quick ? 5 : 20) },
  rebalance: { title: 'Publishing a change', rows: () => rebalanceRows(quick ? 4 : 10) },
};

const only = values.only?.split(',') ?? Object.keys(SECTIONS);
console.log(machine());
const all: Row[] = [];
for (const name of only) {
  const section = SECTIONS[name];
  if (section === undefined) throw new Error(`no such section: ${name}; there are ${Object.keys(SECTIONS).join(', ')}`);
  const rows = await section.rows();
  printTable(section.title, rows);
  all.push(...rows);
}
const judged = all.filter((row) => row.goal !== undefined);
const missed = judged.filter((row) => verdict(row) !== 'met');
console.log(`\n${judged.length - missed.length} of ${judged.length} goals met.`);
for (const row of missed) console.log(`- ${row.what}: ${row.value?.toFixed(2)} against ${row.goal}`);
process.exit(0);
