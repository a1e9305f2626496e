/**
 * Time, memory and imbalance of placement on generated data sets, beside the goal (spec/performance.md).
 *
 *     node --expose-gc --import tsx bench/placement.ts [--nodes 1000] [--volumes 100000] [--only NAME] [--runs 3]
 *
 * Each data set runs in a process of its own, so that times and the peak of memory are its own.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { planFailover } from '../src/core/placement/failover.js';
import { staged } from '../src/core/placement/staged.js';
import { generate, SHAPES, type Shape } from './placement-shapes.js';

/** Goal for `staged` at 1,000 nodes and 100,000 volumes. */
const GOAL_MS = 3000;
const GOAL_MIB = 1024;

interface Measured {
  ms: number;
  /** Processor time of all threads: what remains comparable while other work shares the machine. */
  cpuMs: number;
  mib: number;
  imbalance: number;
  relative: number;
  cycles: number;
  balancingMoves: number;
  unassigned: number;
  big: boolean;
  failoverMs: number;
  failoverMoves: number;
}

function measure(name: string, nodeCount: number, volumeCount: number, runs: number): Measured {
  const input = generate(SHAPES[name] as Shape, nodeCount, volumeCount, 42);
  let ms = Number.POSITIVE_INFINITY;
  let cpuMs = Number.POSITIVE_INFINITY;
  let result = null as unknown as ReturnType<typeof staged>;
  for (let r = 0; r < runs; r++) {
    globalThis.gc?.();
    const start = performance.now();
    const cpu = process.cpuUsage();
    result = staged(input);
    ms = Math.min(ms, performance.now() - start);
    const used = process.cpuUsage(cpu);
    cpuMs = Math.min(cpuMs, (used.user + used.system) / 1000);
  }
  const mib = process.resourceUsage().maxRSS / 1024;
  const placed = {
    ...input,
    volumes: input.volumes.map((volume) => ({ ...volume, currentNode: result.assignment.get(volume.name) ?? null })),
  };
  const lost = result.nodes.reduce((a, b) => (a.volumes.length >= b.volumes.length ? a : b)).name;
  const start = performance.now();
  const failover = planFailover(placed, { leaving: [lost] });
  return {
    ms,
    cpuMs,
    mib,
    imbalance: result.sumAbsRC,
    relative: result.sumAbsRC / result.totals.activeVolumeWeight,
    cycles: result.cycles,
    balancingMoves: result.run.keptMoves,
    unassigned: result.unassigned.length,
    big: result.run.capacity.big,
    failoverMs: performance.now() - start,
    failoverMoves: failover.moves,
  };
}

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    volumes: { type: 'string', default: '100000' },
    only: { type: 'string' },
    runs: { type: 'string', default: '1' },
    child: { type: 'boolean', default: false },
  },
});

if (values.child) {
  const measured = measure(values.only as string, Number(values.nodes), Number(values.volumes), Number(values.runs));
  process.stdout.write(JSON.stringify(measured));
} else {
  console.log(
    `staged and failover, ${values.nodes} nodes x ${values.volumes} volumes; goal ${GOAL_MS} ms, ${GOAL_MIB} MiB`,
  );
  console.log(
    'data set         staged  of goal      cpu  memory  cycles    moves  imbalance/V  unassigned  failover  (moves)',
  );
  for (const name of values.only === undefined ? Object.keys(SHAPES) : [values.only]) {
    const script = fileURLToPath(import.meta.url);
    const same = ['--nodes', values.nodes, '--volumes', values.volumes, '--runs', values.runs];
    const child = spawnSync(
      process.execPath,
      ['--expose-gc', '--import', 'tsx', script, '--child', '--only', name, ...same],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    );
    if (child.status !== 0) process.exit(1);
    const m = JSON.parse(child.stdout) as Measured;
    console.log(
      [
        name.padEnd(15),
        `${m.ms.toFixed(0)} ms`.padStart(8),
        (m.ms / GOAL_MS).toFixed(2).padStart(8),
        `${m.cpuMs.toFixed(0)} ms`.padStart(8),
        `${m.mib.toFixed(0)} M`.padStart(7),
        String(m.cycles).padStart(7),
        String(m.balancingMoves).padStart(8),
        m.relative.toExponential(2).padStart(12),
        String(m.unassigned).padStart(11),
        `${m.failoverMs.toFixed(0)} ms`.padStart(9),
        `(${m.failoverMoves})`,
        m.big ? 'bigint' : '',
      ].join(' '),
    );
  }
}
