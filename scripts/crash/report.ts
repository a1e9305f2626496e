/** Rows of results: a table at the end of each script, and one line of JSON each for run.sh's summary. */
import fs from 'node:fs';
import path from 'node:path';

export type Row = Record<string, string | number>;

/** Prints rows with the names of their members as titles. */
export function printTable(title: string, rows: readonly Row[]): void {
  console.log(`\n${title}`);
  if (rows.length === 0) return;
  const titles = Object.keys(rows[0]!);
  const widths = titles.map((t) => Math.max(t.length, ...rows.map((row) => String(row[t] ?? '').length)));
  const line = (cells: (string | number)[]): string =>
    cells
      .map((c, i) => (typeof c === 'number' ? String(c).padStart(widths[i]!) : String(c).padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  console.log(line(titles));
  for (const row of rows) console.log(line(titles.map((t) => row[t] ?? '')));
}

/** Keeps a row for the summary (CFS_CRASH_RESULTS names the file). */
export function keepRow(table: string, row: Row): void {
  const file = process.env.CFS_CRASH_RESULTS;
  if (file !== undefined) fs.appendFileSync(file, `${JSON.stringify({ table, row })}\n`);
}

const failures: string[] = [];

/** Reports a failed point; with CFS_KEEP=1 its files are copied to where the message says. */
export function fail(what: string, problems: readonly string[], artefacts: Record<string, string> = {}): void {
  failures.push(what);
  console.log(`FAILED ${what}`);
  for (const problem of problems) console.log(`  ${problem.trim().replaceAll('\n', '\n    ')}`);
  if (process.env.CFS_KEEP !== '1') return;
  const kept = path.resolve(process.env.CFS_CRASH_KEPT ?? 'crash-kept', what.replace(/[^\w.-]+/g, '_'));
  fs.mkdirSync(kept, { recursive: true });
  fs.writeFileSync(path.join(kept, 'problems.txt'), `${problems.join('\n')}\n`);
  for (const [name, from] of Object.entries(artefacts)) {
    if (fs.existsSync(from)) fs.cpSync(from, path.join(kept, name), { recursive: true });
  }
  console.log(`  kept in ${kept}`);
}

/** Ends the script with status 1 when something failed. */
export function finish(): void {
  if (failures.length > 0) {
    console.log(`\n${failures.length} failures`);
    process.exitCode = 1;
  } else console.log('\n0 failures');
}

/** Value of `--NAME=a,b`, or all. */
export function chosen<T extends string>(name: string, all: readonly T[]): T[] {
  const given = process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  if (given === undefined) return [...all];
  const wanted = given.split(',');
  const unknown = wanted.filter((w) => !all.includes(w as T));
  if (unknown.length > 0) throw new Error(`--${name}: there is no ${unknown.join(', ')}; there are ${all.join(', ')}`);
  return wanted as T[];
}
