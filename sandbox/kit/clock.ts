/**
 * Epoch milliseconds with a fraction, never stepping back within one process: the spacing of requests is
 * judged on it, so a correction of the system clock must not move it.
 */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
