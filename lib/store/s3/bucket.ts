import type {
  $Command,
  S3Client,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes,
} from "@aws-sdk/client-s3";
import { ArchiverError } from "../../domain/errors.ts";
import { untilAborted } from "../../domain/promises.ts";
import { withTimeLimit } from "../../network/time-limit.ts";
import type { Clock, Random } from "../../ports/clock.ts";
import type { S3StoreOptions, S3StoreParts } from "./client.ts";
import { NO_REGION } from "./fault-table.ts";
import { S3_PROFILES, type S3Profile } from "./profiles.ts";
import { notS3Error, type RequestSubject, S3Error, toS3Error } from "./s3-error.ts";

export interface S3Request extends RequestSubject {
  readonly signal: AbortSignal;
  /** Bytes that travel with one attempt, either way; they buy it time. */
  readonly bodyBytes?: number;
  /** For requests the store works long on. */
  readonly attemptTimeoutMs?: number;
  readonly maxAttempts?: number;
}

/** For requests that must not have their effect twice. */
export interface EffectWatch<Output> {
  /** Written while the call goes on: an attempt that failed may have had its effect. */
  mayHaveHappened: boolean;
  /** Looks, before the request is sent again, for the effect of an attempt whose answer was lost. */
  readonly findEffect?: () => Promise<Output | undefined>;
}

type S3Command<Input extends ServiceInputTypes, Answer extends ServiceOutputTypes> = $Command<
  Input,
  Answer,
  S3ClientResolvedConfig,
  ServiceInputTypes,
  ServiceOutputTypes
>;

/** What the SDK is given with each request. */
interface HttpOptions {
  readonly abortSignal: AbortSignal;
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
 * The bucket, and how requests reach it: a limit of time on each attempt, a bounded number of attempts with full
 * jitter between them, every failure turned into an {@link S3Error}. A request refused for its time or for its keys is
 * signed again and sent once more. The SDK's own retries are off: they know neither which buffer a part comes from nor that an
 * answer was lost.
 */
export class S3Bucket {
  readonly client: S3Client;
  readonly options: S3StoreOptions;
  readonly profile: S3Profile;
  readonly clock: Clock;
  readonly #random: Random;
  readonly #keys: S3StoreParts["huaweiCredentials"];

  constructor(client: S3Client, options: S3StoreOptions, { clock, random, huaweiCredentials }: S3StoreParts) {
    this.client = client;
    this.options = options;
    this.profile = S3_PROFILES[options.profile];
    this.clock = clock;
    this.#random = random;
    this.#keys = huaweiCredentials;
  }

  /** The fields that name an object; without a version, the newest one. */
  object(key: string, versionId?: string): { Bucket: string; Key: string; VersionId?: string | undefined } {
    return { Bucket: this.options.bucket, Key: this.fullKey(key), VersionId: versionId };
  }

  /** The key in the bucket of a key below the prefix. */
  fullKey(key: string): string {
    return this.options.prefix === "" ? key : `${this.options.prefix}/${key}`;
  }

  /** The key below the prefix of a key in the bucket; `undefined` for the prefix itself and for what lies elsewhere. */
  keyBelow(bucketKey: string): string | undefined {
    const folder = this.fullKey("");
    const key = bucketKey.startsWith(folder) ? bucketKey.slice(folder.length) : "";
    return key === "" ? undefined : key;
  }

  /**
   * Sends a command.
   *
   * @param read takes what is needed from the answer; `undefined` for one that no S3 store gives: a proxy's page.
   * @param watch written to, so that it is there when the call fails too.
   * @throws S3Error of the last attempt, or the signal's reason.
   */
  async send<Input extends ServiceInputTypes, Answer extends ServiceOutputTypes, Output>(
    request: S3Request,
    command: S3Command<Input, Answer>,
    read: (answer: Answer) => Output | undefined,
    watch?: EffectWatch<Output>,
  ): Promise<Output> {
    const send = async (http: HttpOptions) => {
      const output = read(await this.client.send(command, http));
      if (output === undefined) {
        throw notS3Error(request);
      }
      return output;
    };
    return await this.call(request, send, watch);
  }

  /** As {@link send}, for whatever sends the request and reads its answer. */
  async call<Output>(
    request: S3Request,
    send: (options: HttpOptions) => Promise<Output>,
    watch?: EffectWatch<Output>,
  ): Promise<Output> {
    await this.#requireRegion(request);
    let isSignedAgain = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await tryOnce(request, send);
      } catch (thrown) {
        if (watch !== undefined && (!(thrown instanceof S3Error) || thrown.mayHaveHappened)) {
          watch.mayHaveHappened = true;
        }
        if (!(thrown instanceof S3Error)) {
          throw thrown;
        }
        const { isTransient, mayPassOnceMore, mayNewKeysHelp } = thrown.fault;
        const hasNewKeys = mayNewKeysHelp === true && this.#keys !== undefined;
        const isOnceMore: boolean = (mayPassOnceMore === true || hasNewKeys) && !isSignedAgain;
        if (!isOnceMore && (isTransient !== true || attempt >= (request.maxAttempts ?? MAX_ATTEMPTS))) {
          throw thrown;
        }
        isSignedAgain ||= isOnceMore;
        if (hasNewKeys) {
          await this.#keys?.(true);
        }
        await this.clock.sleep(this.#backoffMs(thrown, attempt), request.signal);
        const found = thrown.mayHaveHappened ? await watch?.findEffect?.() : undefined;
        if (found !== undefined) {
          return found;
        }
      }
    }
  }

  /** The SDK says that none is known only in the text of an error without a name. */
  async #requireRegion(request: S3Request): Promise<void> {
    try {
      await this.client.config.region();
    } catch {
      throw new S3Error(NO_REGION, request);
    }
  }

  #backoffMs({ httpStatus, retryAfterMs = 0 }: S3Error, attempt: number): number {
    const baseMs = httpStatus === 503 || httpStatus === 429 ? BUSY_BACKOFF_BASE_MS : BACKOFF_BASE_MS;
    const jitteredMs = this.#random.fraction() * Math.min(MAX_BACKOFF_MS, baseMs * 2 ** (attempt - 1));
    return Math.max(jitteredMs, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
  }
}

async function tryOnce<Output>(
  request: S3Request,
  send: (options: HttpOptions) => Promise<Output>,
): Promise<Output> {
  const { signal, attemptTimeoutMs = ATTEMPT_TIMEOUT_MS, bodyBytes = 0 } = request;
  signal.throwIfAborted();
  try {
    return await withTimeLimit(signal, attemptTimeoutMs + bodyBytes / SLOWEST_BYTES_PER_MS, (abortSignal) =>
      settledSoonAfter(abortSignal, send({ abortSignal })),
    );
  } catch (thrown) {
    signal.throwIfAborted();
    // One of ours may come from where the credentials are read.
    throw thrown instanceof ArchiverError ? thrown : (toS3Error(thrown, request) ?? thrown);
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
