import type { AgencyKeys } from "../config/agency-keys.ts";
import type { Failure } from "../domain/errors.ts";
import { formatBytes } from "../domain/format-bytes.ts";
import { type FunctionWork, type HostContext, hostedCall } from "../hosted/function-host.ts";
import type { Log } from "../observability/log.ts";
import type { Clock } from "../ports/clock.ts";
import { unknownEvent } from "./errors.ts";
import { MAX_BODY_BYTES, type RuntimeApi } from "./runtime-api.ts";
import { triggerEventOf } from "./trigger-event.ts";

export interface Host {
  readonly api: Pick<RuntimeApi, "next" | "tell">;
  /** The function that this process runs. */
  readonly work: FunctionWork<unknown>;
  /** FunctionGraph kills the process when one invocation takes longer. */
  readonly timeoutMs: number;
  readonly agencyKeys: AgencyKeys;
  /** Hears of answers that could not be told. */
  readonly log: Pick<Log, "warn">;
  readonly clock: Pick<Clock, "monotonicMs">;
}

/**
 * Kept of the time-out: FunctionGraph counts from before it hands an invocation over until after it has the answer. A
 * process that it kills leaves its messages hidden for a visibility timeout.
 */
const DELIVERY_MS = 1_000;

/**
 * Waits for one invocation, runs the function, and says how that ended. A failure of the system makes the invocation
 * fail, once it is logged: so the metric `failcount` and the destination `on_failure` hear of it.
 */
export async function serveNext({ api, work, timeoutMs, agencyKeys, log, clock }: Host): Promise<void> {
  const { requestId, keys, body } = await api.next();
  const endsAtMs = clock.monotonicMs() + timeoutMs - DELIVERY_MS;
  agencyKeys.accept(keys);
  const call = hostedCall<unknown>(
    { ...work, work: (invocation) => work.work({ ...invocation, event: eventOf(body) }) },
    { hasMetrics: false },
  );
  const context: HostContext = {
    getRemainingTimeInMillis: () => Math.max(0, endsAtMs - clock.monotonicMs()),
    awsRequestId: requestId,
    agencyKeys,
  };
  const { report, failure } = await call(undefined, context);
  try {
    await (failure === undefined
      ? api.tell("response", requestId, answerOf(report))
      : api.tell("error", requestId, errorOf(failure)));
  } catch (error) {
    // The work is done and recorded. FunctionGraph counts the invocation as failed, and a repeated one does no harm.
    log.warn("answer-not-taken", { requestId, error });
  }
}

function eventOf(body: string | undefined): unknown {
  if (body === undefined) {
    throw unknownEvent(`the body of this invocation is larger than ${formatBytes(MAX_BODY_BYTES)}`);
  }
  return triggerEventOf(body);
}

/** A timer's call is asynchronous, and its answer is not kept: one that is too large loses nothing. */
function answerOf(report: unknown): string {
  const text = JSON.stringify(report) ?? "null";
  const bytes = Buffer.byteLength(text);
  return bytes <= MAX_BODY_BYTES ? text : JSON.stringify({ omitted: `a report of ${formatBytes(bytes)}` });
}

function errorOf({ code, message, hint }: Failure): string {
  return JSON.stringify({ errorType: code, errorMessage: message, hint });
}
