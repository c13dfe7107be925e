/**
 * Waits for `pending`, but not longer than until `signal` is aborted; not at all when it is aborted already.
 * What becomes of `pending` after that does not matter, its failure included.
 *
 * @throws the signal's reason, or what `pending` rejects with.
 */
export async function untilAborted<Result>(pending: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) {
    // Not `throwIfAborted`: no code would have taken the failure of `pending` then.
    onAbort();
  }
  try {
    return await Promise.race([aborted.promise, pending]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * `Promise.all` that waits until every call has ended before it throws the first failure: a run must not go on, let alone
 * end, while calls that no code waits for any more are on their way.
 */
export async function allEnded<T extends readonly unknown[] | []>(
  calls: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(calls);
  return await Promise.all(calls);
}

/** What a call gives, or `otherwise` where it fails in the way that is expected of it. */
export async function unless<Output, Otherwise>(
  isExpected: (thrown: unknown) => boolean,
  call: Promise<Output>,
  otherwise: Otherwise,
): Promise<Output | Otherwise> {
  try {
    return await call;
  } catch (thrown) {
    if (isExpected(thrown)) {
      return otherwise;
    }
    throw thrown;
  }
}

/**
 * What `work` gives for each item, in their order. Some are worked on at once; the next ones are begun when the caller
 * asks for more, so whoever has seen enough leaves the rest out.
 */
export async function* inBatches<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  for (let start = 0; start < items.length; start += atOnce) {
    yield* await allEnded(items.slice(start, start + atOnce).map(work));
  }
}
