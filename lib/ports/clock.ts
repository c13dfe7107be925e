/** Time as policy sees it. Real in production, virtual in tests; nothing in policy calls `Date.now()`. */
export interface Clock {
  /** This machine's idea of the epoch time; it may be wrong and may jump. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never jumps, never goes back. */
  monotonicMs(): number;
  /**
   * Resolves after `ms`. Rejects with the signal's reason as soon as it is aborted.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness for nonces and jitter. */
export interface Random {
  /** `bytes` random bytes as lowercase hex. */
  hex(bytes: number): string;
  /** A number in [0, 1). */
  fraction(): number;
}
