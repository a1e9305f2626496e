import { CfsCommand, nameArg } from '../cli/command.js';
import { CfsError } from '../core/errors.js';
import { type Replay, whyVolume } from '../core/placement/why.js';
import type { Snapshot, Store } from '../core/store/store.js';
import { escapeText } from '../render/format.js';

export default class Why extends CfsCommand {
  static override summary = 'Explain why a volume is where it is.';
  static override description =
    'Which decision, stage and rule placed the volume, and for each other node why it was out: not active, no common ' +
    'domain, a group that it does not take, or outdone, with the capacities at the moment of the decision. The decision is ' +
    'made again from the generation before it; where that is no longer kept, the capacities are those of now.';
  static override examples = [
    { description: 'Why is v1 there?', command: 'cfs why v1' },
    { description: 'For a script', command: 'cfs why v1 --json' },
  ];
  static override args = { volume: nameArg('volume') };

  async run() {
    const { args } = await this.parse(Why);
    const { store } = await this.cluster();
    const snapshot = await this.snapshot();
    const replay = replayOf(store, snapshot, args.volume);
    const { lines, ...why } = whyVolume(snapshot, args.volume, replay === undefined ? {} : { replay });
    for (const line of lines) this.print(escapeText(line));
    return { ...why };
  }
}

/** What is needed to make the decision again, if that much of history is still kept. */
function replayOf(store: Store, snapshot: Snapshot, volume: string): Replay | undefined {
  const since = snapshot.table('placements').get(volume.normalize('NFC'))?.since;
  if (since === undefined || since <= store.oldestGeneration()) return undefined;
  try {
    const { operation, request } = store.info(since);
    return { before: store.snapshot(since - 1), operation, request };
  } catch (error) {
    // Collected between the look at the oldest generation and the reading.
    if (error instanceof CfsError && error.code === 'GENERATION_NOT_FOUND') return undefined;
    throw error;
  }
}
