import middy from "@middy/core";
import type { Context } from "aws-lambda";
import { knownSecrets } from "../config/names.ts";
import type { Environment } from "../config/section.ts";
import { ArchiverError, describeFailure, type Failure } from "../domain/errors.ts";
import { mapTexts } from "../domain/json.ts";
import { createFunctionLog, type FunctionLog } from "../observability/function-log.ts";
import { LOG_LEVELS, type LogLevel } from "../observability/log.ts";
import { emitMetrics, type MetricValues } from "../observability/metrics.ts";
import { Redactor } from "../observability/redact.ts";

/** What Lambda-like hosts tell a running function. */
export interface HostContext {
  getRemainingTimeInMillis(): number;
  /** Lambda's name of this invocation. */
  readonly awsRequestId?: string;
}

/** One call of a function. */
export interface Invocation {
  readonly environment: Environment;
  readonly event: unknown;
  /** The time there is for everything, closing of connections left out. */
  readonly limitMs: number;
  /** Aborted once that time is over: whoever is not done by then is cut. */
  readonly signal: AbortSignal;
  readonly log: FunctionLog;
  /** Takes the secrets that are read on the way out of every later log line. */
  readonly redactor: Redactor;
}

/** How a call ended: what is returned, and what is told to operators. */
export interface Ended<Report> {
  readonly report: Report;
  readonly failure?: Failure | undefined;
  /** `SystemFailures` is added by the host. */
  readonly metrics: MetricValues;
}

export interface FunctionWork<Report> {
  work(invocation: Invocation): Promise<Ended<Report>>;
  /** The report of a call that threw. */
  failed(failure: Failure): Report;
}

/** Kept of the time limit for closing connections and writing metrics. */
const CLOSING_MS = 1_000;

/**
 * A function as Lambda calls it. It returns only when all its work has settled, never throws, logs a failure
 * of the system (nobody reads what a timer's call returns) and writes its metrics once.
 */
export function functionHandler<Report>(
  body: FunctionWork<Report>,
): (event: unknown, context: HostContext) => Promise<Report> {
  const handler = middy(
    async (event: unknown, context: HostContext, { signal }: { readonly signal: AbortSignal }) =>
      await invoke(body, event, context, signal),
    // Middy only aborts the signal: it waits on until the work itself has ended.
    { timeoutEarlyInMillis: CLOSING_MS, timeoutEarlyResponse: () => new Promise(() => undefined) },
  );
  return async (event, context) => {
    const { awsRequestId } = context;
    const hosted: HostContext = {
      // Middy calls it without its object.
      getRemainingTimeInMillis: () => context.getRemainingTimeInMillis(),
      ...(awsRequestId === undefined ? {} : { awsRequestId }),
    };
    // Of all that Lambda's context has, nothing else is used: other hosts need not have it.
    return await handler(event, hosted as Context);
  };
}

async function invoke<Report>(
  { work, failed }: FunctionWork<Report>,
  event: unknown,
  context: HostContext,
  signal: AbortSignal,
): Promise<Report> {
  const environment: Environment = process.env;
  const redactor = new Redactor(knownSecrets(environment));
  const service = environment.POWERTOOLS_SERVICE_NAME;
  const log = createFunctionLog({ level: logLevelOf(environment), redactor, service });
  if (context.awsRequestId !== undefined) {
    log.keep({ requestId: context.awsRequestId });
  }
  const limitMs = Math.max(0, Math.floor(context.getRemainingTimeInMillis()) - CLOSING_MS);
  let ended: Ended<Report>;
  try {
    ended = await work({ environment, event, limitMs, signal, log, redactor });
  } catch (thrown) {
    const error = signal.aborted ? outOfTime(thrown) : thrown;
    const failure = describeFailure(error);
    log.debug("failed", { error });
    ended = { report: failed(failure), failure, metrics: {} };
  }
  if (ended.failure !== undefined) {
    log.error("system-failure", { failure: ended.failure });
  }
  emitMetrics(service, { ...ended.metrics, SystemFailures: ended.failure === undefined ? 0 : 1 });
  // A caller, and whoever reads what a host keeps of it, sees foreign names in it.
  return mapTexts(ended.report, (text) => redactor.result(text));
}

function outOfTime(cause: unknown): ArchiverError {
  return new ArchiverError("out-of-time", "the function's time was over before its work was", {
    scope: "system",
    retry: "later",
    hint: "Give the function more time, or look why platform, store or queue answer so slowly.",
    cause,
  });
}

/** As configured; a malformed level is reported with all other settings, in a log that has one. */
function logLevelOf(environment: Environment): LogLevel {
  const asked = environment.ARCHIVER_LOG_LEVEL?.toUpperCase();
  return LOG_LEVELS.find((level) => level === asked) ?? "INFO";
}
