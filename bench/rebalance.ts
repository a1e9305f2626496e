/**
 * The large changes, whole processes at 1,000 nodes x 100,000 volumes: time, peak of memory, what is written, and the part
 * of it that is deciding. Each run begins with a copy of the same cluster.
 *
 *     node --import tsx bench/rebalance.ts [--size 1000x100000] [--runs 3]
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  cfs,
  copyOf,
  costOf,
  EMPTY_NODE,
  isMain,
  median,
  msText,
  outputOf,
  type Program,
  printTable,
  quantile,
  type Row,
  sampleCluster,
  timeOf,
  WORK,
} from './kit.js';

/** For `staged`: seconds and MiB. */
const GOAL_S = 3;
const GOAL_MIB = 1024;

interface Case {
  label: string;
  /** Which cluster it begins with. */
  from: 'new' | 'balanced' | 'failed' | 'moved' | 'nodes only';
  words: string;
  stdin?: Buffer;
  goals?: boolean;
}

/** Files under a directory, with their sizes. */
function filesIn(dir: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const name of fs.readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    const stat = fs.statSync(path.join(dir, name));
    if (stat.isFile()) found.set(name, stat.size);
  }
  return found;
}

function written(before: Map<string, number>, dir: string): { files: number; bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const [name, size] of filesIn(dir)) {
    if (before.has(name)) continue;
    files += 1;
    bytes += size;
  }
  return { files, bytes };
}

/** The documents that the commands read, made of the balanced cluster. */
function documents(dir: string): { json: string; yaml: string; nodes: string; volumes: Buffer } {
  const json = path.join(WORK, 'cluster.json');
  const yaml = path.join(WORK, 'cluster.yaml');
  const nodes = path.join(WORK, 'nodes.json');
  const document = JSON.parse(outputOf(cfs(dir, 'export -o json')).toString()) as {
    volumes: Record<string, unknown>[];
  };
  const lines = document.volumes.map((volume) => JSON.stringify(volume)).join('\n');
  fs.writeFileSync(nodes, JSON.stringify({ ...document, volumes: [] }));
  // Half of the volumes weigh more than they do.
  document.volumes.forEach((volume, i) => {
    if (i % 2 === 0) volume.weight = (volume.weight as number) + 1;
  });
  fs.writeFileSync(json, JSON.stringify(document, null, 2));
  const changed = copyOf(dir, 'changed');
  outputOf(cfs(changed, `apply -f ${json}`));
  fs.writeFileSync(yaml, outputOf(cfs(changed, 'export')));
  return { json, yaml, nodes, volumes: Buffer.from(`${lines}\n`) };
}

function cases(size: string): { cases: Case[]; clusters: Record<Case['from'], string> } {
  const balanced = sampleCluster(size);
  const { json, yaml, nodes, volumes } = documents(balanced);
  const node = `node${'1'.padStart(size.split('x')[0]!.length, '0')}`;
  const failed = copyOf(balanced, 'failed');
  outputOf(cfs(failed, `failover ${node}`));
  const moved = copyOf(failed, 'moved');
  outputOf(cfs(moved, 'rebalance'));
  const nodesOnly = path.join(WORK, 'nodes-only');
  outputOf(cfs(nodesOnly, `init --from ${nodes} --yes`));
  return {
    clusters: { new: sampleCluster(size, false), balanced, failed, moved, 'nodes only': nodesOnly },
    cases: [
      { label: 'rebalance of what was never placed', from: 'new', words: 'rebalance', goals: true },
      { label: 'rebalance --dry-run', from: 'new', words: 'rebalance --dry-run' },
      { label: 'rebalance again, nothing to do', from: 'balanced', words: 'rebalance', goals: true },
      { label: 'failover of a node', from: 'balanced', words: `failover ${node}` },
      { label: 'failback of it', from: 'failed', words: `failback ${node}` },
      { label: 'rebalance with a node lost', from: 'failed', words: 'rebalance', goals: true },
      { label: 'undo of that rebalance', from: 'moved', words: 'undo' },
      { label: 'export (YAML)', from: 'balanced', words: 'export' },
      { label: 'export (JSON)', from: 'balanced', words: 'export -o json' },
      { label: 'apply of JSON, half of the volumes changed', from: 'balanced', words: `apply -f ${json}` },
      { label: 'apply of YAML, half of the volumes changed', from: 'balanced', words: `apply -f ${yaml}` },
      { label: 'volume create -f - of all volumes', from: 'nodes only', words: 'volume create -f -', stdin: volumes },
    ],
  };
}

interface Measured {
  ms: number[];
  cpuMs: number[];
  mib: number | null;
  files: number;
  bytes: number;
}

function run(one: Case, from: string, into: Measured): void {
  const dir = copyOf(from, 'work');
  const before = filesIn(dir);
  const program: Program = cfs(dir, one.words, one.stdin);
  const { ms, cpuMs, mib } = costOf(program);
  into.ms.push(ms);
  if (cpuMs !== null) into.cpuMs.push(cpuMs);
  into.mib = mib === null ? null : Math.max(into.mib ?? 0, mib);
  Object.assign(into, written(before, dir));
}

/** Milliseconds of the decision `staged` alone, in this process, on the same tables. */
async function planningMs(dir: string, runs: number): Promise<number> {
  const { openCluster } = await import('../src/open.js');
  const { placementInput } = await import('../src/core/placement/input.js');
  const { staged } = await import('../src/core/placement/staged.js');
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const input = placementInput((await openCluster({ dir })).snapshot());
    const start = performance.now();
    staged(input);
    times.push(performance.now() - start);
  }
  return quantile(times, 0);
}

export async function rebalanceRows(size: string, runs: number): Promise<Row[]> {
  const { cases: all, clusters } = cases(size);
  const results = all.map((): Measured => ({ ms: [], cpuMs: [], mib: null, files: 0, bytes: 0 }));
  const empty: number[] = [];
  for (let i = 0; i < runs; i++) {
    empty.push(timeOf(EMPTY_NODE), timeOf(EMPTY_NODE), timeOf(EMPTY_NODE));
    all.forEach((one, c) => {
      run(one, clusters[one.from], results[c]!);
    });
  }
  const base = median(empty);
  const rows: Row[] = [];
  all.forEach((one, c) => {
    const { ms, cpuMs, mib, files, bytes } = results[c]!;
    const s = median(ms) / 1000;
    const wrote = files === 0 ? 'nothing written' : `${files} files, ${(bytes / 2 ** 20).toFixed(1)} MiB written`;
    rows.push({
      what: one.label,
      measured: `${msText(median(ms))} (${(median(ms) / base).toFixed(0)} x node -e 0)`,
      ...(one.goals ? { value: s, goal: GOAL_S, unit: 's' } : {}),
      note: `${mib === null ? '' : `${mib.toFixed(0)} MiB, ${msText(median(cpuMs))} of processor, `}${wrote}; fastest ${msText(quantile(ms, 0))}`,
    });
    if (one.goals && mib !== null) {
      rows.push({
        what: `${one.label}: memory`,
        measured: `${mib.toFixed(0)} MiB`,
        value: mib,
        goal: GOAL_MIB,
        unit: 'MiB',
      });
    }
  });
  const planning = await planningMs(clusters.new, runs);
  rows.push({
    what: 'of that, planning (staged)',
    measured: msText(planning),
    note: 'in one process, tables read before',
  });
  return rows;
}

if (isMain(import.meta.url)) {
  const { values } = parseArgs({
    options: { size: { type: 'string', default: '1000x100000' }, runs: { type: 'string', default: '3' } },
  });
  printTable(
    `Large changes, ${values.size} (median of ${values.runs})`,
    await rebalanceRows(values.size, Number(values.runs)),
  );
}
