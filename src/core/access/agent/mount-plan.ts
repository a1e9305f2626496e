/**
 * From what is mounted to what should be, as steps in the safe order: what is more than wished comes first, so that nothing is taken
 * before everything that must be given up was begun. Pure; the agent's start, its turns and `--reconcile` go by it.
 *
 *   1 give      mounted for writing (or nobody knows), and should not be, or by another right: read-only, or gone
 *   2 unmount   mounted read-only, and should not be
 *   3 mount     not mounted, and should be read-only
 *   4 take      not mounted for writing, and should be
 */
import type { MountMode } from '../desired.js';

/** What is mounted. */
export interface MountState {
  /** `unknown`: a call failed half-way, and it may be mounted for writing. */
  mode: MountMode | 'unknown';
  /** Of a mount that is, or may be, for writing: the epoch (WriterRecord.since) that it was made by; 0: by somebody else. */
  epoch: number | null;
}

/** What should be mounted. */
export interface MountWish {
  mode: MountMode;
  /** WriterRecord.since; matters for `rw`. */
  epoch: number;
  /** The tables name this client as the writer: nobody else writes yet. */
  isWriter: boolean;
  /** Programs that keep the mount busy are ended. */
  force: boolean;
}

export type StepKind = 'give' | 'unmount' | 'mount' | 'take';

export interface MountStep {
  volume: string;
  kind: StepKind;
  /** What is mounted after it. */
  to: MountMode;
  epoch: number;
  force: boolean;
}

export const NOT_MOUNTED: MountState = { mode: 'none', epoch: null };
const ORDER: readonly StepKind[] = ['give', 'unmount', 'mount', 'take'];

/** The next step of each volume that differs. What is in neither map, or in `real` alone, should not be mounted. */
export function mountPlan(real: ReadonlyMap<string, MountState>, wished: ReadonlyMap<string, MountWish>): MountStep[] {
  const steps: MountStep[] = [];
  const add = (volume: string, state: MountState, wish: MountWish | undefined): void => {
    const step = nextStep(volume, state, wish);
    if (step !== null) steps.push(step);
  };
  for (const [volume, state] of real) add(volume, state, wished.get(volume));
  for (const [volume, wish] of wished) if (!real.has(volume)) add(volume, NOT_MOUNTED, wish);
  return ORDER.flatMap((kind) => steps.filter((step) => step.kind === kind));
}

/** Null: it is as it should be. */
export function nextStep(volume: string, state: MountState, wish: MountWish | undefined): MountStep | null {
  const mode = wish?.mode ?? 'none';
  const epoch = wish?.epoch ?? 0;
  const step = (kind: StepKind, to: MountMode, force: boolean): MountStep => ({ volume, kind, to, epoch, force });
  if (canWrite(state)) {
    if (state.mode === 'rw' && mode === 'rw' && state.epoch === epoch) return null;
    // Where another one may write already, nothing of this host must, whoever has files open.
    const isOther = state.epoch === 0 || (mode === 'rw' && state.epoch !== epoch);
    const force = wish?.isWriter !== true || wish.force || isOther;
    return step('give', mode === 'rw' ? 'ro' : mode, force);
  }
  if (mode === 'rw') return step('take', 'rw', false);
  if (state.mode === mode) return null;
  return mode === 'none' ? step('unmount', 'none', wish?.force ?? false) : step('mount', 'ro', false);
}

/** Whether programs of this host may be able to write to it. */
export function canWrite({ mode }: MountState): boolean {
  return mode === 'rw' || mode === 'unknown';
}
