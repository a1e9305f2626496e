/**
 * A sorted list of ranks, lightest (lowest) last: balancing takes and gives mostly light volumes, and changes near the end
 * of an array move the fewest elements. Plain loops, since `splice` makes an array at every call.
 */
export type RankList = number[];

export function insertRank(list: RankList, rank: number): void {
  let place = list.length;
  list.push(rank);
  for (; place > 0 && (list[place - 1] as number) < rank; place--) list[place] = list[place - 1] as number;
  list[place] = rank;
}

/** Removes a rank that is in the list. */
export function removeRank(list: RankList, rank: number): void {
  let carried = list.pop() as number;
  for (let place = list.length - 1; carried !== rank; place--) {
    const next = list[place] as number;
    list[place] = carried;
    carried = next;
  }
}
