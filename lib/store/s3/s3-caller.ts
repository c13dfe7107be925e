import { ArchiverError } from "../../domain/errors.ts";
import { untilAborted } from "../../domain/promises.ts";
import { withTimeLimit } from "../../network/time-limit.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import { type RequestSubject, S3Error, toS3Error } from "./s3-error.ts";

/** What the SDK is given with each request. */
export interface HttpOptions {
  readonly abortSignal: AbortSignal;
}

export interface CallRequest extends RequestSubject {
  /** Bytes that travel with one attempt, either way; they buy it time. */
  readonly bodyBytes?: number;
  /** For requests the store works long on. */
  readonly attemptTimeoutMs?: number;
  readonly maxAttempts?: number;
}

/** What only the way to an answer tells; the call writes it while it goes on. */
export interface CallOutcome {
  /** An attempt that failed may have had its effect. */
  mayHaveHappened: boolean;
}

/** For requests that must not have their effect twice. */
export interface EffectWatch<Output> extends CallOutcome {
  /** Looks, before the request is sent again, for the effect of an attempt whose answer was lost. */
  readonly findEffect?: () => Promise<Output | undefined>;
}

const ATTEMPT_TIMEOUT_MS = 30_000;
/** Slower than this and a part is better sent again: 64 KiB/s. */
const SLOWEST_BYTES_PER_MS = 64;
const MAX_ATTEMPTS = 5;
const BACKOFF_BASE_MS = 100;
/** SlowDown means it: the first wait is longer. */
const BUSY_BACKOFF_BASE_MS = 500;
const MAX_BACKOFF_MS = 5_000;
const MAX_RETRY_AFTER_MS = 20_000;
/** How long an aborted request may take to let go of its buffer. */
const LET_GO_MS = 1_000;

/**
 * Sends requests: a limit of time on each attempt, a bounded number of attempts with full jitter between
 * them, every failure turned into an {@link S3Error}. A
 * request refused for its time is signed again and sent once more. The SDK's own retries are off: they know neither which
 * buffer a part comes from nor that an answer was lost.
 */
export class S3Caller {
  readonly #clock: Clock;
  readonly #random: Random;

  constructor({ clock, random }: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * @param outcome written to, so that it is there when the call fails too.
   * @throws S3Error of the last attempt, or the signal's reason.
   */
  async call<Output>(
    request: CallRequest,
    signal: AbortSignal,
    send: (options: HttpOptions) => Promise<Output>,
    outcome?: EffectWatch<Output>,
  ): Promise<Output> {
    const maxAttempts = request.maxAttempts ?? MAX_ATTEMPTS;
    let isSignedAnew = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#attempt(request, signal, send);
      } catch (thrown) {
        if (outcome !== undefined && (!(thrown instanceof S3Error) || thrown.mayHaveHappened)) {
          outcome.mayHaveHappened = true;
        }
        if (!(thrown instanceof S3Error)) {
          throw thrown;
        }
        const isOnceMore: boolean = thrown.fault.mayPassOnceMore === true && !isSignedAnew;
        if (!isOnceMore && (thrown.fault.isTransient !== true || attempt >= maxAttempts)) {
          throw thrown;
        }
        isSignedAnew ||= isOnceMore;
        await this.#clock.sleep(this.#backoffMs(thrown, attempt), signal);
        const found = thrown.mayHaveHappened ? await outcome?.findEffect?.() : undefined;
        if (found !== undefined) {
          return found;
        }
      }
    }
  }

  #backoffMs(error: S3Error, attempt: number): number {
    const baseMs =
      error.httpStatus === 503 || error.httpStatus === 429 ? BUSY_BACKOFF_BASE_MS : BACKOFF_BASE_MS;
    const jitteredMs = this.#random.fraction() * Math.min(MAX_BACKOFF_MS, baseMs * 2 ** (attempt - 1));
    return Math.max(jitteredMs, Math.min(error.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
  }

  async #attempt<Output>(
    request: CallRequest,
    signal: AbortSignal,
    send: (options: HttpOptions) => Promise<Output>,
  ): Promise<Output> {
    signal.throwIfAborted();
    const timeoutMs =
      (request.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS) + (request.bodyBytes ?? 0) / SLOWEST_BYTES_PER_MS;
    try {
      return await withTimeLimit(signal, timeoutMs, (abortSignal) =>
        settledSoonAfter(abortSignal, send({ abortSignal })),
      );
    } catch (thrown) {
      signal.throwIfAborted();
      // One of ours may come from where the credentials are read.
      throw thrown instanceof ArchiverError ? thrown : (toS3Error(thrown, request) ?? thrown);
    }
  }
}

/**
 * The promise, or a rejection once the signal was aborted and the promise had its moment to settle: the SDK
 * settles at once while a request is under way, but not while it looks for credentials.
 */
async function settledSoonAfter<Output>(signal: AbortSignal, promise: Promise<Output>): Promise<Output> {
  const letGo = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    timer = setTimeout(() => letGo.abort(signal.reason), LET_GO_MS);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await untilAborted(promise, letGo.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
