/** Injecting one fault at one call of a command, and being sure that it hit that call. */

import type { App } from './app.js';
import { must } from './app.js';
import type { Victim } from './operations.js';
import { type Call, type Traced, tracedCfs } from './trace.js';

/** A command on a cluster directory `dir` that can be made anew. */
export interface Stage {
  app: App;
  victim: Victim;
  /** Everything under this path is watched; `dir` is in it. */
  root: string;
  dir: string;
  trace: string;
  /** Puts `dir` back to the prepared state. */
  fresh: () => void;
}

/**
 * Node wakes its other threads by writing to descriptors of its own, more or less often, which moves the ordinals of later
 * calls. So where a fault missed, the ordinal is corrected by what was seen, and the run repeated. Whether it was the call
 * meant is always verified.
 */
const TRIES = 60;

export function runVictim(
  { app, victim, root, dir, trace }: Stage,
  inject: readonly string[],
  more: string[] = [],
): Traced {
  const options = { root, file: trace, inject };
  const args = [...victim.args, ...more];
  return tracedCfs(app, dir, args, victim.input === undefined ? options : { ...options, input: victim.input });
}

/** The calls of a run without faults. The directory is left in the new state. @throws Error when it fails */
export function callsOf(stage: Stage, more: string[] = []): Call[] {
  // Each command has a code cache of its own, written by its first whole run: it must be there before calls are counted.
  for (const last of [false, true]) {
    stage.fresh();
    const done = runVictim(stage, [], more);
    if (done.status !== 0) throw new Error(`${stage.victim.name}: exit ${done.status}: ${done.stderr}`);
    if (last) return done.calls;
  }
  return [];
}

/**
 * Runs until the process dies on entry to exactly call `k`.
 * @param others further injections @throws Error when it never does
 */
export function killAt(stage: Stage, calls: readonly Call[], k: number, others: readonly string[] = []): Traced {
  const { name } = calls[k - 1]!;
  const faults = (when: number): string[] => [`${name}:signal=SIGKILL:when=${when}`];
  const fault = (when: number): string[] => [...others, ...faults(when)];
  return hit(stage, calls, k, fault, [], (run, died) => run.signal === 'SIGKILL' && died === run.calls.length - 1);
}

/** Runs until call `k` fails with `errno`. @param onward every later call fails with it too */
export function failAt(
  stage: Stage,
  calls: readonly Call[],
  k: number,
  errno: string,
  onward: boolean,
  more: string[],
): Traced {
  const { name } = calls[k - 1]!;
  const faults = (when: number): string[] => {
    if (!onward) return [`${name}:error=${errno}:when=${when}`];
    return [`${name}:error=${errno}:when=${when}${ONCE_ONLY.has(name) ? '' : '+'}`, ...laterFaults(calls, k, errno)];
  };
  return hit(stage, calls, k, faults, more, (run, at) => run.calls[at]!.line.includes('(INJECTED)'));
}

/** Messages go out by `write`, and node wakes up by `read`: of these only call `k` itself fails. */
const ONCE_ONLY = new Set(['read', 'write']);

function laterFaults(calls: readonly Call[], k: number, errno: string): string[] {
  const first = new Map<string, string>();
  for (const call of calls.slice(k)) {
    if (call.name === calls[k - 1]!.name || first.has(call.name) || ONCE_ONLY.has(call.name)) continue;
    first.set(call.name, `${call.name}:error=${errno}:when=${call.ordinal}+`);
  }
  return [...first.values()];
}

function hit(
  stage: Stage,
  calls: readonly Call[],
  k: number,
  faults: (when: number) => string[],
  more: string[],
  isHit: (run: Traced, at: number) => boolean,
): Traced {
  const { shape } = calls[k - 1]!;
  // The same call of another run: the lock is given back at a turn of the event loop, sooner or later among the others.
  const nth = calls.slice(0, k).filter((call) => call.shape === shape).length;
  let when = calls[k - 1]!.ordinal;
  for (let tries = 0; tries < TRIES; tries++) {
    stage.fresh();
    const run = runVictim(stage, faults(when), more);
    let seen = 0;
    const at = run.calls.findIndex((call) => call.shape === shape && ++seen === nth);
    if (at >= 0 && isHit(run, at)) return run;
    // Struck before it came to the call; or after, and then its ordinal is known.
    when = at < 0 ? when + 1 : run.calls[at]!.ordinal;
    if (tries % 10 === 9) when = calls[k - 1]!.ordinal;
  }
  throw new Error(`the fault did not hit call ${k} (${shape}) in ${TRIES} runs`);
}

/** Puts a copy of `prepared` (null: nothing) in the place of `dir`. */
export function copyPrepared(prepared: string | null, dir: string): void {
  must(['rm', '-rf', dir]);
  if (prepared !== null) must(['cp', '-a', prepared, dir]);
}
