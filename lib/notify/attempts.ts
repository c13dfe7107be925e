import { setTimeout as delay } from "node:timers/promises";
import type { ProxySettings } from "../network/proxy-rules.ts";
import { withTimeLimit } from "../network/time-limit.ts";
import { errorToThrow, FailedAttempt, type Fate } from "./errors.ts";

/** How long somebody may be waited for. */
export interface SendLimits {
  /** All attempts together. */
  readonly totalMs: number;
  /** Before the second and the third attempt. */
  readonly pausesMs: readonly number[];
}

/** What every sender is given. */
export interface SendOptions {
  readonly proxy: ProxySettings;
  readonly limits?: SendLimits;
}

const LIMITS: SendLimits = { totalMs: 10_000, pausesMs: [500, 2_000] };

/**
 * Sends something, up to three times while it certainly did not arrive.
 *
 * @param repeated is what else is sent again: `unknown` for what does no harm when it arrives twice.
 * @throws {NotifyError} or the reason of `signal`.
 */
export async function inAttempts<Result>(
  attempt: (signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
  limits: SendLimits = LIMITS,
  repeated: readonly Fate[] = ["not-taken"],
): Promise<Result> {
  try {
    return await withTimeLimit(signal, limits.totalMs, async (limited) => {
      for (const pauseMs of limits.pausesMs) {
        try {
          return await attempt(limited);
        } catch (thrown) {
          if (limited.aborted || !(thrown instanceof FailedAttempt && repeated.includes(thrown.fate))) {
            throw thrown;
          }
        }
        await delay(pauseMs, undefined, { signal: limited });
      }
      return await attempt(limited);
    });
  } catch (thrown) {
    throw errorToThrow(thrown, signal);
  }
}
