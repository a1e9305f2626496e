/** Prints what the scripts of a run have found, table by table. Argument: the file that CFS_CRASH_RESULTS named. */
import fs from 'node:fs';
import { printTable, type Row } from './report.js';

const tables = new Map<string, Row[]>();
for (const line of fs.readFileSync(process.argv[2]!, 'utf8').split('\n')) {
  if (line === '') continue;
  const { table, row } = JSON.parse(line) as { table: string; row: Row };
  tables.set(table, [...(tables.get(table) ?? []), row]);
}
for (const [title, rows] of tables) printTable(title, rows);
