import { CfsCommand, durationFlag, Flags, nameOf, wholeFlag } from '../cli/command.js';
import { changesAccess } from '../core/access/changes.js';
import { CfsError } from '../core/errors.js';
import { changesStanding } from '../core/membership/changes.js';
import type { GenerationInfo } from '../core/store/store.js';
import { type WatchItem, watchStore } from '../core/store/watch.js';
import { watchHint } from '../node/watch-hint.js';
import type { DirectoryCluster } from '../open.js';
import { accessLinesOf } from '../render/access-changes.js';
import { countsText } from '../render/changes.js';
import { escapeText } from '../render/format.js';
import { membershipOf, membershipText } from '../render/membership.js';
import { writeOut } from '../render/output.js';

/** A generation that changed more records is told without them: cfs diff lists them. */
const MOST_CHANGES = 1000;

export default class Watch extends CfsCommand {
  static override kind = 'local' as const;
  static override summary = 'Print a line for every committed generation, as it comes.';
  static override description =
    'One line of JSON per generation, in order, from now or from generation G: number, transaction, time, operation, who, ' +
    `and the changed records (null where there are more than ${MOST_CHANGES}: cfs diff lists them). A line {"resync":…} says that ` +
    'generations were collected before they could be told: read the tables anew. A line {"alarm":…} says that the ' +
    "database went back or is damaged. With --text, a change of a node's state is told with its cause and the number of volumes " +
    "that moved, and so are changes of clients, rights, writers and requests; --membership leaves out every generation that changed no node's state, hold-down or fencing, --access every one that changed nothing of clients. Ends with Ctrl-C, or after --count lines, or when --for has passed.";
  static override examples = [
    { description: 'Tell everything from generation 1 on', command: 'cfs watch --from 1' },
    { description: 'Follow which nodes join and fail, and why', command: 'cfs watch --text --membership --from 1' },
    { description: 'Follow who writes what', command: 'cfs watch --text --access --from 1' },
    { description: 'Wait for the next change, at most an hour', command: 'cfs watch --count 1 --for 1h' },
  ];
  static override flags = {
    from: wholeFlag({ summary: 'Begin with generation G.', ...nameOf('generation'), helpValue: 'G' }),
    count: wholeFlag({ summary: 'End after so many lines.' }),
    for: durationFlag({ summary: 'End after so long.' }),
    interval: durationFlag({ summary: 'How often to look where the file system does not tell.', default: 1000 }),
    text: Flags.boolean({ summary: 'Lines for people instead of JSON.' }),
    membership: Flags.boolean({ summary: 'Only generations that changed how a node stands.' }),
    access: Flags.boolean({
      summary: 'Only generations that changed clients, their rights or mounts, writers or requests.',
    }),
  };

  async run() {
    const { flags } = await this.parse(Watch);
    const cluster = await this.cluster();
    const { generation } = cluster.store.info();
    if (flags.from !== undefined && (flags.from < 1 || flags.from > generation + 1)) {
      throw new CfsError(
        'GENERATION_NOT_FOUND',
        `Generation ${flags.from} cannot be the next: the newest is ${generation}`,
        {
          hint: `Begin with --from ${generation + 1}. If you have seen a later one, the directory was set back: read the tables anew.`,
          details: { from: flags.from, newest: generation },
        },
      );
    }
    const end = new AbortController();
    const timer = flags.for === undefined ? undefined : setTimeout(() => end.abort(), flags.for);
    let lines = 0;
    const items = watchStore(cluster.store, {
      intervalMs: flags.interval,
      signal: end.signal,
      hint: watchHint,
      ...(flags.from === undefined ? {} : { from: flags.from }),
    });
    for await (const item of items) {
      if (item.kind === 'generation' && !isWished(item.info, flags)) continue;
      writeOut(`${flags.text ? textOf(cluster, item) : JSON.stringify(lineOf(cluster, item))}\n`);
      lines++;
      if (lines === flags.count) end.abort();
    }
    clearTimeout(timer);
    return { lines };
  }

  /** The lines are the output, under --json too. */
  protected override logJson(): void {}
}

function isWished(
  { counts }: GenerationInfo,
  { membership, access }: { membership: boolean; access: boolean },
): boolean {
  if (!membership && !access) return true;
  return (membership && changesStanding(counts)) || (access && changesAccess(counts));
}

function lineOf({ store }: DirectoryCluster, item: WatchItem): unknown {
  if (item.kind === 'resync') return { resync: { from: item.from, to: item.to } };
  if (item.kind === 'alarm') return { alarm: item.message, generation: item.generation };
  const { info } = item;
  const changed = Object.values(info.counts).reduce((sum, n) => sum + n, 0);
  return { ...info, changes: changed > MOST_CHANGES ? null : store.changesOf(info.generation) };
}

function textOf(cluster: DirectoryCluster, item: WatchItem): string {
  if (item.kind === 'resync') return `generations ${item.from} to ${item.to} are not kept any more`;
  if (item.kind === 'alarm') return `ALARM: ${escapeText(item.message)}`;
  const { generation, time, operation, actor, message } = item.info;
  const why = message === null ? '' : ` (${message})`;
  const what = happenedText(cluster, item.info);
  return escapeText(`${generation} ${time} ${actor.user}@${actor.host} ${operation}: ${what}${why}`);
}

/** What happened to nodes, clients and writers; the counts alone where that cannot be read any more, or was something else. */
function happenedText({ store }: DirectoryCluster, { generation, counts }: GenerationInfo): string {
  try {
    const standing = changesStanding(counts) ? [membershipText(membershipOf(store, generation, true))] : [];
    const access = changesAccess(counts) ? accessLinesOf(store, generation) : [];
    const told = [...standing, ...access].join('; ');
    return told === '' ? countsText(counts) : told;
  } catch (error) {
    if (error instanceof CfsError) return countsText(counts);
    throw error;
  }
}
