/** What is judged when a soak is over: history, journals, ledgers and files, each against the others. */
import { join } from 'node:path';
import type { RequestRecord } from '../../src/core/model/tables.js';
import type { Interval } from '../../test/kit/ownership-check.js';
import type { Right } from '../../test/kit/writers-check.js';
import { problemsOf, proofOf, summaryOf, violationsOf } from './check-writers.js';
import type { ClientLab } from './client-lab.js';
import { Ledger, type WrittenRecord } from './ledger.js';
import { type Answered, type Waits, waitsOf } from './waits.js';

export interface SoakVerdict {
  /** What must never be, a sentence each; empty: all is proved. */
  failures: string[];
  summary: string;
  generations: number;
  /** How often a volume passed from one client to another. */
  handovers: number;
  /** Acknowledged. */
  records: number;
  bytes: number;
  /** Sessions of writing that began with all former bytes verified. */
  verified: number;
  answers: Map<string, number>;
  waits: Waits;
}

/** @param readBack what the file of a volume holds when all have ended */
export async function verdictOf(
  lab: ClientLab,
  ledgerDir: string,
  readBack: (volume: string) => Buffer,
): Promise<SoakVerdict> {
  const stateDirs = [...lab.agents.values()].map(({ stateDir }) => stateDir);
  const proof = await proofOf(lab.dir, stateDirs);
  const failures = [...violationsOf(proof), ...problemsOf(proof)];
  const { rights } = proof.history;
  const intervals = proof.mounts?.intervals ?? [];
  let [records, bytes, verified] = [0, 0, 0];
  for (const volume of lab.options.volumes) {
    const ledger = new Ledger(join(ledgerDir, `${volume}.jsonl`));
    ledger.follow();
    failures.push(...ledger.wrong.map((says) => `${volume}: ${says}`));
    const why = ledger.whyNot(readBack(volume));
    if (why !== null) failures.push(`${volume}: at the end ${why}`);
    failures.push(...strangers(volume, ledger.records, rights, intervals));
    records += ledger.records.length;
    bytes += ledger.end;
    verified += ledger.events.filter(({ k }) => k === 'opened').length;
  }
  if (records === 0) failures.push('nothing was written');
  const answered = answeredOf(lab);
  const answers = new Map<string, number>();
  for (const { response } of answered) answers.set(response, (answers.get(response) ?? 0) + 1);
  return {
    failures,
    summary: summaryOf(proof),
    generations: proof.history.generations,
    handovers: handoversOf(rights),
    records,
    bytes,
    verified,
    answers,
    waits: waitsOf(rights, answered, intervals),
  };
}

/** Records that were written without the right, outside of the time of its mount, or under an older token than what stands before. */
function strangers(
  volume: string,
  records: readonly WrittenRecord[],
  rights: readonly Right[],
  intervals: readonly Interval[],
): string[] {
  const found: string[] = [];
  const holders = new Map(
    rights.filter((right) => right.volume === volume).map((right) => [right.since, right.client]),
  );
  const mounts = new Map<number, Interval[]>();
  for (const interval of intervals) {
    if (interval.volume !== volume) continue;
    mounts.set(interval.epoch, [...(mounts.get(interval.epoch) ?? []), interval]);
  }
  let newest = 0;
  for (const { client, epoch, n, began, t } of records) {
    const what = `${volume}: record ${n} of ${client} (token ${epoch})`;
    if (holders.get(epoch) !== client)
      found.push(`${what} was written with the token of ${holders.get(epoch) ?? 'nobody'}`);
    else if (!(mounts.get(epoch) ?? []).some(({ from, to }) => from <= began && t <= to)) {
      found.push(`${what} was written from ${began} to ${t}, when the journal has no mount for writing`);
    }
    if (epoch < newest) found.push(`${what} was written after one of token ${newest}`);
    newest = Math.max(newest, epoch);
  }
  return found;
}

/** Requests and their answers, from history. */
function answeredOf({ cluster }: ClientLab): Answered[] {
  const { store } = cluster;
  const found: Answered[] = [];
  const newest = cluster.snapshot().generation;
  for (let generation = store.oldestGeneration() + 1; generation <= newest; generation++) {
    for (const { name, before, after } of store.changesOf(generation, ['requests'])) {
      const request = after as RequestRecord | null;
      if (request === null || request.response === 'pending' || request.answeredAt === null) continue;
      if ((before as RequestRecord | null)?.response !== 'pending') continue;
      const at = name.indexOf('/');
      const { asked, askedAt, answeredAt, response } = request;
      const times = { askedMs: Date.parse(askedAt), answeredMs: Date.parse(answeredAt) };
      found.push({ volume: name.slice(0, at), client: name.slice(at + 1), asked, response, ...times });
    }
  }
  return found;
}

function handoversOf(rights: readonly Right[]): number {
  const last = new Map<string, string>();
  let count = 0;
  for (const { volume, client } of [...rights].sort((a, b) => a.since - b.since)) {
    if (last.has(volume) && last.get(volume) !== client) count++;
    last.set(volume, client);
  }
  return count;
}
