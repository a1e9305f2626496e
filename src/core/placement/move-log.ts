/** The log of balancing moves. There can be more moves than volumes, so they stand in flat lists, not in objects. */
import type { Amount, Amounts, Capacity } from './capacity.js';

/** One volume moved by balancing. Volumes and nodes by index. */
export interface Move {
  readonly volume: number;
  readonly from: number;
  readonly to: number;
  readonly cycle: number;
  /** Remaining capacities before the move. */
  readonly fromRemaining: Amount;
  readonly toRemaining: Amount;
}

const INTEGERS = 4;
const AMOUNTS = 2;

export class MoveLog {
  /** Volume, from, to and cycle of each move. */
  private integers = new Int32Array(INTEGERS * 1024);
  /** Remaining capacity of from and to. */
  private amounts: Amounts;
  private count = 0;

  constructor(private readonly capacity: Capacity) {
    this.amounts = capacity.amounts(AMOUNTS * 1024);
  }

  get length(): number {
    return this.count;
  }

  add(volume: number, from: number, to: number, cycle: number, fromRemaining: Amount, toRemaining: Amount): void {
    const i = this.count * INTEGERS;
    if (i === this.integers.length) this.grow();
    const { integers, amounts } = this;
    integers[i] = volume;
    integers[i + 1] = from;
    integers[i + 2] = to;
    integers[i + 3] = cycle;
    amounts[this.count * AMOUNTS] = fromRemaining;
    amounts[this.count * AMOUNTS + 1] = toRemaining;
    this.count++;
  }

  private grow(): void {
    const integers = new Int32Array(this.integers.length * 2);
    integers.set(this.integers);
    const amounts = this.capacity.amounts(this.amounts.length * 2);
    for (let i = 0; i < this.amounts.length; i++) amounts[i] = this.amounts[i] as Amount;
    this.integers = integers;
    this.amounts = amounts;
  }

  at(index: number): Move {
    const i = index * INTEGERS;
    return {
      volume: this.integers[i] as number,
      from: this.integers[i + 1] as number,
      to: this.integers[i + 2] as number,
      cycle: this.integers[i + 3] as number,
      fromRemaining: this.amounts[index * AMOUNTS] as Amount,
      toRemaining: this.amounts[index * AMOUNTS + 1] as Amount,
    };
  }

  /** The volume of a move, without reading the rest of it. */
  volumeAt(index: number): number {
    return this.integers[index * INTEGERS] as number;
  }
}
