import { CfsCommand, Flags } from '../../cli/command.js';
import { readMailbox } from '../../core/mail/list.js';
import type { MailMessage } from '../../core/mail/message.js';
import { removeMail } from '../../core/mail/place.js';
import { textOf } from '../../core/mail/to-hooks.js';
import { requireNode } from '../../core/model/find.js';
import { escapeText, plural } from '../../render/format.js';

export default class MailRead extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Print the messages to a node and take them out.';
  static override description =
    'For nodes without an agent: prints what lies in the mailbox of this node (--node, else CFS_NODE, the configuration file or ' +
    'the name of the host), oldest first, and then removes it. What was printed and not removed is printed again the ' +
    'next time. Damaged files stay; cfs mail list shows them. Beside an agent use --peek: the agent takes its mail out itself.';
  static override examples = [
    { description: 'Read and remove the mail of n1', command: 'cfs mail read --node n1' },
    { description: 'Look only', command: 'cfs mail read --node n1 --peek' },
  ];
  static override flags = { peek: Flags.boolean({ summary: 'Print and take nothing out.' }) };

  async run() {
    const { flags } = await this.parse(MailRead);
    const cluster = await this.cluster();
    const node = requireNode(cluster.snapshot(), this.nodeName());
    const { place } = cluster.store;
    const messages = readMailbox(place, node).flatMap(({ message }) => (message === null ? [] : [message]));
    if (this.jsonEnabled()) super.logJson(this.toSuccessJson({ node, messages, removed: !flags.peek }));
    else if (messages.length === 0) this.note(`No mail for ${node}.`);
    else for (const message of messages) this.print(lineOf(message));
    // Only what is out may go: a message is printed at least once.
    if (!flags.peek) for (const { id } of messages) removeMail(place, node, id);
    if (flags.peek && messages.length > 0) this.note(`${plural(messages.length, 'message')} left there.`);
    return { node, messages, removed: !flags.peek };
  }

  /** Printed before anything was removed. */
  protected override logJson(): void {}
}

function lineOf({ id, from, kind, sent, body }: MailMessage): string {
  const text = textOf(body) ?? JSON.stringify(body);
  return escapeText(`${sent.replace('T', ' ').slice(0, 19)} ${from} ${kind} ${id}: ${text}`);
}
