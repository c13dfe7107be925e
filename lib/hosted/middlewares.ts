import type middy from "@middy/core";
import type { Context } from "aws-lambda";
import type { AgencyKeys } from "../config/agency-keys.ts";
import { knownSecrets } from "../config/names.ts";
import type { Environment } from "../config/section.ts";
import { describeFailure, type Failure } from "../domain/errors.ts";
import { mapTexts } from "../domain/json.ts";
import { createFunctionLog, type FunctionLog } from "../observability/function-log.ts";
import { LOG_LEVELS, type LogLevel } from "../observability/log.ts";
import { emitMetrics, type MetricValues } from "../observability/metrics.ts";
import { Redactor } from "../observability/redact.ts";

/** How a call ended: what is returned, and what is told to operators. */
export interface Ended<Report> {
  readonly report: Report;
  readonly failure?: Failure | undefined;
  /** `SystemFailures` is added by {@link metrics}. */
  readonly metrics: MetricValues;
}

/** What {@link logging} puts beside what the host gives. */
export interface CallContext extends Context {
  environment: Environment;
  log: FunctionLog;
  /** Takes the secrets that are read on the way out of every later log line. */
  redactor: Redactor;
  agencyKeys?: AgencyKeys | undefined;
}

export type Middleware<Report> = middy.MiddlewareObj<unknown, Ended<Report>, Error, CallContext>;
type Call<Report> = middy.Request<unknown, Ended<Report>, Error, CallContext>;

/** Gives the call a log. No secret of the environment, or read on the way, is in a line or in what the call returns. */
export function logging<Report>(): Middleware<Report> {
  const redact = (call: Call<Report>) => {
    const { context, response } = call;
    if (response) {
      // A caller, and whoever reads what a host keeps of it, sees foreign names in it.
      const { report, failure, ...ended } = response;
      call.response = { ...ended, ...mapTexts({ report, failure }, (text) => context.redactor.result(text)) };
    }
  };
  return {
    before({ context }) {
      const environment: Environment = process.env;
      const redactor = new Redactor([...knownSecrets(environment), ...(context.agencyKeys?.secrets() ?? [])]);
      const service = environment.POWERTOOLS_SERVICE_NAME;
      const log = createFunctionLog({ level: logLevelOf(environment), redactor, service });
      if (context.awsRequestId !== undefined) {
        log.keep({ requestId: context.awsRequestId });
      }
      Object.assign(context, { environment, redactor, log });
    },
    after: redact,
    onError: redact,
  };
}

/** Writes the metrics of a call once, however it ended. */
export function metrics<Report>(): Middleware<Report> {
  const emit = ({ context, response }: Call<Report>) => {
    const SystemFailures = response && response.failure === undefined ? 0 : 1;
    emitMetrics(context.environment.POWERTOOLS_SERVICE_NAME, { ...response?.metrics, SystemFailures });
  };
  return { after: emit, onError: emit };
}

/**
 * Logs a failure of the system, since no caller reads what a timer's call returns. What was thrown becomes a report.
 *
 * @param failed makes the report of a call that threw.
 */
export function failureReport<Report>(failed: (failure: Failure) => Report): Middleware<Report> {
  const tell = ({ context, response }: Call<Report>) => {
    if (response?.failure !== undefined) {
      context.log.error("system-failure", { failure: response.failure });
    }
  };
  return {
    after: tell,
    onError(call) {
      const failure = describeFailure(call.error);
      call.context.log.debug("failed", { error: call.error });
      call.response = { report: failed(failure), failure, metrics: {} };
      tell(call);
    },
  };
}

/** As configured; a malformed level is reported with all other settings, in a log that has one. */
function logLevelOf(environment: Environment): LogLevel {
  const asked = environment.ARCHIVER_LOG_LEVEL?.toUpperCase();
  return LOG_LEVELS.find((level) => level === asked) ?? "INFO";
}
