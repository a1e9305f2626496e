/**
 * `cfs volume mount --reconcile`: what is mounted on this host is brought to what the tables say, whoever died between a commit and a
 * mount. The safe direction first: everything that is more than the tables allow becomes less, rights that were to be given up pass on, and
 * only then is anything mounted that is missing.
 */
import { givenUp } from '../core/access/answers.js';
import { desiredMode, type MountMode, mustGiveUp } from '../core/access/desired.js';
import { isLoggedOn, volumesMountedBy, volumesWrittenBy, writerOf } from '../core/access/look.js';
import { CfsError } from '../core/errors.js';
import { naturalCompare, quoteName } from '../core/model/names.js';
import type { Operation } from '../core/operation.js';
import type { Snapshot } from '../core/store/store.js';
import type { ClientHost } from './client-host.js';
import { exclusively, HostMounts, isMore, type MountStep } from './host-mounts.js';
import { drivenHost, type MountParts, markingHost } from './mount-change.js';

export interface Difference {
  volume: string;
  from: MountMode;
  to: MountMode;
}

export interface Reconciled {
  /** What differed, as it was found. */
  differences: Difference[];
  /** What was done, in order. */
  steps: MountStep[];
  /** Volumes of which the client has given up the right to write, with who writes now. */
  passedOn: { volume: string; writer: string | null }[];
  /** What could not be done, a sentence each, the first one's error. */
  problems: string[];
  error: CfsError | null;
  generation: number;
  committed: boolean;
}

/** @throws CfsError AGENT_RUNNING, what the driver says of its mounts, what a commit throws */
export async function reconcile(parts: MountParts, host: ClientHost): Promise<Reconciled> {
  const { client } = host;
  if (host.hasAgent) {
    throw new CfsError(
      'AGENT_RUNNING',
      `Client ${quoteName(client)} has an agent, which keeps its mounts as the tables say`,
      {
        hint: 'See what it does, on its host: cfs agentd status',
        details: { client },
      },
    );
  }
  if (host.elsewhere !== null) {
    throw new CfsError(
      'NOT_MOUNTED',
      `Client ${quoteName(client)} has its mounts on host ${quoteName(host.elsewhere)}`,
      {
        hint: `Run this there. If that host is off for certain: cfs client logoff ${client} --fenced`,
        details: { client, host: host.elsewhere },
      },
    );
  }
  if (drivenHost([host]) === undefined) return passOnOnly(parts, client);
  return exclusively(parts.cluster, host, () => reconcileMounts(parts, host));
}

/** Where nothing is mounted by cfs, only the tables can be put right. */
async function passOnOnly(parts: MountParts, client: string): Promise<Reconciled> {
  const snapshot = parts.cluster.snapshot();
  const volumes = volumesWrittenBy(snapshot, client).filter((volume) => mustGiveUp(snapshot, volume, client));
  const result = nothing(snapshot);
  await passOn(
    parts,
    client,
    result,
    volumes.map((volume) => ({ volume, problem: null })),
    snapshot,
  );
  return result;
}

function nothing({ generation }: Snapshot): Reconciled {
  return { differences: [], steps: [], passedOn: [], problems: [], error: null, generation, committed: false };
}

async function reconcileMounts(parts: MountParts, host: ClientHost): Promise<Reconciled> {
  const { cluster, force, isDryRun } = parts;
  const { client } = host;
  const before = cluster.snapshot();
  const result = nothing(before);
  const mounts = new HostMounts(host, force);
  await mounts.look();
  const volumes = concerned(before, client, mounts);
  result.differences = volumes
    .map((volume) => ({ volume, from: mounts.modeOf(volume), to: desiredMode(before, volume, client) }))
    .filter(({ from, to }) => from !== to);
  const bring = async (volume: string, snapshot: Snapshot): Promise<string | null> => {
    try {
      await mounts.follow(volume, snapshot);
      return null;
    } catch (error) {
      if (!(error instanceof CfsError)) throw error;
      result.error ??= error;
      result.problems.push(`${volume}: ${error.message}`);
      return error.message;
    }
  };
  const givesUp = volumes.filter((volume) => mustGiveUp(before, volume, client));
  if (isDryRun) {
    await passOn(
      parts,
      client,
      result,
      givesUp.map((volume) => ({ volume, problem: null })),
      before,
    );
    return result;
  }
  const failed = new Map<string, string>();
  // Mounts for writing before anything else.
  const tooMuch = result.differences.filter(({ from, to }) => isMore(from, to));
  tooMuch.sort((a, b) => Number(b.from === 'rw') - Number(a.from === 'rw'));
  for (const { volume } of tooMuch) {
    const problem = await bring(volume, before);
    if (problem !== null) failed.set(volume, problem);
  }
  const told = givesUp.map((volume) => ({
    volume,
    problem: mounts.modeOf(volume) === 'rw' ? (failed.get(volume) ?? 'it is still mounted for writing') : null,
  }));
  await passOn(parts, client, result, told, before);
  if (isLoggedOn(before, client) && volumes.length > 0) {
    const outcome = await parts.change(markingHost(parts, host, NOTE), null);
    result.generation = outcome.generation;
    result.committed ||= outcome.committed;
  }
  const after = cluster.snapshot();
  for (const volume of concerned(after, client, mounts)) {
    if (isMore(desiredMode(after, volume, client), mounts.modeOf(volume))) await bring(volume, after);
  }
  result.steps = mounts.steps;
  return result;
}

/** Changes nothing itself: that this host mounts is noted before it does. */
const NOTE: Operation<null, void> = { name: 'volume.reconcile', run: () => {} };

function concerned(snapshot: Snapshot, client: string, mounts: HostMounts): string[] {
  const volumes = new Set([
    ...mounts.mounted().map(([volume]) => volume),
    ...volumesMountedBy(snapshot, client),
    ...volumesWrittenBy(snapshot, client),
  ]);
  return [...volumes].sort(naturalCompare);
}

async function passOn(
  { change }: MountParts,
  client: string,
  result: Reconciled,
  volumes: readonly { volume: string; problem: string | null }[],
  snapshot: Snapshot,
): Promise<void> {
  if (volumes.length === 0) return;
  const outcome = await change(givenUp, {
    client,
    // Without an agent nobody knows what was written.
    volumes: volumes.map(({ volume, problem }) => ({
      volume,
      problem,
      since: writerOf(snapshot, volume).since,
      modified: problem === null,
    })),
  });
  result.generation = outcome.generation;
  result.committed = outcome.committed;
  for (const { volume, writer, answer } of outcome.value.volumes) {
    if (answer === 'passed on') result.passedOn.push({ volume, writer });
  }
}
