/** From measurements to what a directory may be used for. Pure; the recorded measurements in fixtures/doctor are its examples. */
import { type Advice, adviceFor } from './advice.js';
import { type Finding, findingsOf } from './findings.js';
import { type Delay, type Measurements, sharesOneMount } from './measurements.js';
import { type Family, familyOf, isOneMachineOnly } from './mount.js';
import { type NetworkRemark, networkRemarks } from './network.js';

/** `polling`: usable, but nothing wakes an agent when another node has made something. */
export type Answer = 'yes' | 'polling' | 'no';

export interface Use {
  use: 'cluster-directory' | 'failover' | 'locks' | 'replaced-files';
  answer: 'yes' | 'polling' | 'no' | 'unknown';
  text: string;
}

export interface Verdict {
  answer: Answer;
  /** One sentence: what the directory may be used for. */
  summary: string;
  /** Why not, or why only so; the gravest first. */
  reasons: string[];
  /** What the test could not show. */
  caveats: string[];
  uses: Use[];
  findings: Finding[];
  advice: Advice[];
  network: { host: string; remarks: NetworkRemark[] }[];
}

/** Default of lease.timeout, ms; no verdict recommends less. */
const LEASE_TIMEOUT_MS = 10_000;
const LEASE_INTERVAL_MS = 2_000;

export function verdictOf(measured: Measurements): Verdict {
  const findings = findingsOf(measured);
  const mounts = measured.nodes.map((node) => node.mount);
  const advice = uniqueAdvice(mounts.flatMap((mount) => adviceFor(mount)));
  const family = familyOf(mounts[0] ?? null);
  const refusals = [...refusedByName(advice), ...twoMachines(measured, family), ...says(findings, 'bad')];
  const limits = says(findings, 'limit');
  const answer: Answer = refusals.length > 0 ? 'no' : measured.inotifyOther === false ? 'polling' : 'yes';
  return {
    answer,
    summary: measured.mode === 'alone' && answer !== 'no' ? ALONE : SUMMARY[answer],
    reasons: [...refusals, ...limits],
    caveats: caveatsOf(measured, family),
    uses: usesOf(measured, answer, Math.max(0, ...advice.map((a) => a.leaseTimeoutMs ?? 0))),
    findings,
    advice: advice.filter((a) => a.level !== 'refuse'),
    network: measured.nodes.flatMap((node) =>
      node.network === null ? [] : [{ host: node.host, remarks: networkRemarks(node.network) }],
    ),
  };
}

const SUMMARY: Record<Answer, string> = {
  yes: 'This directory may be used as a cluster directory.',
  polling: 'This directory may be used as a cluster directory, with polling only.',
  no: 'This directory must not be used as a cluster directory.',
};

const ALONE = 'As far as one node can tell, this directory may be used as a cluster directory.';

function says(findings: readonly Finding[], level: Finding['level']): string[] {
  return findings.filter((f) => f.level === level).map((f) => `${f.test}: ${f.result}; ${f.meaning}`);
}

function refusedByName(advice: readonly Advice[]): string[] {
  return advice.filter((a) => a.level === 'refuse').map((a) => a.text);
}

function uniqueAdvice(all: readonly Advice[]): Advice[] {
  return [...new Map(all.map((a) => [a.text, a])).values()];
}

/** The same file system of a disk, seen from two kernels: its device is mounted twice, and is being destroyed. */
function twoMachines(measured: Measurements, family: Family): string[] {
  if (measured.mode === 'alone' || measured.sameMachine || !isOneMachineOnly(family)) return [];
  const type = measured.nodes[0]?.mount?.type ?? 'it';
  return [
    `${type} is not made for two machines, and two have it mounted: unmount it on one of them at once, then check it (fsck)`,
  ];
}

function caveatsOf(measured: Measurements, family: Family): string[] {
  const found: string[] = [];
  if (measured.mode === 'alone')
    found.push(
      'tested by one node alone: what a second node sees, and whether locks reach it, is not known; test it from two',
    );
  else if (sharesOneMount(measured))
    found.push('both nodes share one mount of one machine: caches of different machines were not tested');
  if (isOneMachineOnly(family)) found.push('only nodes on this machine can share this directory');
  if (family === 'memory') found.push('it is empty after a restart of the machine');
  return found;
}

function usesOf(measured: Measurements, answer: Answer, stallsMs: number): Use[] {
  const { visible, locks } = measured;
  const alone = visible === null;
  const failover = failoverUse(measured, answer, stallsMs);
  const both = [locks.flock.answer, locks.fcntl.answer];
  const lockAnswer =
    both.includes('given-to-both') || both.includes('unsupported')
      ? 'no'
      : alone || both.includes('no-program')
        ? 'unknown'
        : 'yes';
  return [
    { use: 'cluster-directory', answer, text: 'cluster directory of cfs' },
    failover,
    { use: 'locks', answer: lockAnswer, text: 'programs on several nodes that rely on flock or fcntl locks' },
    {
      use: 'replaced-files',
      answer: alone ? 'unknown' : isLate(visible.replaced) ? 'no' : 'yes',
      text: 'programs that replace files and expect other nodes to see it within half a second',
    },
  ];
}

function isLate(d: Delay): boolean {
  return d.missed > 0 || d.wrongContent > 0 || (d.maxMs ?? 0) > 500;
}

/** An observer must never miss a lease that is renewed: the interval and twice the delay have to fit well into the timeout. */
function failoverUse(measured: Measurements, answer: Answer, stallsMs: number): Use {
  const text = 'agents with automatic failover';
  if (answer === 'no') return { use: 'failover', answer: 'no', text };
  if (measured.visible === null) return { use: 'failover', answer: 'unknown', text };
  const { listed, found } = measured.visible;
  const delayMs = Math.max(listed.maxMs ?? 0, found.maxMs ?? 0);
  const seenMs = Math.ceil((3 * (LEASE_INTERVAL_MS + 2 * delayMs)) / 1000) * 1000;
  const timeoutMs = Math.max(LEASE_TIMEOUT_MS, stallsMs, seenMs);
  return { use: 'failover', answer, text: `${text}, lease.timeout ${timeoutMs / 1000}s or more` };
}
