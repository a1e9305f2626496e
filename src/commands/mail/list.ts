import { CfsCommand, type Column, optionalNameArg, usage } from '../../cli/command.js';
import { type MailItem, readMailbox } from '../../core/mail/list.js';
import { listMailboxes } from '../../core/mail/place.js';
import { textOf } from '../../core/mail/to-hooks.js';
import { naturalCompare, parseName } from '../../core/model/names.js';
import { formatDuration } from '../../core/model/units.js';
import { escapeText } from '../../render/format.js';

const COLUMNS: Column<MailItem>[] = [
  { key: 'id', value: (m) => m.file },
  { key: 'to', value: (m) => m.node },
  { key: 'from', value: (m) => m.message?.from ?? null },
  { key: 'kind', value: (m) => m.message?.kind ?? null },
  {
    key: 'sent',
    value: (m) => m.message?.sent ?? null,
    text: (m) => m.message?.sent.replace('T', ' ').slice(0, 19) ?? '-',
  },
  {
    key: 'ttlMs',
    title: 'TTL',
    value: (m) => m.message?.ttlMs ?? null,
    text: (m) => (m.message === null ? '-' : formatDuration(m.message.ttlMs)),
    align: 'right',
    wide: true,
  },
  { key: 'body', value: (m) => m.message?.body ?? null, text: (m) => m.problem ?? bodyText(m.message?.body) },
  { key: 'problem', value: (m) => m.problem, wide: true },
];

/** The words of a note, else the JSON. */
function bodyText(body: unknown): string {
  const text = escapeText(textOf(body) ?? JSON.stringify(body));
  return text.length > 200 ? `${text.slice(0, 199)}…` : text;
}

export default class MailList extends CfsCommand {
  static override kind = 'list' as const;
  static override summary = 'List messages that wait in mailboxes.';
  static override description =
    'Messages in the mailbox of a node, or of all nodes, oldest first: identifier, recipient, sender, kind, time of sending ' +
    '(UTC, by the sender), and what it holds. Files that are damaged or no messages are listed with the reason. Takes nothing out.';
  static override examples = [
    { description: 'Everything that waits', command: 'cfs mail list' },
    { description: 'How many notes wait for n1', command: 'cfs mail list n1 --filter kind=note -o name | wc -l' },
  ];
  static override args = { node: optionalNameArg('node') };

  async run() {
    const { args, flags } = await this.parse(MailList);
    if (flags.at !== undefined) usage('Mail has no generations: --at means nothing here', 'Leave --at away.');
    const { place } = (await this.cluster()).store;
    const nodes = args.node === undefined ? listMailboxes(place).sort(naturalCompare) : [parseName('node', args.node)];
    return this.list(
      'messages',
      COLUMNS,
      nodes.flatMap((node) => readMailbox(place, node)),
    );
  }
}
