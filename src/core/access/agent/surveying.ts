/**
 * Whether the mounts of this host are still what its agent made: people mount and unmount by hand, too. What they made writable is made
 * read-only by force, as what is found at the start; what they took away is mounted again by the tables. Beside the turns, one survey
 * at a time, by the own clock; what the driver worked on meanwhile is left to the next one.
 */
import { messageOf } from '../../agent/guard.js';
import type { Log } from '../../agent/ports.js';
import type { Clock } from '../../platform/clock.js';
import type { MountMode } from '../desired.js';
import { canWrite, type MountState, NOT_MOUNTED } from './mount-plan.js';
import type { MountDriver, RealMount } from './ports.js';

/** What a survey needs of ClientMounts. */
export interface SurveyedMounts {
  stateOf(volume: string): MountState;
  volumes(): Iterable<string>;
  /** Begins to note what the driver works on; what it is working on counts. */
  noteWork(): void;
  /** The driver worked on it since then. */
  wasWorkedOn(volume: string): boolean;
  /** Making less of it was tried, and did not succeed: it is tried again soon, and may be half done. */
  isGiving(volume: string): boolean;
  /** Sets what is mounted to what was found. */
  correct(volume: string, state: MountState): void;
}

export interface SurveyingOptions {
  mounts: SurveyedMounts;
  driver: Pick<MountDriver, 'mounted'>;
  clock: Clock;
  log: Log;
  wake: () => void;
}

interface Finding {
  says: string;
  isError: boolean;
  state: MountState;
}

const LEAST_PAUSE_MS = 2000;

export class Surveying {
  private dueMs: number | null = null;
  private isLooking = false;
  private trouble: string | null = null;
  /** What was found and is not known yet to be as it should be. */
  private readonly found = new Map<string, string>();

  constructor(private readonly options: SurveyingOptions) {}

  /** Begins a survey where one is due: about every max(2 s, interval), at a turn. The first one is due so long after the first step. */
  step(intervalMs: number): void {
    const nowMs = this.options.clock.monotonicMs();
    const pauseMs = Math.max(LEAST_PAUSE_MS, intervalMs);
    this.dueMs ??= nowMs + pauseMs;
    if (this.isLooking || nowMs < this.dueMs) return;
    void this.survey(pauseMs);
  }

  problems(): string[] {
    const says = [...this.found.values()];
    return this.trouble === null ? says : [...says, this.trouble];
  }

  private async survey(pauseMs: number): Promise<void> {
    const { mounts, driver, clock, log, wake } = this.options;
    this.isLooking = true;
    mounts.noteWork();
    try {
      this.compare(await driver.mounted());
      this.trouble = null;
    } catch (error) {
      const says = `cannot find out what is mounted here: ${messageOf(error)}`;
      if (says !== this.trouble) {
        log.error({}, says);
        wake();
      }
      this.trouble = says;
    }
    this.isLooking = false;
    this.dueMs = clock.monotonicMs() + pauseMs;
  }

  private compare(real: readonly RealMount[]): void {
    const { mounts, log, wake } = this.options;
    const modes = new Map<string, MountMode>();
    for (const { volume, mode } of real) if (modes.get(volume) !== 'rw') modes.set(volume, mode);
    for (const volume of new Set([...modes.keys(), ...mounts.volumes(), ...this.found.keys()])) {
      if (mounts.wasWorkedOn(volume)) continue;
      const is = modes.get(volume) ?? 'none';
      const finding = findingOf(mounts.stateOf(volume), is, mounts.isGiving(volume));
      if (finding === null) {
        // What could not be helped yet is still to be seen.
        if (is !== 'rw' || mounts.stateOf(volume).epoch !== 0) this.found.delete(volume);
        continue;
      }
      const says = `volume ${volume} was ${finding.says}`;
      this.found.set(volume, says);
      log[finding.isError ? 'error' : 'warn']({ volume }, says);
      mounts.correct(volume, finding.state);
      wake();
    }
  }
}

/** @returns null: it is as the agent believes, or is seen to already */
function findingOf(believed: MountState, is: MountMode, isGiving: boolean): Finding | null {
  if (is === 'rw') {
    if (canWrite(believed)) return null;
    const says = 'made writable by somebody else, and is made read-only';
    return { says, isError: true, state: { mode: 'rw', epoch: 0 } };
  }
  if (isGiving || believed.mode === 'unknown') return null;
  if (believed.mode === 'rw') {
    const how =
      is === 'none' ? 'unmounted by somebody else' : 'made read-only by somebody else, or by the kernel after an error';
    // Files may be open for writing behind it (a lazy unmount): the driver makes sure before anybody is told that it is read-only.
    return { says: how, isError: true, state: { mode: 'unknown', epoch: believed.epoch } };
  }
  if (believed.mode === 'ro' && is === 'none') {
    return { says: 'unmounted by somebody else', isError: false, state: NOT_MOUNTED };
  }
  return null;
}
