/**
 * Proves from history that each volume had one writer at a time, in the order of asking. Pure; scripts/access/check-writers.ts reads
 * the history. What it holds for a violation:
 *
 *   token   a fencing token (`since`) that is not the generation that made the writer, or does not rise
 *   end     a right that passed on though nobody said that its mount was read-only, or that its holder was gone (writers-ends.ts)
 *   unfit   a writer that may not be one: not logged on, no right to mount, volume disabled …
 *   order   a grant while somebody waits who asked before
 *   queue   a queue that is not the pending requests in the order of asking
 *   answer  a grant without the right, or an answer that was changed afterwards
 */
import type { RequestRecord, WriterRecord } from '../../src/core/model/tables.js';
import type { Change, Snapshot } from '../../src/core/store/store.js';
import { whyNoProperEnd } from './writers-ends.js';
import { NOBODY, WritersState } from './writers-state.js';

/** What is needed of a generation. */
export interface HistoryStep {
  generation: number;
  /** RFC 3339. */
  time: string;
  operation: string;
  request: unknown;
  changes: readonly Change[];
  /** A repair published it: what came before is not all known. */
  isRepair?: boolean;
}

export type ViolationKind = 'token' | 'end' | 'unfit' | 'order' | 'queue' | 'answer';

export interface Violation {
  kind: ViolationKind;
  generation: number;
  volume: string;
  /** A sentence. */
  says: string;
}

/** One client's right to write one volume, from its grant to its end. */
export interface Right {
  volume: string;
  client: string;
  /** The generation that gave it: the fencing token. */
  since: number;
  /** When that was; null: before the history that is kept. */
  givenAt: string | null;
  /** The generation that ended it; null: it still stands. */
  until: number | null;
  endedAt: string | null;
  endedBy: string | null;
  /** The generation that asked for it; null: nobody else had it. */
  asked: number | null;
}

export interface WritersReport {
  generations: number;
  rights: Right[];
  violations: Violation[];
  /** Why history proves less than all, a sentence each. */
  problems: string[];
}

/** @param base the oldest generation that is kept; `steps` are those that follow it, in order. Null: history begins with nothing. */
export function checkWriters(base: Snapshot | null, steps: Iterable<HistoryStep>): WritersReport {
  const walk = new Walk(base);
  for (const step of steps) walk.take(step);
  return walk.report;
}

/** Kept apart from checkWriters so that history can be followed while it grows. */
export class Walk {
  readonly report: WritersReport = { generations: 0, rights: [], violations: [], problems: [] };
  private readonly before: WritersState;
  private readonly after: WritersState;
  private readonly open = new Map<string, Right>();
  private last: number | null;

  constructor(base: Snapshot | null) {
    this.before = new WritersState(base);
    this.after = new WritersState(base);
    this.last = base?.generation ?? null;
    for (const volume of this.after.names('writers')) {
      const { writer, since } = this.after.writerOf(volume);
      if (writer !== null) this.begin({ volume, client: writer, since, givenAt: null, asked: null });
    }
  }

  take(step: HistoryStep): void {
    const { generation, changes } = step;
    const { report } = this;
    report.generations++;
    if (step.isRepair) report.problems.push(`generation ${generation} was published by a repair`);
    else if (this.last !== null && generation !== this.last + 1) {
      report.problems.push(`generations ${this.last + 1} to ${generation - 1} are missing`);
    }
    this.last = generation;
    this.after.apply(changes);
    if (step.operation === 'volume.rename') this.follow(step);
    else {
      for (const change of changes) {
        if (change.table === 'writers') this.writer(step, change);
        if (change.table === 'requests') this.request(step, change);
      }
    }
    this.before.apply(changes);
  }

  private violation(kind: ViolationKind, { generation }: HistoryStep, volume: string, says: string): void {
    this.report.violations.push({ kind, generation, volume, says });
  }

  private begin(right: Pick<Right, 'volume' | 'client' | 'since' | 'givenAt' | 'asked'>): void {
    const whole: Right = { ...right, until: null, endedAt: null, endedBy: null };
    this.report.rights.push(whole);
    this.open.set(right.volume, whole);
  }

  /** A rename takes records to another name and must change nothing else. */
  private follow(step: HistoryStep): void {
    const writers = step.changes.filter(({ table }) => table === 'writers');
    const [from] = writers.filter(({ after }) => after === null);
    const [to] = writers.filter(({ before }) => before === null);
    if (from === undefined && to === undefined) return;
    if (from === undefined || to === undefined || JSON.stringify(from.before) !== JSON.stringify(to.after)) {
      this.violation('end', step, (from ?? to)!.name, 'a rename changed who writes');
      return;
    }
    const right = this.open.get(from.name);
    if (right === undefined) return;
    this.open.delete(from.name);
    right.volume = to.name;
    this.open.set(to.name, right);
  }

  private writer(step: HistoryStep, { name: volume, before, after }: Change): void {
    const former = (before ?? NOBODY) as WriterRecord;
    const now = (after ?? { ...NOBODY, since: step.generation }) as WriterRecord;
    const { generation } = step;
    if (now.writer !== former.writer || now.since !== former.since) {
      this.token(step, volume, former, now);
      // One that hands over and gets the right back, since those before it may not have it, has lost it in between.
      if (former.writer !== null) this.endOf(step, volume, former.writer, former.since);
      if (now.writer !== null) this.grant(step, volume, former, now.writer);
    }
    if (after !== null) this.queue(step, volume, now);
    if (now.modified > generation || now.modified < former.modified) {
      this.violation('token', step, volume, `modified went from ${former.modified} to ${now.modified}`);
    }
  }

  private token(step: HistoryStep, volume: string, former: WriterRecord, now: WriterRecord): void {
    const { generation } = step;
    if (now.since !== generation) {
      this.violation('token', step, volume, `the token of the new right is ${now.since}, not the generation`);
    }
    if (now.since <= former.since) {
      this.violation('token', step, volume, `the token went from ${former.since} to ${now.since}`);
    }
  }

  private endOf(step: HistoryStep, volume: string, client: string, since: number): void {
    const { generation, operation, request, time } = step;
    const right = this.open.get(volume);
    if (right !== undefined) {
      Object.assign(right, { until: generation, endedAt: time, endedBy: operation });
      this.open.delete(volume);
    }
    const ending = { operation, request, before: this.before, after: this.after };
    const why = whyNoProperEnd({ volume, client, since }, ending);
    if (why !== null) this.violation('end', step, volume, `${client} lost its right by ${operation}, but ${why}`);
  }

  private grant(step: HistoryStep, volume: string, former: WriterRecord, client: string): void {
    const { generation, time } = step;
    const asked = this.before.isPending(volume, client)
      ? (this.before.get('requests', `${volume}/${client}`)?.asked ?? null)
      : null;
    this.begin({ volume, client, since: generation, givenAt: time, asked });
    const why = this.after.whyNotWriter(volume, client);
    if (why !== null) this.violation('unfit', step, volume, `${client} became the writer, but ${why}`);
    for (const other of former.queue) {
      if (other === client) break;
      if (this.after.isPending(volume, other)) {
        this.violation('order', step, volume, `${client} became the writer while ${other} waits, who asked before`);
      } else if (this.after.get('requests', `${volume}/${other}`)?.response === 'granted') {
        this.violation('answer', step, volume, `${other} was told granted, and ${client} became the writer`);
      }
    }
  }

  private queue(step: HistoryStep, volume: string, { writer, queue, yields }: WriterRecord): void {
    const bad = (says: string): void => this.violation('queue', step, volume, says);
    if (writer === null && queue.length > 0) bad(`${queue[0]} waits though there is no writer`);
    // Only one that hands over may ask anew.
    if (writer !== null && yields === undefined && queue.includes(writer)) bad(`the writer ${writer} waits for itself`);
    let lastAsked = 0;
    for (const client of queue) {
      const request = this.after.get('requests', `${volume}/${client}`);
      if (request?.response !== 'pending') {
        bad(`${client} stands in the queue without a pending request`);
        continue;
      }
      if (request.asked <= lastAsked) bad(`${client} stands behind somebody who asked later`);
      lastAsked = request.asked;
    }
    for (const client of this.before.writerOf(volume).queue) {
      if (!queue.includes(client) && this.after.isPending(volume, client)) bad(`${client} was dropped from the queue`);
    }
  }

  private request(step: HistoryStep, { name, before, after }: Change): void {
    if (after === null) return;
    const at = name.indexOf('/');
    const [volume, client] = [name.slice(0, at), name.slice(at + 1)];
    const known = before as RequestRecord | null;
    const now = after as RequestRecord;
    const bad = (says: string): void => this.violation('answer', step, volume, `${client}: ${says}`);
    const isSame = known?.asked === now.asked;
    if (known?.response === 'pending' && !isSame) bad('its request lost its place');
    if (known !== null && known.response !== 'pending' && isSame) bad(`its answer ${known.response} was changed`);
    if (now.response === 'pending') {
      if (!isSame && now.asked !== step.generation) bad(`its request says that it was asked in ${now.asked}`);
      if (!this.after.writerOf(volume).queue.includes(client)) {
        this.violation('queue', step, volume, `${client} asked and does not stand in the queue`);
      }
    }
    if (now.response !== 'granted') return;
    const { writer, since, yields } = this.after.writerOf(volume);
    // A writer that was about to hand over and keeps its right after all has what it asked for.
    const former = this.before.writerOf(volume);
    const isKept = former.writer === client && former.since === since && yields === undefined;
    if (writer !== client || (since !== step.generation && !isKept)) {
      bad(`it was told granted, and the writer is ${writer} with token ${since}`);
    }
  }
}
