/**
 * Runs `work` with a signal that is aborted with the reason of `signal`, or with a `TimeoutError` once `limitMs` are
 * over; neither outlives the work. What work throws that was aborted so says nothing of its own: the reason does.
 *
 * Not `AbortSignal.any` with `AbortSignal.timeout`: it loses an abort when its source is collected
 * (github.com/nodejs/node/issues/57736, 65995).
 *
 * @throws the reason it was aborted with, or what the work throws before that.
 */
export async function withTimeLimit<Result>(
  signal: AbortSignal,
  limitMs: number,
  work: (limited: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const ending = new AbortController();
  const passOn = () => ending.abort(signal.reason);
  signal.addEventListener("abort", passOn, { once: true });
  if (signal.aborted) {
    passOn();
  }
  const timer = setTimeout(
    () => ending.abort(new DOMException("the time limit is over", "TimeoutError")),
    limitMs,
  );
  try {
    return await work(ending.signal);
  } catch (thrown) {
    throw ending.signal.aborted ? ending.signal.reason : thrown;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", passOn);
  }
}
