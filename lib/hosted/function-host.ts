import middy from "@middy/core";
import type { AgencyKeys } from "../config/agency-keys.ts";
import type { ConfigurationSources } from "../config/configuration.ts";
import { ArchiverError, type Failure } from "../domain/errors.ts";
import { type CallContext, type Ended, failureReport, logging, metrics } from "./middlewares.ts";

/** What Lambda-like hosts tell a running function. */
export interface HostContext {
  getRemainingTimeInMillis(): number;
  /** Lambda's name of this invocation. */
  readonly awsRequestId?: string;
  /** The keys of the function's agency, where the host gives such. The same holder in each invocation. */
  readonly agencyKeys?: AgencyKeys;
}

/** One call of a function. */
export interface Invocation
  extends Pick<CallContext, "environment" | "log" | "redactor">,
    Pick<ConfigurationSources, "agencyKeys"> {
  readonly event: unknown;
  /** The time there is for everything, closing of connections left out. */
  readonly limitMs: number;
  /** Aborted once that time is over: whoever is not done by then is cut. */
  readonly signal: AbortSignal;
}

export interface FunctionWork<Report> {
  work(invocation: Invocation): Promise<Ended<Report>>;
  /** The report of a call that threw. */
  failed(failure: Failure): Report;
}

/** Kept of the time limit for closing connections and writing metrics. */
const CLOSING_MS = 1_000;

/** How a host wants to be told what a call did. */
export interface HostHabits {
  /** Metrics as lines of the log, which CloudWatch reads. */
  readonly hasMetrics: boolean;
}

/**
 * A function as Lambda calls it. It returns only when all its work has settled, and never throws: a failure of the
 * system is in its report.
 */
export function lambdaHandler<Report>(
  work: FunctionWork<Report>,
): (event: unknown, context: HostContext) => Promise<Report> {
  const call = hostedCall(work, { hasMetrics: true });
  return async (event, context) => (await call(event, context)).report;
}

/** The same for any host: how a call ended. What comes after the work goes from the last middleware to the first. */
export function hostedCall<Report>(
  { work, failed }: FunctionWork<Report>,
  { hasMetrics }: HostHabits,
): (event: unknown, context: HostContext) => Promise<Ended<Report>> {
  const handler = middy<unknown, Ended<Report>, Error, CallContext>({
    timeoutEarlyInMillis: CLOSING_MS,
    // Middy only aborts the signal: it waits on until the work itself has ended.
    timeoutEarlyResponse: () => new Promise(() => undefined),
  })
    .use([logging<Report>(), ...(hasMetrics ? [metrics<Report>()] : []), failureReport(failed)])
    .handler(async (event: unknown, context: CallContext, { signal }) => {
      const { environment, log, redactor, agencyKeys } = context;
      const limitMs = Math.max(0, Math.floor(context.getRemainingTimeInMillis()) - CLOSING_MS);
      try {
        return await work({ environment, event, limitMs, signal, log, redactor, agencyKeys });
      } catch (thrown) {
        throw signal.aborted ? outOfTime(thrown) : thrown;
      }
    });
  return async (event, context) => {
    const { awsRequestId, agencyKeys } = context;
    const hosted = {
      // Middy calls it without its object.
      getRemainingTimeInMillis: () => context.getRemainingTimeInMillis(),
      ...(awsRequestId === undefined ? {} : { awsRequestId }),
      agencyKeys,
    };
    // Of all that Lambda's context has, nothing else is used: other hosts need not have it.
    return await handler(event, hosted as CallContext);
  };
}

function outOfTime(cause: unknown): ArchiverError {
  return new ArchiverError("out-of-time", "the function's time was over before its work was", {
    scope: "system",
    retry: "later",
    hint: "Give the function more time, or look why platform, store or queue answer so slowly.",
    cause,
  });
}
