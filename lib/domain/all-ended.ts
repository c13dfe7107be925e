/**
 * `Promise.all` that waits until every call has ended before it throws the first failure: a run must not go on, let alone
 * end, while calls that nobody waits for any more are on their way.
 */
export async function allEnded<T extends readonly unknown[] | []>(
  calls: T,
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(calls);
  return await Promise.all(calls);
}
