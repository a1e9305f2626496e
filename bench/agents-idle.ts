/** What an idle agent costs: processor time and memory of both processes, in a cluster of 100 nodes and 10,000 volumes. */
import { memoryKib, processorMs } from '../scripts/lab/proc.js';
import { companyOf, pause } from './agents-kit.js';
import type { Row } from './kit.js';

/** Goals of the issue: under 1 % of a core, under 120 MB, for both together. */
const CPU_GOAL = 1;
const MEMORY_GOAL = 120;

export async function idleRows(size: string, seconds: number): Promise<Row[]> {
  const company = await companyOf(size);
  try {
    const pids = [company.pids.supervisor, company.pids.worker];
    // What starting leaves behind (compiled code, garbage) settles first.
    await pause(10_000);
    const before = pids.map(processorMs);
    await pause(seconds * 1000);
    const cpu = pids.map((pid, i) => ((processorMs(pid) - before[i]!) / (seconds * 1000)) * 100);
    const memory = pids.map(memoryKib);
    const mb = (kib: number): number => (kib * 1024) / 1e6;
    const total = (field: 'rss' | 'pss'): number => mb(memory.reduce((sum, each) => sum + each[field], 0));
    const each = (field: 'rss' | 'pss'): string => memory.map((m) => mb(m[field]).toFixed(1)).join(' + ');
    const note = `supervisor + worker; the node has ${company.volumes} volumes`;
    return [
      {
        what: `processor, ${size}, ${seconds} s`,
        measured: `${cpu.map((percent) => percent.toFixed(2)).join(' + ')} %`,
        value: cpu[0]! + cpu[1]!,
        goal: CPU_GOAL,
        unit: '%',
        note,
      },
      {
        what: `memory, ${size}, resident (RSS)`,
        measured: `${each('rss')} MB`,
        value: total('rss'),
        goal: MEMORY_GOAL,
        unit: 'MB',
        note: 'counts what both share twice',
      },
      {
        what: `memory, ${size}, proportional (PSS)`,
        measured: `${each('pss')} MB`,
        value: total('pss'),
        goal: MEMORY_GOAL,
        unit: 'MB',
      },
    ];
  } finally {
    await company.close();
  }
}
