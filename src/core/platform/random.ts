/** Randomness, passed in so that a run can be repeated. */
export interface Random {
  /** `bytes` random bytes as lower-case hex. Unpredictable: transaction identifiers must never meet. */
  hex(bytes: number): string;
  /** Uniform in [0, 1). For jitter. */
  fraction(): number;
}
