import { SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import { formatBytes } from "../domain/format-bytes.ts";
import { untilAborted } from "../domain/promises.ts";
import { ANSWER_LIMIT_PLACE, AnswerTooLongError, answerLimit } from "../network/answer-limit.ts";
import { withFreshSignature } from "../network/fresh-signature.ts";
import type { ProxySettings } from "../network/proxy-rules.ts";
import { withTimeLimit } from "../network/time-limit.ts";
import { tunnelAgents } from "../network/tunnel-agents.ts";
import type { CallOptions } from "../ports/platform.ts";
import { QueueError } from "../ports/task-queue.ts";
import {
  malformedAnswerError,
  missingRegionError,
  type SqsOperation,
  type SqsQueueRole,
  sqsError,
} from "./sqs-errors.ts";

/** How a caller reaches SQS. */
export interface SqsAccess {
  /** Instead of the queue URL's own host. */
  readonly endpoint?: URL | undefined;
  /** For hosts that do not name theirs. Default: as the AWS SDK finds it. */
  readonly region?: string | undefined;
  /** Default: the AWS SDK's chain. */
  readonly credentials?: NonNullable<SQSClientConfig["credentials"]> | undefined;
  readonly timeouts?: Partial<SqsTimeouts> | undefined;
  readonly proxy?: ProxySettings | undefined;
}

interface SqsTimeouts {
  readonly connectMs: number;
  /** From sending a request to the first byte of its answer, the wait of a long poll not counted. */
  readonly answerMs: number;
  /** One call with all its retries, the wait of a long poll not counted. */
  readonly callMs: number;
}

/** Three tries fit into the 15 s that settling a message may take. */
const DEFAULT_TIMEOUTS: SqsTimeouts = { connectMs: 3_000, answerMs: 4_500, callMs: 30_000 };

/** Tries of one request, the first included; the SDK waits between them and gives up early in an outage. */
const MAX_TRIES = 3;
const LONGEST_WAIT_MS = 20_000;
/** Ten messages of 1 MiB, every second character of them escaped. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** What a request may be told besides its input. */
interface RequestOptions {
  readonly abortSignal: AbortSignal;
  readonly requestTimeout: number;
}

/**
 * Calls SQS for one queue: bounded tries and times, prompt aborts, typed errors. Every call may take effect
 * although it failed; a send whose answer is lost may put the message there twice.
 */
export class SqsCaller {
  readonly role: SqsQueueRole;
  readonly queueUrl: string;
  readonly #timeouts: SqsTimeouts;
  readonly #client: SQSClient;

  constructor(role: SqsQueueRole, queueUrl: URL, access: SqsAccess) {
    this.role = role;
    this.queueUrl = queueUrl.href;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...access.timeouts };
    // A host of AWS names the region it accepts signatures for, whatever AWS_REGION says of this machine.
    const region = regionOfHost(queueUrl.hostname) ?? access.region;
    this.#client = new SQSClient({
      // Always set: without it the SDK writes a warning to the console when it uses the queue URL's host.
      endpoint: (access.endpoint ?? new URL(queueUrl.origin)).href,
      ...(region === undefined ? {} : { region }),
      ...(access.credentials === undefined ? {} : { credentials: access.credentials }),
      maxAttempts: MAX_TRIES,
      retryMode: "standard",
      requestHandler: {
        ...tunnelAgents(access.proxy ?? {}),
        connectionTimeout: this.#timeouts.connectMs,
        requestTimeout: this.#timeouts.answerMs,
        // By default the SDK only prints a warning.
        throwOnRequestTimeout: true,
        // A stalled body; the wait for its first byte is `requestTimeout`.
        socketTimeout: LONGEST_WAIT_MS + this.#timeouts.answerMs,
      },
    });
    this.#client.middlewareStack.add(answerLimit(MAX_ANSWER_BYTES), ANSWER_LIMIT_PLACE);
  }

  /**
   * One call. `waitMs` is what a long poll may wait in addition.
   *
   * @throws QueueError, or the signal's reason as soon as it is aborted.
   */
  async call<Output>(
    operation: SqsOperation,
    request: (client: SQSClient, options: RequestOptions) => Promise<Output>,
    { signal, waitMs = 0 }: CallOptions & { readonly waitMs?: number },
  ): Promise<Output> {
    signal.throwIfAborted();
    await this.#requireRegion();
    const requestTimeout = this.#timeouts.answerMs + waitMs;
    try {
      // The SDK goes on looking for credentials, which may ask a slow host, when it is aborted.
      return await withTimeLimit(signal, this.#timeouts.callMs + waitMs, (abortSignal) =>
        untilAborted(
          withFreshSignature(() => request(this.#client, { abortSignal, requestTimeout })),
          abortSignal,
        ),
      );
    } catch (thrown) {
      signal.throwIfAborted();
      throw this.#toQueueError(operation, thrown);
    }
  }

  /** Ends the connections; safe twice. */
  close(): void {
    this.#client.destroy();
  }

  async #requireRegion(): Promise<void> {
    try {
      await this.#client.config.region();
    } catch {
      // Its only failure, with no name or code of its own: no setting and no profile has a region.
      throw missingRegionError(this.role);
    }
  }

  #toQueueError(operation: SqsOperation, thrown: unknown): unknown {
    if (thrown instanceof QueueError || !(thrown instanceof Error)) {
      return thrown;
    }
    if (thrown instanceof AnswerTooLongError) {
      return malformedAnswerError(
        this.role,
        operation,
        `the answer is longer than ${formatBytes(thrown.maxBytes)}`,
      );
    }
    const { httpStatusCode, requestId } = answerOf(thrown);
    return sqsError({
      role: this.role,
      operation,
      name: thrown.name,
      httpStatus: httpStatusCode,
      requestId,
      // The text of a refused signature quotes the request, its security token included.
      cause: httpStatusCode === undefined && "code" in thrown ? thrown : undefined,
    });
  }
}

function answerOf(error: Error): { httpStatusCode?: number; requestId?: string } {
  const metadata: unknown = "$metadata" in error ? error.$metadata : undefined;
  if (typeof metadata !== "object" || metadata === null) {
    return {};
  }
  return {
    ...("httpStatusCode" in metadata && typeof metadata.httpStatusCode === "number"
      ? { httpStatusCode: metadata.httpStatusCode }
      : {}),
    ...("requestId" in metadata && typeof metadata.requestId === "string"
      ? { requestId: metadata.requestId }
      : {}),
  };
}

/**
 * The region in a host of SQS: `sqs.{region}.…`, `sqs-fips.{region}.…`, `vpce-….sqs.{region}.vpce.…` or the old
 * `{region}.queue.…` ("Amazon SQS endpoints and quotas" in the AWS general reference).
 */
function regionOfHost(hostname: string): string | undefined {
  const match =
    /^(?:[a-z0-9-]+\.)?sqs(?:-fips)?\.([a-z]{2,4}(?:-[a-z]+)+-\d)\./.exec(hostname) ??
    /^([a-z]{2,4}(?:-[a-z]+)+-\d)\.queue\./.exec(hostname);
  return match?.[1];
}
