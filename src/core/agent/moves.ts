/**
 * The recent moves of volumes between nodes, in memory: what `couldRun` asks (ownership.ts). Bounded: when there are too many, the
 * oldest generations are forgotten, and `knownFrom` says up to where. What is not known could have been anybody's.
 */
import type { Move } from './ownership.js';

/** About 100 bytes each. */
export const MOST_MOVES = 50_000;

export class Moves {
  private readonly byVolume = new Map<string, Move[]>();
  /** Volumes in the order of their moves; the oldest are forgotten first. */
  private readonly order: { volume: string; generation: number }[] = [];
  private first = 0;
  private known: number;

  /** @param generation moves of later generations will all be added */
  constructor(
    generation: number,
    private readonly most = MOST_MOVES,
  ) {
    this.known = generation;
  }

  /** Moves of generations later than this one are all known. */
  get knownFrom(): number {
    return this.known;
  }

  get count(): number {
    return this.order.length - this.first;
  }

  /** Moves come in the order of their generations. */
  add(volume: string, move: Move): void {
    const moves = this.byVolume.get(volume);
    if (moves === undefined) this.byVolume.set(volume, [move]);
    else moves.push(move);
    this.order.push({ volume, generation: move.generation });
    if (this.count > this.most) this.forget(this.order[this.first + Math.floor(this.most / 4)]!.generation);
  }

  /** In order; empty for a volume that did not move since `knownFrom`. */
  of(volume: string): readonly Move[] {
    return this.byVolume.get(volume) ?? [];
  }

  /** Forgets the moves of generations up to this one: every node has released it, or nobody will ask. */
  forget(generation: number): void {
    if (generation <= this.known) return;
    this.known = generation;
    for (; this.first < this.order.length; this.first++) {
      const { volume, generation: at } = this.order[this.first]!;
      if (at > generation) break;
      const moves = this.byVolume.get(volume)!;
      moves.shift();
      if (moves.length === 0) this.byVolume.delete(volume);
    }
    if (this.first * 2 > this.order.length) {
      this.order.splice(0, this.first);
      this.first = 0;
    }
  }

  /** Begins anew: the generations up to this one were not followed one by one. */
  restart(generation: number): void {
    this.byVolume.clear();
    this.order.length = 0;
    this.first = 0;
    this.known = generation;
  }
}
