import { CfsCommand, type Column, Flags, nameOf, optionalNameArg } from '../../cli/command.js';
import { type RequestRow, requestRows } from '../../core/access/request-rows.js';
import { endRequests } from '../../core/access/requests.js';
import { CfsError } from '../../core/errors.js';
import { frozenReason } from '../../core/membership/reasons.js';
import { requireClient, requireVolume } from '../../core/model/find.js';
import { formatDuration } from '../../core/model/units.js';
import type { Snapshot } from '../../core/store/store.js';
import { escapeText, plural } from '../../render/format.js';

const COLUMNS: Column<RequestRow>[] = [
  { key: 'volume', value: (r) => r.volume },
  { key: 'from', value: (r) => r.from },
  { key: 'writer', value: (r) => r.writer },
  { key: 'place', value: (r) => r.place, align: 'right' },
  { key: 'waitsMs', title: 'WAITS', value: (r) => r.waitsMs, text: (r) => ageText(r.waitsMs), align: 'right' },
  { key: 'asked', value: (r) => r.askedAt, text: (r) => r.askedAt.replace('T', ' ').slice(0, 19), wide: true },
  { key: 'generation', value: (r) => r.asked, align: 'right', wide: true },
  { key: 'limitMs', title: 'LIMIT', value: (r) => r.limitMs, text: (r) => formatDuration(r.limitMs), wide: true },
  { key: 'message', value: (r) => r.message, text: (r) => escapeText(r.message ?? '-') },
  { key: 'response', value: (r) => r.response },
  { key: 'answer', value: (r) => r.answer, text: (r) => escapeText(r.answer ?? '-') },
];

function ageText(ms: number | null): string {
  return ms === null ? '-' : ms < 10_000 ? `${(ms / 1000).toFixed(1)}s` : formatDuration(Math.round(ms / 1000) * 1000);
}

interface Choice {
  to?: string | undefined;
  from?: string | undefined;
  all: boolean;
}

export default class VolumeRequests extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'List requests for the right to write.';
  static override description =
    'Those that wait for an answer, by volume in the order of asking: who asks, the writer who is asked, the place in the queue, how long ' +
    "by this host's clock, the message. With --all also the newest request of each client and volume that was answered, has expired or " +
    'was withdrawn. With --expire, for cron where no agents run: first ends those that have waited longer than their limit, by this ' +
    "host's clock; in a frozen cluster that ends with 4.";
  static override examples = [
    { description: 'Who waits for what', command: 'cfs volume requests' },
    { description: 'What c1 is asked for, and what became of it', command: 'cfs volume requests --to c1 --all' },
    { description: 'By cron: what nobody answers does not wait for ever', command: 'cfs volume requests --expire' },
  ];
  static override args = { volume: optionalNameArg('volume') };
  static override flags = {
    to: Flags.string({ ...nameOf('client'), summary: 'Only those that ask this writer.' }),
    from: Flags.string({ ...nameOf('client'), summary: 'Only those of this client.' }),
    all: Flags.boolean({ summary: 'Also those that have their answer.' }),
    expire: Flags.boolean({ summary: 'End those that have waited longer than their limit.', exclusive: ['at'] }),
  };

  async run() {
    const { args, flags } = await this.parse(VolumeRequests);
    const expired = flags.expire ? await this.expire(args.volume, flags) : null;
    const snapshot = await this.snapshot();
    const rows = chosen(snapshot, args.volume, flags);
    const { generation } = snapshot;
    return this.list('requests', COLUMNS, rows, { generation, ...(expired === null ? {} : { expired }) });
  }

  private async expire(volume: string | undefined, flags: Choice): Promise<string[]> {
    const snapshot = await this.snapshot();
    const frozen = frozenReason(snapshot, Date.now());
    if (frozen !== null) {
      throw new CfsError('CLUSTER_FROZEN', `No request expires: ${frozen}`, {
        hint: 'End it with cfs cluster unfreeze, or answer: cfs volume respond.',
      });
    }
    const late = chosen(snapshot, volume, { ...flags, all: false }).filter((row) => (row.waitsMs ?? 0) > row.limitMs);
    if (late.length === 0) return [];
    const { value } = await this.change(endRequests, {
      response: 'expired',
      requests: late.map((row) => ({
        volume: row.volume,
        client: row.from,
        asked: row.asked,
        why: `nobody answered within ${formatDuration(row.limitMs)}`,
      })),
    });
    this.note(`${plural(value.ended.length, 'request')} expired.`);
    return value.ended;
  }
}

/** @throws CfsError VOLUME_NOT_FOUND, CLIENT_NOT_FOUND */
function chosen(snapshot: Snapshot, volume: string | undefined, { to, from, all }: Choice): RequestRow[] {
  const only = {
    volume: volume === undefined ? null : requireVolume(snapshot, volume),
    to: to === undefined ? null : requireClient(snapshot, to),
    from: from === undefined ? null : requireClient(snapshot, from),
  };
  return requestRows(snapshot, Date.now()).filter(
    (row) =>
      (all || row.response === 'pending') &&
      (only.volume === null || row.volume === only.volume) &&
      (only.to === null || row.writer === only.to) &&
      (only.from === null || row.from === only.from),
  );
}
