/**
 * What the tables say that concerns this node, in memory: its volumes with their epochs, and the recent moves of all volumes. Kept
 * by the changes of each generation, at a cost of the change; read whole only at the start and when generations were missed.
 */
import type { PlacementRecord } from '../model/tables.js';
import type { Change, Snapshot } from '../store/store.js';
import { Moves } from './moves.js';

const NONE: ReadonlyMap<string, number> = new Map();

export class PlacementsView {
  /** This node's volumes and their epochs. */
  private readonly mine = new Map<string, number>();
  readonly moves = new Moves(0);
  private at = 0;

  constructor(private readonly node: string) {}

  /** The generation that it shows; 0: none yet. */
  get generation(): number {
    return this.at;
  }

  /** Reads all placements. Moves up to this generation are not known afterwards. */
  reset(snapshot: Snapshot): void {
    this.mine.clear();
    for (const [volume, { node, since }] of snapshot.table('placements').entries()) {
      if (node === this.node) this.mine.set(volume, since);
    }
    this.moves.restart(snapshot.generation);
    this.at = snapshot.generation;
  }

  /** Takes in what generation `generation` changed; generations come one by one. */
  apply(generation: number, changes: readonly Change[]): void {
    if (generation !== this.at + 1) throw new Error(`generation ${generation} does not follow ${this.at}`);
    for (const { table, name, before, after } of changes) {
      if (table === 'placements') this.take(generation, name, before as PlacementRecord, after as PlacementRecord);
    }
    this.at = generation;
  }

  /** What this node is to run: nothing where its state does not let it (`isMember`). */
  desired(isMember: boolean): ReadonlyMap<string, number> {
    return isMember ? this.mine : NONE;
  }

  private take(
    generation: number,
    volume: string,
    before: PlacementRecord | null,
    after: PlacementRecord | null,
  ): void {
    if (after?.node === this.node) this.mine.set(volume, after.since);
    else this.mine.delete(volume);
    // Another epoch is a move, too: the node itself has to stop the volume before it starts it anew.
    const isSame = before !== null && after !== null && before.node === after.node && before.since === after.since;
    if (!isSame && before !== null && before.node !== null) {
      this.moves.add(volume, { generation, from: before.node });
    }
  }
}
