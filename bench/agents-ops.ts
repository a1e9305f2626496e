/** System calls of an idle agent on the shared directory, by strace on the worker: with the number of nodes, and of volumes. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { companyOf, pause } from './agents-kit.js';
import { has, type Row, WORK } from './kit.js';

/** Calls on the directory per second, and the busiest kinds. Names and descriptors are told apart by strace itself (-y). */
async function callsPerSecond(pid: number, dir: string, seconds: number): Promise<{ rate: number; kinds: string }> {
  const out = path.join(WORK, 'strace');
  const child = spawn('strace', ['-f', '-y', '-qq', '-e', 'trace=%file,%desc', '-o', out, '-p', String(pid)]);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await pause(seconds * 1000);
  child.kill('SIGINT');
  await ended;
  const counts = new Map<string, number>();
  for (const line of readFileSync(out, 'utf8').split('\n')) {
    // An interrupted call has two lines; only the first names the file.
    if (!line.includes(dir) || line.includes(' resumed>')) continue;
    const call = /^\d+\s+(\w+)\(/.exec(line)?.[1];
    if (call !== undefined) counts.set(call, (counts.get(call) ?? 0) + 1);
  }
  rmSync(out);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const kinds = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([call, count]) => `${call} ${(count / seconds).toFixed(1)}`);
  return { rate: total / seconds, kinds: kinds.slice(0, 6).join(', ') };
}

export async function operationRows(sizes: readonly string[], seconds: number): Promise<Row[]> {
  if (!has('strace')) return [{ what: 'operations per second', measured: 'strace is not installed' }];
  const rates = new Map<string, number>();
  const rows: Row[] = [];
  for (const size of sizes) {
    const company = await companyOf(size);
    try {
      await pause(4000);
      const { rate, kinds } = await callsPerSecond(company.pids.worker, company.dir, seconds);
      rates.set(size, rate);
      rows.push({ what: `calls on the directory, ${size}`, measured: `${rate.toFixed(1)} / s`, note: kinds });
    } finally {
      await company.close();
    }
  }
  return [...rows, ...growth(rates)];
}

/** The first against the last of those that differ in one number only. */
function growth(rates: ReadonlyMap<string, number>): Row[] {
  const sizes = [...rates].map(([size, rate]) => ({
    nodes: Number(size.split('x')[0]),
    volumes: Number(size.split('x')[1]),
    rate,
  }));
  const rows: Row[] = [];
  const byNodes = sizes.filter(({ volumes }) => volumes === 10_000).sort((a, b) => a.nodes - b.nodes);
  const byVolumes = sizes.filter(({ nodes }) => nodes === 100).sort((a, b) => a.volumes - b.volumes);
  const [few, many] = [byNodes[0], byNodes.at(-1)];
  if (few !== undefined && many !== undefined && few !== many) {
    const value = many.rate / few.rate;
    const measured = `${few.rate.toFixed(1)} -> ${many.rate.toFixed(1)} / s`;
    rows.push({ what: `calls, ${few.nodes} -> ${many.nodes} nodes`, measured, value, goal: many.nodes / few.nodes });
  }
  const [small, large] = [byVolumes[0], byVolumes.at(-1)];
  if (small !== undefined && large !== undefined && small !== large) {
    const value = large.rate / small.rate;
    const measured = `${small.rate.toFixed(1)} -> ${large.rate.toFixed(1)} / s`;
    rows.push({ what: `calls, ${small.volumes} -> ${large.volumes} volumes`, measured, value, goal: 1.1 });
  }
  return rows;
}
