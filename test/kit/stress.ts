/**
 * Many processes add to one counter while lock holders are stopped past the stale time and resumed; then a checker judges
 * what each of them wrote down. Used small by the tests and large by scripts/stress-commit.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkStore, history, showLock } from '../../src/core/store/index.js';
import { openNodeStore } from '../../src/node/store.js';

export interface StressPlan {
  dir: string;
  processes: number;
  increments: number;
  /** How many times a process is stopped (a lock holder, where there is a lock), past the stale time. */
  stops: number;
  lock: boolean;
  staleMs: number;
}

interface Seen {
  pid: number;
  begun: number;
  ended: number;
  n?: number;
  generation?: number;
  unsure?: { txid: string };
}

export interface StressReport {
  seconds: number;
  changes: number;
  unsure: number;
  stopped: number;
  /** Broken promises; empty is good. */
  problems: string[];
}

const WORKER = path.join(path.dirname(fileURLToPath(import.meta.url)), 'worker.ts');
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function start(plan: StressPlan, index: number): { child: ChildProcess; ended: Promise<number | null> } {
  const record = path.join(plan.dir, '..', `record-${index}`);
  const args = [
    '--import',
    'tsx',
    WORKER,
    plan.dir,
    String(plan.increments),
    plan.lock ? '1' : '0',
    String(plan.staleMs),
    record,
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  return { child, ended: new Promise((resolve) => child.once('exit', (code) => resolve(code))) };
}

/** Runs the plan against a cluster made by `newCluster` (counter at 0). */
export async function stress(plan: StressPlan): Promise<StressReport> {
  const started = performance.now();
  const store = openNodeStore(plan.dir);
  const workers = Array.from({ length: plan.processes }, (_, i) => start(plan, i));
  let running = workers.length;
  const codes = workers.map(({ ended }) => ended.finally(() => (running -= 1)));
  let stopped = 0;
  while (running > 0 && stopped < plan.stops) {
    await pause(20 + Math.random() * 60);
    const holder = plan.lock
      ? showLock(store).holder?.pid
      : workers[Math.floor(Math.random() * workers.length)]!.child.pid;
    const victim = workers.find(({ child }) => child.pid === holder && child.exitCode === null);
    if (victim === undefined || running < 2) continue;
    victim.child.kill('SIGSTOP');
    stopped += 1;
    await pause(plan.lock ? plan.staleMs + 300 : 100);
    victim.child.kill('SIGCONT');
  }
  const ended = await Promise.all(codes);
  const seen = workers.flatMap((_, i) => records(path.join(plan.dir, '..', `record-${i}`)));
  const problems = judge(plan, seen);
  ended.forEach((code, i) => {
    if (code !== 0) problems.push(`process ${i} ended with ${code}`);
  });
  const unsure = seen.filter((s) => s.unsure !== undefined).length;
  return { seconds: (performance.now() - started) / 1000, changes: seen.length, unsure, stopped, problems };
}

function records(file: string): Seen[] {
  const lines = fs.readFileSync(file).toString('utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Seen);
}

/** P2 and P3 from outside: the count is exact, each generation has one maker, and real time is respected. */
function judge(plan: StressPlan, seen: Seen[]): string[] {
  const problems: string[] = [];
  const store = openNodeStore(plan.dir);
  const txids = new Set([...history(store)].map(({ txid }) => txid));
  const done = seen.filter((s) => s.generation !== undefined);
  const unsureThere = seen.filter((s) => s.unsure !== undefined && txids.has(s.unsure.txid)).length;
  const n = store.snapshot().table('cluster').get('n')!.value;
  if (seen.length !== plan.processes * plan.increments) problems.push(`${seen.length} changes were recorded`);
  if (n !== done.length + unsureThere)
    problems.push(`the counter is ${n} after ${done.length} changes and ${unsureThere} unsure ones`);
  if (new Set(done.map((s) => s.generation)).size !== done.length) problems.push('a generation was given out twice');
  if (new Set(done.map((s) => s.n)).size !== done.length) problems.push('a number was given out twice');
  // Who began after another had ended must have a later generation.
  const byEnd = [...done].sort((a, b) => a.ended - b.ended);
  const byBegin = [...done].sort((a, b) => a.begun - b.begun);
  let newest = 0;
  let ended = 0;
  for (const later of byBegin) {
    while (byEnd[ended] !== undefined && byEnd[ended]!.ended < later.begun) {
      newest = Math.max(newest, byEnd[ended]!.generation!);
      ended += 1;
    }
    if (later.generation! <= newest) problems.push(`generation ${later.generation} began after ${newest} had ended`);
  }
  problems.push(...checkStore(store).problems.map(({ message }) => message));
  return problems;
}
