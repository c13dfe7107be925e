/**
 * Waits for `pending`, but not longer than until `signal` is aborted; not at all when it is aborted already.
 * What becomes of `pending` after that is nobody's concern, its failure included.
 *
 * @throws the signal's reason, or what `pending` rejects with.
 */
export async function untilAborted<Result>(pending: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) {
    // Not `throwIfAborted`: nobody would have taken the failure of `pending` then.
    onAbort();
  }
  try {
    return await Promise.race([aborted.promise, pending]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
