/** `--wait DURATION`: after the commit, until every online agent has applied it; progress on terminals, and how it ended. */
import { CfsError } from '../core/errors.js';
import { leasesOf } from '../core/membership/agents.js';
import { type WaitedNode, type WaitLook, waitForAgents } from '../core/membership/wait.js';
import { formatDuration } from '../core/model/units.js';
import type { DirectoryCluster } from '../open.js';
import { escapeText, plural } from '../render/format.js';
import { isTerminal, STDERR, writeErr } from '../render/output.js';
import { resting } from './resting.js';

/** The member `wait` of a change's JSON. */
export interface WaitReport {
  [member: string]: unknown;
  converged: boolean;
  /** The generation that was waited for in the end: that of the change, or a later one that failed a node. */
  generation: number;
  waitedMs: number;
  nodes: { node: string; state: string; released: number | null; applied: number | null; quietMs: number }[];
  /** Clients whose mounts the change concerns and that have an agent; absent where there are none. */
  clients?: { client: string; released: number | null; applied: number | null; givesUp: string[] }[];
}

/** Waiting nodes that are named; a hundred would fill the screen. */
const NAMED = 5;

/** Waits; shows progress on a terminal unless `isQuiet`. @throws what reading the directory throws */
export async function waitAfterChange(
  cluster: DirectoryCluster,
  generation: number,
  timeoutMs: number,
  isQuiet: boolean,
): Promise<WaitLook> {
  const { platform, paths } = cluster.store.place;
  const isLive = isTerminal(STDERR) && !isQuiet;
  let shown = '';
  const rest = resting(paths.leases);
  try {
    return await waitForAgents({
      snapshot: () => cluster.snapshot(),
      leases: () => leasesOf(platform, paths.leases),
      clock: platform.clock,
      pause: rest.pause,
      generation,
      timeoutMs,
      onLook: (look) => {
        const text = progressText(look);
        if (!isLive || text === shown || look.isConverged) return;
        shown = text;
        writeErr(`\r${text.slice(0, 79)}\u001b[K`);
      },
    });
  } finally {
    rest.end();
    if (shown !== '') writeErr('\r\u001b[K');
  }
}

/** `n2 (released 16)`, `n4 (applied 12)`, `n5 (quiet for 11 s)`. */
function waitingText({ node, isLapsed, quietMs, released, generation }: WaitedNode, target: number): string {
  const how = isLapsed
    ? `quiet for ${Math.round(quietMs / 1000)} s`
    : (released ?? 0) >= target
      ? 'starting'
      : `released ${released ?? '-'}, applied ${generation ?? '-'}`;
  return `${node} (${how})`;
}

function waitingFor(look: WaitLook): string {
  const waiting = look.nodes.filter((node) => node.isAwaited);
  const named = waiting.slice(0, NAMED).map((node) => waitingText(node, look.generation));
  if (waiting.length > NAMED) named.push(`${waiting.length - NAMED} more`);
  return escapeText(named.join(', '));
}

/** `3 of 5 nodes have applied generation 17; waiting for n2 (released 16, applied 16), n4 (starting)`. */
export function progressText(look: WaitLook): string {
  const done = look.nodes.filter((node) => !node.isAwaited).length;
  return `${done} of ${plural(look.nodes.length, 'node')} ${done === 1 ? 'has' : 'have'} applied generation ${look.generation}; waiting for ${waitingFor(look)}`;
}

/** The last line of a wait that succeeded. */
export function convergedText(look: WaitLook): string {
  if (look.nodes.length === 0) return 'No agent runs: nothing to wait for.';
  const whose = look.nodes.length === 1 ? 'The one agent has' : `All ${look.nodes.length} agents have`;
  return `${whose} applied generation ${look.generation}, after ${(look.waitedMs / 1000).toFixed(1)} s.`;
}

/** @param committed whether the command made the generation itself */
export function waitTimeout(look: WaitLook, committed: number | null, timeoutMs: number): CfsError {
  const late = look.nodes.filter((node) => node.isAwaited);
  const stands = committed === null ? 'Nothing was to be changed' : `Generation ${committed} is committed`;
  return new CfsError(
    'WAIT_TIMEOUT',
    `${stands}, but after ${formatDuration(timeoutMs)} ${late.length} of ${plural(look.nodes.length, 'node')} ${late.length === 1 ? 'has' : 'have'} not applied ` +
      `generation ${look.generation}: ${waitingFor(look)}`,
    {
      hint: 'The agents go on by themselves. See what keeps them with: cfs node show NODE',
      details: {
        generation: look.generation,
        committed,
        nodes: reportOf(look).nodes.filter((_, i) => look.nodes[i]!.isAwaited),
      },
    },
  );
}

export function reportOf(look: WaitLook): WaitReport {
  return {
    converged: look.isConverged,
    generation: look.generation,
    waitedMs: look.waitedMs,
    nodes: look.nodes.map(({ node, state, isLapsed, isAwaited, released, generation, quietMs }) => ({
      node,
      state: isLapsed && isAwaited ? 'lapsed' : state,
      released,
      applied: generation,
      quietMs,
    })),
  };
}
