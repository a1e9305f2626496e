/** What should be mounted here: what the tables say, less what is being given away or ended. */
import { pairName } from '../pair.js';
import type { Answering } from './answering.js';
import type { ClientMounts, Wish } from './client-mounts.js';
import type { ClientView, VolumeView } from './client-view.js';
import type { Ending } from './ending.js';

export interface WishOptions {
  view: ClientView;
  mounts: ClientMounts;
  answering: Answering;
  ending: Ending;
}

export function wishesOf(options: WishOptions): Map<string, Wish> {
  const { view, mounts, answering, ending } = options;
  const wishes = new Map<string, Wish>();
  for (const item of view.volumes.values()) {
    const { volume, since: epoch, isWriter, softwareLock, yields, desired } = item;
    const isAnswered = desired === 'rw' && answering.causeOf(volume) !== null;
    const told = isAnswered
      ? ({ mode: 'ro', force: false } as const)
      : { mode: desired, force: yields?.force ?? false };
    const mode = ending.isUnderWay ? ending.wish(volume) : told;
    wishes.set(volume, { epoch, isWriter, softwareLock, cause: causeOf(item, options), ...mode });
  }
  if (!ending.isUnderWay) return wishes;
  for (const volume of mounts.volumes()) {
    if (wishes.has(volume)) continue;
    const { cause } = ending;
    wishes.set(volume, { epoch: 0, isWriter: false, softwareLock: true, cause, ...ending.wish(volume) });
  }
  return wishes;
}

/** Why a volume is wished for as it is: a failure belongs to its cause. */
export function causeOf(
  { volume, yields, desired, since }: VolumeView,
  { view, answering, ending }: WishOptions,
): string {
  if (ending.isUnderWay) return ending.cause;
  const answer = answering.causeOf(volume);
  if (answer !== null) return answer;
  if (yields === null) return `${desired}@${since}`;
  const asked = yields.to === null ? 0 : (view.requests.get(pairName(volume, yields.to))?.asked ?? 0);
  return `yield ${yields.to}@${asked}${yields.force ? '!' : ''}`;
}
