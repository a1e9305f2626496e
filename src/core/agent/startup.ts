/** What an agent does before anything else: makes sure that it is the only agent of its node, and stops what it finds running. */
import { settingOf } from '../model/settings.js';
import type { Platform } from '../platform/platform.js';
import type { SharedDirectoryStore } from '../store/index.js';
import { isSituation, messageOf } from './guard.js';
import type { WorkerOptions } from './options.js';
import type { Former } from './own-lease.js';
import type { Holding, Log } from './ports.js';
import type { Renewals } from './renewals.js';

const PAUSE_MS = 1000;
const LOOKS = 8;

/** What finding another agent of the same name takes: of a node or a client. */
export interface StartupOptions {
  platform: Platform;
  store: SharedDirectoryStore;
  log: Log;
}

/**
 * Whether another agent of this name lives on this very host: what the driver finds running is that one's then, and must not be
 * touched. Where its process is there, its lease is watched for two intervals. Anything that cannot be found out is no answer:
 * what is found is stopped.
 * @param who `node n1`, `client c1`
 * @returns who it is, a sentence; null: nobody
 */
export async function rivalOnThisHost(
  who: string,
  options: StartupOptions,
  renewals: Renewals,
  isEnding: () => boolean,
): Promise<string | null> {
  const { clock } = options.platform;
  try {
    const first = look(renewals);
    if (first === null || !first.isHere) return null;
    const intervalMs = settingOf(options.store.snapshot(), 'lease.interval');
    for (let looks = 0; looks < LOOKS && !isEnding(); looks++) {
      await clock.sleep((2 * intervalMs) / LOOKS);
      const now = look(renewals);
      if (now === null || !now.isHere) return null;
      if (now.lease.seq !== first.lease.seq) return livesElsewhere(who, now);
    }
  } catch (error) {
    if (!isSituation(error)) throw error;
  }
  return null;
}

function livesElsewhere(name: string, { who }: Former): string {
  return `${name} has an agent already, ${who}: it renewed its lease while this one was watching`;
}

/**
 * Stops whatever the driver finds running. Nobody renewed the lease meanwhile, so that others may have taken it over: what is
 * still this node's is started again, by the rules. Tries until it is done; without a lease the others do not wait for it.
 */
export async function stopWhatIsFound(options: WorkerOptions, isEnding: () => boolean): Promise<void> {
  const { driver, supervisor, log, platform } = options;
  let left: Holding[] | null = null;
  let says = '';
  while (left === null || left.length > 0) {
    try {
      if (left === null) {
        left = await driver.running();
        for (const holding of left) supervisor.holds(holding);
        if (left.length > 0) log.warn({ volumes: left.map(({ volume }) => volume) }, 'found running, is stopped first');
      }
      left = await stopAll(options, left);
    } catch (error) {
      const now = `cannot find out what runs here: ${messageOf(error)}`;
      const hint = (error as { hint?: string }).hint;
      if (now !== says) log.error({}, hint === undefined ? now : `${now}. ${hint}`);
      says = now;
    }
    // What runs must be stopped also by an agent that is to end; only the asking may be given up.
    if (left === null && isEnding()) return;
    if (left === null || left.length > 0) await platform.clock.sleep(PAUSE_MS);
  }
}

/** @returns those that could not be stopped */
async function stopAll({ driver, supervisor, log }: WorkerOptions, holdings: readonly Holding[]): Promise<Holding[]> {
  const stopped = await Promise.all(
    holdings.map(async (holding) => {
      try {
        await driver.stop(holding);
      } catch (error) {
        log.error({ ...holding }, `volume ${holding.volume} cannot be stopped: ${messageOf(error)}`);
        return false;
      }
      supervisor.released(holding.volume);
      return true;
    }),
  );
  return holdings.filter((_, i) => !stopped[i]);
}

/**
 * Takes up the lease that an earlier agent of this name left. Where its process is not known to be gone it is watched for two
 * lease intervals: another one that renews it lives, and this one must not. What a former agent on another host may still run
 * (it may only be stopped) is waited for, for the whole time after which it has fenced itself.
 * @param who `node n1`, `client c1`
 * @returns who else is this one, a sentence; null: nobody
 */
export async function checkFormer(
  who: string,
  options: StartupOptions,
  renewals: Renewals,
  isEnding: () => boolean,
): Promise<string | null> {
  const { platform, log } = options;
  const { clock } = platform;
  let first: { former: Former | null; seenMs: number; intervalMs: number; timeoutMs: number } | null = null;
  let says = '';
  for (let looks = 0; !isEnding(); looks++) {
    try {
      const former = look(renewals);
      const snapshot = options.store.snapshot();
      first ??= {
        former,
        seenMs: clock.monotonicMs(),
        intervalMs: settingOf(snapshot, 'lease.interval'),
        timeoutMs: Math.max(settingOf(snapshot, 'lease.timeout'), former?.lease.timeoutMs ?? 0),
      };
      if (former === null || former.isGone) break;
      if (former.lease.seq !== first.former?.lease.seq) {
        return livesElsewhere(who, former);
      }
      if (looks >= LOOKS && clock.monotonicMs() - first.seenMs >= 2 * first.intervalMs) break;
    } catch (error) {
      if (!isSituation(error)) throw error;
      if (messageOf(error) !== says) log.error({}, `cannot look for another agent of ${who}: ${messageOf(error)}`);
      says = messageOf(error);
      first = null;
      looks = -1;
      await clock.sleep(PAUSE_MS);
      continue;
    }
    await clock.sleep((2 * first.intervalMs) / LOOKS);
  }
  const former = first?.former;
  if (first === null || former === undefined || former === null) return null;
  renewals.succeed(
    former.lease.released,
    former.isElsewhere ? first.seenMs + first.timeoutMs : Number.NEGATIVE_INFINITY,
  );
  return null;
}

function look(renewals: Renewals): Former | null {
  renewals.lease.prepare();
  return renewals.lease.former();
}
