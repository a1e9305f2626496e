import { CfsCommand, durationFlag, Flags, nameArg, usage } from '../../cli/command.js';
import { defined } from '../../cli/defined.js';
import { Args } from '../../cli/oclif.js';
import { CfsError } from '../../core/errors.js';
import { isMessageId, MAX_TTL_MS, MIN_TTL_MS } from '../../core/mail/message.js';
import { sendMail } from '../../core/mail/send.js';
import { requireNode } from '../../core/model/find.js';
import { formatDuration } from '../../core/model/units.js';

export default class MailSend extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Send a message to a node.';
  static override description =
    'Puts a message into the mailbox of a node in the cluster directory; it is on disk when the command returns. The agent of ' +
    'the node takes it out, logs it and runs its hook mail. A message is handled at least once, is kept no longer than --ttl, ' +
    'and may be sent again under its --id without being handled twice. A full mailbox refuses (exit 6); nothing makes a generation.';
  static override examples = [
    { description: 'Tell the administrator of a node', command: 'cfs mail send n1 "the disks are swapped at noon"' },
    {
      description: 'Something for the hook of that node to act on, for half a minute',
      command: `cfs mail send n2 --kind flush --body '{"cache":"names"}' --ttl 30s`,
    },
  ];
  static override args = {
    node: nameArg('node', { description: 'the node that it is for' }),
    text: Args.string({ description: 'what to say', ignoreStdin: true, required: false }),
  };
  static override flags = {
    kind: Flags.string({ summary: 'What it is, a word such as note.', helpValue: 'KIND', default: 'note' }),
    body: Flags.string({ summary: 'What it holds, as JSON, in the place of a text.', helpValue: 'JSON' }),
    ttl: durationFlag({ summary: 'How long it may still be of use.', default: 600_000 }),
    id: Flags.string({ summary: 'Its identifier: 32 hexadecimal digits (default: a new one).', helpValue: 'ID' }),
  };

  async run() {
    const { args, flags } = await this.parse(MailSend);
    if ((args.text === undefined) === (flags.body === undefined)) {
      usage('Give either a text or --body', 'For example: cfs mail send n1 "the disks are swapped at noon"');
    }
    if (flags.id !== undefined && !isMessageId(flags.id)) {
      usage(`"${flags.id.slice(0, 40)}" is no identifier of a message`, 'It has 32 hexadecimal digits in lower case.');
    }
    if (flags.ttl < MIN_TTL_MS || flags.ttl > MAX_TTL_MS) {
      const range = `${formatDuration(MIN_TTL_MS)} to ${formatDuration(MAX_TTL_MS)}`;
      throw new CfsError('BAD_VALUE', `--ttl cannot be ${formatDuration(flags.ttl)}: it is from ${range}`);
    }
    const body = flags.body === undefined ? { text: args.text } : parseBody(flags.body);
    const cluster = await this.cluster();
    const to = requireNode(cluster.snapshot(), args.node);
    const from = this.nodeName();
    const request = { from, to, kind: flags.kind, body, ttlMs: flags.ttl, ...defined({ id: flags.id }) };
    const { message, isNew } = sendMail(cluster.store.place, request);
    this.print(
      isNew ? `Message ${message.id} sent to ${to}.` : `Message ${message.id} lies in the mailbox of ${to} already.`,
    );
    return { ...message, isNew };
  }
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CfsError('BAD_VALUE', `--body is not JSON: ${(error as Error).message}`, {
      hint: `For example: --body '{"volume":"v1"}'`,
    });
  }
}
