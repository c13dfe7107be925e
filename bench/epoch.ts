/** Epoch milliseconds with a fraction, that never go backwards: as in the sandbox's request log. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
