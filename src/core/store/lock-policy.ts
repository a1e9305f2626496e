/** Times of the lock. Their values are the cluster's own settings (lock.timeout, lock.stale). */

export interface LockTimes {
  /** Age at which a lock counts as left behind, ms. The library's floor is 2000. */
  staleMs: number;
  /** How often the holder renews it, ms. */
  updateMs: number;
}

export interface LockPolicy {
  /** How long a change waits for the lock and tries again after conflicts, ms. */
  timeoutMs: number;
  times: LockTimes;
}

/** Where there is no policy, or it cannot be read: a damaged database must still be repaired under a lock. */
export const DEFAULT_LOCK_POLICY: LockPolicy = { timeoutMs: 30_000, times: { staleMs: 10_000, updateMs: 2_000 } };
