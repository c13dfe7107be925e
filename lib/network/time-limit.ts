import { setTimeout as delay } from "node:timers/promises";
import { withTimeLimit as withLimit } from "../run/deadline.ts";

/** Sockets live in real time, whatever clock the caller has. */
const REAL_TIME = { sleep: (ms: number, signal?: AbortSignal) => delay(ms, undefined, signal && { signal }) };

/**
 * Runs `work` with a signal that is aborted with the reason of `signal`, or with a `TimeoutError` once `limitMs` are
 * over. What work throws that was aborted so says nothing of its own: the reason does.
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
  const overdue = () => new DOMException("the time limit is over", "TimeoutError");
  const workOrReason = (limited: AbortSignal) =>
    work(limited).catch((thrown: unknown) => {
      throw limited.aborted ? limited.reason : thrown;
    });
  return await withLimit(REAL_TIME, limitMs, workOrReason, signal, overdue);
}
