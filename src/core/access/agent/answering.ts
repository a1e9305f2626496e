/**
 * Write requests that wait for this client's answer (FIG. 15C). With autoRespond its own command is asked, once per request; on a yes
 * the mount is made read-only at once, and the answer and the passing on of the right are one generation. Without it a person is told.
 *
 *   (new) --autoRespond--> asking --no---------------------------------------> telling --> (shown by a generation)
 *     |                       `----yes--> closing --read-only, or busy: denied-----^
 *     `--else--> told
 */
import type { HookEvent, Log } from '../../agent/ports.js';
import { oneLine } from '../../membership/reasons.js';
import { MAX_DESCRIPTION_LENGTH } from '../../model/values.js';
import type { Asking } from './asking.js';
import type { ClientMounts } from './client-mounts.js';
import type { ClientView, PendingRequest, VolumeView } from './client-view.js';
import type { GivingUp } from './giving-up.js';
import type { AutoAnswer } from './ports.js';
import type { WriteMarks } from './write-marks.js';

interface Case {
  request: PendingRequest;
  since: number;
  stage: 'asking' | 'closing' | 'telling' | 'told';
  message: string | null;
}

export interface AnsweringOptions {
  client: string;
  view: ClientView;
  mounts: ClientMounts;
  marks: WriteMarks;
  givingUp: GivingUp;
  asking: Asking;
  answer: AutoAnswer;
  log: Log;
  hook: (event: HookEvent, variables: Record<string, string>) => void;
  wake: () => void;
}

export class Answering {
  private readonly cases = new Map<string, Case>();

  constructor(private readonly options: AnsweringOptions) {}

  /** What the mount is to be read-only for, beside what the tables say; null: nothing. */
  causeOf(volume: string): string | null {
    const known = this.cases.get(volume);
    return known?.stage === 'closing' || known?.stage === 'telling' ? causeOf(known) : null;
  }

  /** @param generation newest one read */
  step(generation: number): void {
    const { view, asking } = this.options;
    for (const [volume, known] of this.cases) {
      const item = view.volumes.get(volume);
      const isCurrent = item?.isWriter === true && item.since === known.since && this.isFirst(item, known);
      if (!isCurrent && known.stage !== 'telling') this.cases.delete(volume);
    }
    for (const item of view.volumes.values()) {
      if (item.isWriter && item.desired === 'rw') this.see(item);
    }
    if (!asking.mayAsk('respond', generation)) return;
    for (const known of this.cases.values()) if (known.stage === 'closing') this.close(known);
  }

  private isFirst(item: VolumeView, { request }: Case): boolean {
    const first = this.options.view.firstRequest(item);
    return first?.client === request.client && first.asked === request.asked;
  }

  private see(item: VolumeView): void {
    const { view, mounts } = this.options;
    const request = view.firstRequest(item);
    if (request === undefined) return;
    const known = this.cases.get(item.volume);
    if (known !== undefined && !(known.stage === 'told' && view.autoRespond)) return;
    // Whoever has just become the writer writes first.
    if (!mounts.isWriting(item.volume, item.since) && !mounts.hasFailed(item.volume)) return;
    const fresh: Case = { request, since: item.since, stage: view.autoRespond ? 'asking' : 'told', message: null };
    this.cases.set(item.volume, fresh);
    if (view.autoRespond) void this.ask(fresh);
    else this.tellPeople(request);
  }

  private tellPeople({ volume, client, message }: PendingRequest): void {
    const { log, hook } = this.options;
    const says = message === null ? '' : `: ${message}`;
    log.warn(
      { volume, from: client },
      `client ${client} asks for volume ${volume}${says} (cfs volume respond ${volume})`,
    );
    hook('write-request', { CFS_VOLUME: volume, CFS_FROM: client, CFS_MESSAGE: message ?? '' });
  }

  private async ask(known: Case): Promise<void> {
    const { volume, client: from, message } = known.request;
    const { grant, message: says } = await this.options.answer.answer({ volume, from, message });
    // Answered, withdrawn or expired meanwhile.
    if (this.cases.get(volume) !== known) return;
    known.message = says;
    this.options.log.info(
      { volume, from },
      `the automatic answer to client ${from} for volume ${volume} is ${grant ? 'yes' : 'no'}`,
    );
    if (grant) known.stage = 'closing';
    else this.tell(known, { grant: false, message: says ?? 'the automatic answer is no' });
    this.options.wake();
  }

  /** Agreed: answers as soon as the mount is read-only, or cannot be made so. */
  private close(known: Case): void {
    const { mounts } = this.options;
    const { volume } = known.request;
    const busy = mounts.busyWith(volume, causeOf(known));
    if (busy !== null) this.tell(known, { grant: false, message: busy });
    else if (mounts.isReadOnly(volume)) this.tell(known, { grant: true, message: known.message });
  }

  private tell(known: Case, answer: { grant: boolean; message: string | null }): void {
    known.stage = 'telling';
    void this.tellCluster(known, answer);
  }

  private async tellCluster(known: Case, answer: { grant: boolean; message: string | null }): Promise<void> {
    const { client: by, asking, givingUp, marks, mounts } = this.options;
    const { volume, client, asked } = known.request;
    const { grant } = answer;
    const told = grant ? givingUp.begin(volume, known.since) : null;
    const modified = grant ? await marks.isModified(volume, known.since) : false;
    const message = oneLine(answer.message, MAX_DESCRIPTION_LENGTH);
    const isFresh = mounts.shownAt(volume) >= known.since;
    const outcome = await asking.ask('respond', {
      volume,
      client,
      asked,
      grant,
      message,
      by,
      readOnly: grant,
      modified,
      isFresh,
    });
    told?.(outcome.kind === 'done' ? outcome : outcome.kind);
    // Whatever came of it: the next generation that is read says what is still to be answered.
    if (this.cases.get(volume) === known) this.cases.delete(volume);
  }
}

function causeOf({ request }: Case): string {
  return `answer ${request.client}@${request.asked}`;
}
